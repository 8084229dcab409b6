"""What Zoho says when it refuses a record: its result read into a `Rejection`, without a network.

The shapes of errors are those of the CRM API's page "Upsert Records" and of its specification, which declares each
error both in the record's place and for the whole call.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from target_zoho_crm.api.answers import ROW_PATH, plain_words
from target_zoho_crm.errors import AllRefusedError, RequestError
from target_zoho_crm.sync.planning import Rejection, says_more

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_zoho_crm.errors import ServerFaultError

EXPECTATIONS = (
    "expected_data_type", "maximum_length", "minimum_length", "mapped_field", "regex", "limit", "max_no_of_records",
)  # fmt: skip
"""Details that say what Zoho expects."""
STORAGE_FULL = "MAX_RECORDS_LIMIT_REACHED"
"""The code of new records for which the organization has no room."""
ALL_REFUSED = 10
"""Records that were sent in a batch and refused alike, from which on that is one fault, and none of theirs."""
CHOICES_SHOWN = 20
_NAME = 100


def read_rejection(result: Mapping[str, Any]) -> Rejection:
    """Return the reason in a record's result: each error with its code, its field, what Zoho expects and says.

    All of it is fit to be shown: one line without control characters, and of bounded length.
    """
    details = _mapping(result.get("details"))
    code = plain_words(result.get("code"), _NAME) or "UNKNOWN"
    several = [one for one in details.get("errors") or () if isinstance(one, dict)]
    if several:
        first, *others = (one for error in several for one in read_rejection(error).errors)
        around = plain_words(result.get("message"))
        message = f"{around}; {first.message}".strip("; ") if says_more(code, around) else first.message
        return replace(first, message=message, others=tuple(others))
    return Rejection(
        code=code,
        field=_field(details),
        expected=plain_words(", ".join(_expectations(code, details))),
        message=_words(result.get("message"), details),
        related=_related(details),
        record=_other_record(details) if code == "DUPLICATE_DATA" else "",
    )


def rejection_of(error: RequestError | ServerFaultError) -> Rejection:
    """Return the reason in a refusal of a whole call that one record has caused."""
    details = error.details if isinstance(error, RequestError) else {}
    return read_rejection({"code": error.code or "INTERNAL_ERROR", "details": details, "message": error.words})


def named_row(error: RequestError | ServerFaultError) -> int | None:
    """Return the position in the call of the record that a refusal of the whole call names; None if it names none."""
    details = error.details if isinstance(error, RequestError) else {}
    errors = [details, *(_mapping(one.get("details")) for one in details.get("errors") or () if isinstance(one, dict))]
    found = next((match for one in errors if (match := ROW_PATH.match(str(one.get("json_path") or "")))), None)
    return int(found[1]) if found else None


def alike(outcomes: Iterable[object]) -> Rejection | None:
    """Return what some outcomes have in common; None if one is no rejection, or has another cause than the others.

    Zoho's words are in it if they are the same for all.
    """
    first, *others = outcomes
    if not isinstance(first, Rejection):
        return None
    common = first
    for one in others:
        if not isinstance(one, Rejection) or one.cause != first.cause:
            return None
        if (one.expected, one.words) != (first.expected, first.words):
            common = Rejection(first.code, first.field)
    return common


def stop_if_all_refused(stream: str, outcomes: Mapping[str, object], landed: int) -> None:
    """Raise an error if what is wrong with the records of a batch is not theirs: then nothing of it is to be noted.

    Args:
        stream: whose records they are.
        outcomes: of the records that were sent, by key.
        landed: how many records of the stream are in Zoho as they should be, as far as the run has met them.

    Raises:
        AllRefusedError: if there are ten or more, Zoho refused all of them for one cause, and none has landed before;
            not for want of room, which is said elsewhere, and leaves other records to be updated.
    """
    if landed or len(outcomes) < ALL_REFUSED or (common := alike(outcomes.values())) is None:
        return
    if common.code == STORAGE_FULL:
        return
    raise AllRefusedError(
        f"Zoho refused all {len(outcomes)} records of {stream} that were sent, for one reason: {common}. Put right in "
        "Zoho what it names, or change the setting that is about it (extra_fields, stage_map, pipeline); then run "
        "again, and all of them come again."
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _field(details: Mapping[str, Any]) -> str:
    """Return the API name of the field; a part of one, such as the id of a lookup, is named by its path."""
    name, path = details.get("api_name"), _path(details)
    return plain_words(path[0] if path and name in {None, "", "id"} else name, _NAME)


def _related(details: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields on the path to the one that is refused, and the one that it depends on."""
    dependee = _mapping(details.get("dependee")).get("api_name")
    names = dict.fromkeys([*_path(details), *([dependee] if isinstance(dependee, str) else [])])
    return tuple(name for name in names if name != _field(details))


def _path(details: Mapping[str, Any]) -> list[str]:
    path = str(details.get("json_path") or "")
    return [name for name in ROW_PATH.sub("", path).split(".") if name] if ROW_PATH.match(path) else []


def _expectations(code: str, details: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{name} {details[name]}" for name in EXPECTATIONS if name in details)
    if isinstance(details.get("supported_values"), list):
        yield "one of " + ", ".join(str(value) for value in details["supported_values"][:CHOICES_SHOWN])
    if code == "MANDATORY_NOT_FOUND":
        yield "a value"
    elif code == "DUPLICATE_DATA":
        other = _other_record(details)
        yield f"a value that record {other} does not have" if other else "a value that no other record has"


def _other_record(details: Mapping[str, Any]) -> str:
    return plain_words(str(_mapping(details.get("duplicate_record")).get("id") or details.get("id") or ""), _NAME)


def _words(message: object, details: Mapping[str, Any]) -> str:
    """Return Zoho's message, with the name of the rule that the record breaks, where Zoho gives it."""
    rules = [value for name, value in details.items() if "rule" in name]
    names = [_mapping(rule).get("name", rule) for rule in rules]
    named = [f"(rule “{plain_words(name, _NAME)}”)" for name in names if isinstance(name, str)]
    return " ".join([plain_words(message), *named]).strip()
