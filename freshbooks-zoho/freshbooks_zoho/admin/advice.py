"""What can be done about an object that is not in Zoho as it should be: from Zoho's code to a sentence, no I/O.

The codes are those of the CRM API's pages "Upsert Records" and "Status Codes", and the plugins' own.
"""

from __future__ import annotations

from dataclasses import dataclass

from target_zoho_crm.sync.planning import says_more
from target_zoho_crm.sync.writing import LATER

RETRY_ALONE = LATER | {"RUN_FAILED", "NOT_BROUGHT", "PARENT_MISSING"}
"""Codes of what usually passes without anybody."""
TRIES_ALONE = 3
"""After so many attempts it has not passed without anybody."""


@dataclass(frozen=True)
class Refusal:
    """Why an object could not be synced.

    Attributes:
        code: Zoho's, or the plugins' own.
        field: API name of the field it is about; empty where it is about none.
        expected: what Zoho expects there.
        message: Zoho's own words, of several errors all; with a code of the plugins' own, theirs.
    """

    code: str
    field: str = ""
    expected: str = ""
    message: str = ""

    @property
    def says_more(self) -> bool:
        """Whether the words say more than the code does."""
        return says_more(self.code, self.message)


_HINTS = {
    "AMBIGUOUS": (
        "Several accounts in Zoho have this client's name. Put {key} into the field FreshBooks ID of the right "
        "one, then retry."
    ),
    "PARENT_MISSING": "It follows by itself as soon as {parent} is in Zoho.",
    "MANDATORY_NOT_FOUND": (
        "Zoho wants {field} filled, and nothing fills it. Make it optional in Zoho's layout, or fill it with the "
        "setting extra_fields; then retry."
    ),
    "DUPLICATE_DATA": (
        "Another record in Zoho has the same value in {field}, which must be unique. Change or merge that record, "
        "then retry."
    ),
    "MAPPING_MISMATCH": (
        "Zoho's pipeline or layout does not have this {field}. Add it there, or choose another with the setting "
        "stage_map or pipeline; then retry."
    ),
    "DEPENDENT_FIELD_MISSING": "{field} depends on another field that is empty. Make it optional in Zoho, then retry.",
    "DEPENDENT_MISMATCH": (
        "{field} does not go with the field it depends on. Change the dependency in Zoho, then retry."
    ),
    "PATTERN_NOT_MATCHED": (
        "Zoho takes {field} in one form only. Change that rule in Zoho and retry, or correct the value in FreshBooks, "
        "which also brings it again."
    ),
    "NO_PERMISSION": (
        "The Zoho user who gave the consent may not write this record. Give the profile that permission, or "
        "connect as an administrator: freshbooks-zoho connect zoho."
    ),
    "RECORD_IN_BLUEPRINT": (
        "A blueprint in Zoho holds {field} of this record. Finish its transition, or take the field out of the "
        "blueprint; then retry."
    ),
    "RECORD_LOCKED": (
        "The record is locked in Zoho, by a person or by a rule. It is tried again by itself; a lock by a rule stays, "
        "unless the rule leaves out the connected user's profile, or the fields that FreshBooks fills (Zoho CRM, "
        "Setup, Modules and Fields, the module's Record Locking Configuration)."
    ),
    "MAX_RECORDS_LIMIT_REACHED": (
        "Zoho's storage is full, so that it takes no new records. Delete records there, or buy storage (Zoho CRM, "
        "Setup, Data Administration, Storage); it is tried again by itself."
    ),
    "NOT_APPROVED": "The record waits for an approval in Zoho. Approve or reject it there, then retry.",
    "LIMIT_EXCEEDED": "The organization has reached a limit of its edition. Make room in Zoho, then retry.",
    "INTERNAL_ERROR": "Zoho had an error of its own. It is tried again by itself.",
    "NOT_FOUND": "FreshBooks does not have it any more, or not in this account. Dismiss it.",
    "NOT_BROUGHT": (
        "The run went well, but did not bring it. It is tried again by itself; if it stays so, look whether "
        "FreshBooks still has it."
    ),
    "RUN_FAILED": "The whole run failed, so this may have nothing to do with it. It is tried again by itself.",
    "WRONG_RECORD": (
        "Zoho found another record by {field} and wrote into that one. Put it right by hand, take the value of "
        "{field} out of one of the two, then retry."
    ),
    "MALFORMED": "FreshBooks' record cannot be read as it is. Correct it in FreshBooks, which also brings it again.",
}
_SAME = {
    "REQUIRED_PARAM_MISSING": "MANDATORY_NOT_FOUND",
    "EXPECTED_FIELD_MISSING": "MANDATORY_NOT_FOUND",
    "DATA_MISMATCH": "MAPPING_MISMATCH",
    "AUTHORIZATION_FAILED": "NO_PERMISSION",
    "NOT_ALLOWED": "NO_PERMISSION",
    "LIMIT_REACHED": "LIMIT_EXCEEDED",
    "SERVER_ERROR": "INTERNAL_ERROR",
    "CANNOT_PROCESS": "INTERNAL_ERROR",
}
_VALUE = frozenset({"INVALID_DATA", "VALUE_NOT_ACCEPTED"})
_BY_RULE = frozenset({"INVALID_DATA", "CANNOT_PROCESS", "NOT_ALLOWED"})
"""Codes of a rule or a function of Zoho's, which says in its own words what it wants."""
_RULE = (
    "A rule in Zoho refuses it, in the words above. Change that rule in Zoho, or what it is about there, then retry."
)
_NAME = (
    "Zoho cannot be asked whether it has an account of this name. Put {key} into the field FreshBooks ID of the right "
    "one, or change the name in FreshBooks; then retry."
)
_QUERY = frozenset({"SYNTAX_ERROR", "INVALID_QUERY"})
_ELSE = "Look the code up in Zoho's list of status codes, put right what it names, then retry."
_ELSE_WORDS = "Put right in Zoho what its words name, then retry."


def advise(refusal: Refusal, key: str = "", parent: str | None = None) -> str:
    """Return what to do.

    Args:
        refusal: why it could not be synced.
        key: the object's FreshBooks ID.
        parent: what it waits for, such as ``clients:123``.
    """
    hint = _hint(refusal)
    field = refusal.field or "a field"
    text = hint.format(field=field, key=key, parent=(parent or "what it belongs to").replace("s:", " "))
    return text[0].upper() + text[1:]


def _hint(refusal: Refusal) -> str:
    if refusal.code in _QUERY and refusal.field:
        return _NAME
    if refusal.code in _BY_RULE and refusal.says_more and not refusal.expected:
        return _RULE
    if refusal.code in _VALUE:
        return _about_value(refusal.expected)
    return _HINTS.get(_SAME.get(refusal.code, refusal.code), _ELSE_WORDS if refusal.says_more else _ELSE)


def needs_a_person(refusal: Refusal | None, attempts: int) -> bool:
    """Return whether waiting will not help."""
    if refusal is None:
        return False
    if refusal.code == "CANNOT_PROCESS" and refusal.says_more:
        return True
    return refusal.code not in RETRY_ALONE or attempts > TRIES_ALONE


def _about_value(expected: str) -> str:
    if "maximum_length" in expected:
        return "The value of {field} is too long. Shorten it in FreshBooks, or lengthen the field in Zoho and retry."
    if "one of " in expected:
        return "Zoho's list for {field} lacks this value. Add it to the list in Zoho, then retry."
    return "Zoho does not take the value of {field}. Correct it in FreshBooks, or change the field in Zoho and retry."
