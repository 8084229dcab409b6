"""What can go wrong, as sentences a user can act on, and FreshBooks' error answers in all their shapes.

A sentence names the stream or object, the HTTP status and FreshBooks' error code. It never carries an answer's body, a
URL, a token, or the text of an error, which may quote what was sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


class TapError(Exception):
    """An error whose text says what happened and what to do."""


class SettingError(TapError):
    """A setting that cannot be used."""


class FreshBooksError(TapError):
    """An answer of FreshBooks that is an error."""

    def __init__(self, sentence: str, *, status: int | None = None, codes: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.status = status
        self.codes = codes


class UnauthorizedError(FreshBooksError):
    """The access token is refused."""


class AccessDeniedError(FreshBooksError):
    """The token is good, but does not allow this: a scope is missing, or the user's role is too small."""


class NotFoundError(FreshBooksError):
    """There is no such object in this account, or no longer."""


class UnreadableObjectError(FreshBooksError):
    """FreshBooks does not give this one object; others are not concerned."""


class InactiveAccountError(FreshBooksError):
    """The subscription of the business has ended or is suspended: nothing can be read before it is renewed."""


class TryAgainError(FreshBooksError):
    """Not now: too many requests, a server in trouble, a broken or an unreadable answer."""

    def __init__(
        self,
        sentence: str,
        *,
        status: int | None = None,
        codes: tuple[str, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence, status=status, codes=codes)
        self.retry_after = retry_after
        """Seconds to wait, where FreshBooks said so."""


CODES = {
    "409": "conflict",
    "500": "unexpected error",
    "1001": "required field",
    "1003": "access denied",
    "1004": "invalid value",
    "1005": "parse error",
    "1011": "deleted resource",
    "1012": "unknown resource",
    "1013": "invalid per_page",
    "1014": "invalid page",
    "1023": "date filter",
    "1024": "number filter",
    "1034": "list filter",
    "1038": "write access denied",
    "1042": "inactive account",
}
"""https://www.freshbooks.com/api/errors"""

_ACCESS = {"1003", "12001", "31001", "41001", "41101"}
_NOT_FOUND = {"1011", "1012", "not_found"}
_INACTIVE = "1042"
_INSUFFICIENT_SCOPE = "insufficient_scope"
_UNAUTHENTICATED = {"unauthenticated", "invalid_token", "unauthorized"}
_TRY_AGAIN = {408, 425, 429}
_UNAVAILABLE = {502, 503, 504}
"""What a gateway answers, whatever was asked for."""
_SAFE = re.compile(r"[A-Za-z0-9_.-]{1,40}")


@dataclass(frozen=True)
class Problem:
    """One error of an answer: its code, and the field it is about."""

    code: str
    field: str | None = None

    def __str__(self) -> str:
        meaning = f" {CODES[self.code]}" if self.code in CODES else ""
        return f"{self.code}{meaning}" + (f" in {self.field}" if self.field else "")


def problems(payload: Any) -> tuple[Problem, ...]:
    """Find the errors in an answer, whichever family of the API it comes from; none if it is not one.

    The shapes: ``response.errors`` (a list, at times an object; also under HTTP 200), ``errors`` of the ledger,
    ``code``/``details`` of the newer API version, ``errno``, ``error`` as text or object, ``error_type``.
    """
    if not isinstance(payload, dict):
        return ()
    response = payload.get("response")
    if isinstance(response, dict) and response.get("errors"):
        return tuple(_problem(error, "errno") for error in _listed(response["errors"]))
    if payload.get("errors"):
        return tuple(found for error in _listed(payload["errors"]) for found in _with_details(error, "errno", "status"))
    if "details" in payload and "code" in payload:
        return _with_details(payload, "code")
    for key in ("errno", "error_type", "error"):
        if payload.get(key):
            return (_problem(payload, key),)
    return ()


def _listed(errors: Any) -> list[Any]:
    return errors if isinstance(errors, list) else [errors]


def _with_details(error: Any, *code_keys: str) -> tuple[Problem, ...]:
    """Read the details of an error, each of which has its own reason or fields, or else the error itself."""
    details = error.get("details") if isinstance(error, dict) else None
    found = [
        Problem(_safe(detail["reason"]) or "unknown", _safe((detail.get("metadata") or {}).get("field")))
        for detail in (details if isinstance(details, list) else [])
        if isinstance(detail, dict) and detail.get("reason")
    ]
    return tuple(found) or (_problem(error, *code_keys),)


def _problem(error: Any, *code_keys: str) -> Problem:
    if not isinstance(error, dict):
        return Problem("unknown")
    code = next((_safe(error[key]) for key in code_keys if error.get(key)), None)
    return Problem(code or "unknown", _safe(error.get("field")))


def _safe(value: Any) -> str | None:
    """Give a code or the name of a field; None where it is anything else, which might say too much."""
    if isinstance(value, (str, int)) and _SAFE.fullmatch(str(value)):
        return str(value)
    return None


def error_of(
    status: int, payload: Any, *, what: str, scope: str, retry_after: float | None = None
) -> FreshBooksError | None:
    """Say what an answer means as an error; None if it is none.

    Args:
        status: the HTTP status.
        payload: the parsed JSON, None where there was none.
        what: the stream or object it is about, as a sentence names it.
        scope: the scope that reading it takes.
        retry_after: seconds that the answer asks to wait.
    """
    found = problems(payload)
    codes = tuple(problem.code for problem in found)
    if status < 300 and not found:  # noqa: PLR2004
        return None
    details = f" ({', '.join(map(str, found))})" if found else ""
    kind, advice = _meaning(status, set(codes), scope)
    sentence = f"{what}: FreshBooks answered {status}{details}{advice}."
    if kind is TryAgainError:
        return TryAgainError(sentence, status=status, codes=codes, retry_after=retry_after)
    return kind(sentence, status=status, codes=codes)


def _meaning(status: int, codes: set[str], scope: str) -> tuple[type[FreshBooksError], str]:  # noqa: PLR0911
    """Return the class of an error, and what its sentence says besides the status."""
    if _INACTIVE in codes:
        return InactiveAccountError, ": the account is inactive; renew the subscription at FreshBooks"
    if status == 401 or (status < 300 and _UNAUTHENTICATED & codes):  # noqa: PLR2004
        return UnauthorizedError, (
            ": it refuses the access token even though it is new. Connect to FreshBooks again (freshbooks-zoho connect "
            "freshbooks, or a new refresh_token)"
        )
    if status == 404 or _NOT_FOUND & codes:  # noqa: PLR2004
        return NotFoundError, ": there is no such object in this account"
    if status in _TRY_AGAIN or status >= 500 or "500" in codes:  # noqa: PLR2004
        return TryAgainError, ""
    if status == 403 or _ACCESS & codes:  # noqa: PLR2004
        return AccessDeniedError, (
            f": this needs the scope {scope} and a user whose role may read it. Add the scope to the app in "
            "FreshBooks' developer settings, then connect again; a connection made before keeps its old scopes"
        )
    if 300 <= status < 400:  # noqa: PLR2004
        return FreshBooksError, ", a redirect, which is not followed: check api_url"
    return FreshBooksError, ""


def inactive(account_id: str, status: str | None = None, error: FreshBooksError | None = None) -> InactiveAccountError:
    """Return the error of an account whose subscription has ended or is suspended.

    Args:
        account_id: of the business.
        status: what FreshBooks calls the state of the subscription.
        error: what it answered, where that is how it was found out.
    """
    why = f" ({status.replace('_', ' ')})" if status else ""
    return InactiveAccountError(
        f"The FreshBooks account {account_id} is inactive{why}: renew the subscription at FreshBooks.",
        status=None if error is None else error.status,
        codes=() if error is None else error.codes,
    )


def concerns_one_object(error: FreshBooksError) -> bool:
    """Return whether an error that a GET by id ended with is about that object, and no reason to stop the run.

    FreshBooks documents its error numbers without the HTTP status that they come with
    (https://www.freshbooks.com/api/errors), so what concerns everything is excluded instead: the consent, the
    subscription, the rate limit, a gateway in trouble, a redirect, and no answer at all.
    """
    if isinstance(error, (UnauthorizedError, InactiveAccountError)) or error.status is None:
        return False
    redirect = 300 <= error.status < 400  # noqa: PLR2004
    return not (redirect or error.status in _TRY_AGAIN | _UNAVAILABLE or _INSUFFICIENT_SCOPE in error.codes)


def unreadable(what: str, error: FreshBooksError) -> UnreadableObjectError:
    """Return the error of one object, made of the one that its GET ended with.

    Args:
        what: the object, as a sentence names it.
        error: that `concerns_one_object`.
    """
    found = ", ".join(str(Problem(code)) for code in error.codes) or "nothing that can be read"
    advice = ": the user who connected may not read it" if isinstance(error, AccessDeniedError) else ""
    return UnreadableObjectError(
        f"{what}: FreshBooks does not give it, it answered {error.status} ({found}){advice}.",
        status=error.status,
        codes=error.codes,
    )


def reason_of(error: FreshBooksError) -> dict[str, str | None]:
    """Return why an object is not given, as the store keeps it: code, field, expected value and message."""
    if isinstance(error, NotFoundError):
        return {"code": "NOT_FOUND", "field": None, "expected": None, "message": "FreshBooks has no such object."}
    known = next((CODES[code] for code in error.codes if code in CODES), None)
    code = known.upper().replace(" ", "_") if known else f"HTTP_{error.status}"
    return {"code": code, "field": None, "expected": None, "message": str(error)}
