"""An object still to sync, in words: how it is, why, and what can be done about it. Decisions only, no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from freshbooks_zoho.admin.advice import Refusal, advise, needs_a_person
from freshbooks_zoho.admin.wording import counted, span
from freshbooks_zoho.runs.schedule import PROMPT
from freshbooks_zoho.settings import PLUGIN
from singer_store import SET_ASIDE
from target_zoho_crm.api.answers import plain_words

if TYPE_CHECKING:
    from datetime import datetime

    from singer_store import PendingObject

LONGEST = 2000
"""Characters of the words about an object: several errors, each with its own."""

State = Literal["rejected", "ambiguous", "set aside", "waits for its parent", "queued", "asked for again"]


@dataclass(frozen=True)
class ObjectStatus:
    """An object still to sync, and what can be done about it.

    Attributes:
        account, stream, id: which one.
        state: in which way it is still to sync.
        refusal: why the last attempt failed; None if there was none.
        hint: what to do about that.
        needs_a_person: whether waiting will not help.
        since: when it was asked for.
        attempts: how many have failed.
        next_try: when it is tried again by itself; None is with the next run, or `SET_ASIDE` not at all.
        waits_for: its parent, such as ``clients:123``.
        candidates: ids of the accounts in Zoho that it may be.
    """

    account: str
    stream: str
    id: str
    state: State
    refusal: Refusal | None
    hint: str
    needs_a_person: bool
    since: datetime
    attempts: int
    next_try: datetime | None
    waits_for: str | None
    candidates: tuple[str, ...]

    @property
    def retry(self) -> str:
        """The command that syncs it again."""
        return f"{PLUGIN} retry {self.stream} {self.id}"


_STATES: dict[str, State] = {
    "ambiguous": "ambiguous",
    "parent": "waits for its parent",
    **dict.fromkeys(PROMPT, "queued"),
    "retry": "asked for again",
}


def read_object(one: PendingObject) -> ObjectStatus:
    """Return how an object still to sync is, and what can be done about it."""
    refusal = _refusal(one)
    aside = one.next_try == SET_ASIDE
    on_its_way = one.reason == "parent" or (one.reason in PROMPT and one.next_try is None)
    return ObjectStatus(
        account=one.account,
        stream=one.stream,
        id=one.object_id,
        state="set aside" if aside else _STATES.get(one.reason, "rejected"),
        refusal=refusal,
        hint=advise(refusal, f"{one.account}:{one.object_id}", one.waits_for) if refusal else "",
        needs_a_person=aside or (not on_its_way and needs_a_person(refusal, one.attempts)),
        since=one.queued_at,
        attempts=one.attempts,
        next_try=one.next_try,
        waits_for=one.waits_for,
        candidates=tuple(re.findall(r"\d+", refusal.expected)) if refusal and refusal.code == "AMBIGUOUS" else (),
    )


def _refusal(one: PendingObject) -> Refusal | None:
    if one.error is None:
        return None
    # What is in the store may be from an older release, which took Zoho's words as they came.
    error = {name: plain_words(str(value), LONGEST) for name, value in one.error.items() if value is not None}
    return Refusal(
        error.get("code", "UNKNOWN"), error.get("field", ""), error.get("expected", ""), error.get("message", "")
    )


def describe(one: ObjectStatus) -> str:
    """Return why an object is still to sync, in one line."""
    if one.state == "waits for its parent" and one.waits_for:
        return f"waits for {one.waits_for.replace('s:', ' ')}"
    if one.state == "ambiguous" and one.candidates:
        return f"matches several accounts: {', '.join(one.candidates)}"
    if one.refusal is None:
        return one.state
    why = one.refusal.code + (f" in {one.refusal.field}" if one.refusal.field else "")
    if one.refusal.expected:
        why += f", expected: {one.refusal.expected}"
    if one.refusal.says_more:
        why += f": “{one.refusal.message}”"
    return why if one.state == "rejected" else f"{one.state}, before that {why}"


def when(one: ObjectStatus, now: datetime) -> str:
    """Return since when, how often it was tried, and when it is tried again."""
    if one.next_try == SET_ASIDE:
        again = "not tried again by itself"
    elif one.next_try is None or one.next_try <= now:
        again = "next try with the next run"
    else:
        again = f"next try in {span(one.next_try - now)}"
    tried = [counted(one.attempts, "attempt")] if one.attempts else []
    return ", ".join([f"for {span(now - one.since)}", *tried, again])
