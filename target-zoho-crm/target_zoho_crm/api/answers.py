"""What an answer of the CRM API means: bytes and a status in, a result or the right error out; no network.

Statuses and bodies are those of the CRM API's page "Status Codes" and of the pages of the calls.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import simplejson  # type: ignore[import-untyped]

from target_zoho_crm.api.auth import CONNECT, safe_code
from target_zoho_crm.api.retries import AgainError
from target_zoho_crm.api.scopes import scope_of
from target_zoho_crm.errors import (
    PermissionDeniedError,
    QuotaError,
    RequestError,
    ScopeError,
    ServerFaultError,
    UnavailableError,
    ZohoError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_CONTENT, REDIRECTION, NOT_MODIFIED = 204, 300, 304
UNAUTHORIZED, FORBIDDEN, TOO_LARGE, TOO_MANY, SERVER_ERROR = 401, 403, 413, 429, 500

TOKEN_CODES = frozenset({"INVALID_TOKEN", "INVALID_OAUTHTOKEN", "AUTHENTICATION_FAILURE"})
THROTTLE_CODES = frozenset({"TOO_MANY_REQUESTS", "RATE_LIMIT_EXCEEDED"})
PERMISSION_CODES = frozenset({"NO_PERMISSION", "AUTHORIZATION_FAILED"})
REQUEST_CODES = PERMISSION_CODES | {
    "FEATURE_NOT_ENABLED",
    "FEATURE_NOT_SUPPORTED",
    "INVALID_MODULE",
    "INVALID_REQUEST_METHOD",
    "INVALID_URL_PATTERN",
    "LIMIT_EXCEEDED",
    "LIMIT_REACHED",
    "NOT_SUPPORTED",
    "OAUTH_SCOPE_MISMATCH",
    "REQUIRED_PARAM_MISSING",
}
"""Codes that are about the caller, the module or a quota, unless a record is named beside them."""
ROW_PATH = re.compile(r"\$\.data\[(\d+)\]")
"""How a `json_path` begins that names a record: ``$.data[6].Phone``; ``$.data`` and ``$.trigger`` are the request's."""
_ENVELOPE = re.compile(r"\$\.(?:data|trigger|duplicate_check_fields|\w+_feature_execution)\b")
LONGEST_WORDS = 300
"""Characters of Zoho's own words that are kept."""
_LONGEST_NAME = 80

SAFE_DETAILS = (
    "api_name",
    "json_path",
    "param_name",
    "expected_data_type",
    "maximum_length",
    "limit",
    "column_name",
    "resource_path_index",
)
"""Details that hold names and numbers of Zoho's, never a value of a record."""


@dataclass(frozen=True)
class Answer:
    """What Zoho answered: 2xx, 304, or a refusal with a result per record."""

    status: int
    body: Any
    """Parsed JSON, numbers with a fraction as Decimal; None for 204 and 304."""


class TokenRefusedError(Exception):
    """Zoho does not accept the access token."""


def encode(body: Any) -> bytes:
    """Write a body as JSON; a Decimal becomes a number with exactly its digits, never by way of a float.

    Raises:
        ValueError: for a number that is none (NaN, infinity).
    """
    return bytes(simplejson.dumps(body, default=_number, use_decimal=False, allow_nan=False).encode())


def _number(value: Any) -> Any:
    if not isinstance(value, Decimal):
        raise TypeError(f"a {type(value).__name__} cannot be sent to Zoho")
    if not value.is_finite():
        raise ValueError("an amount that is no number cannot be sent to Zoho")
    return simplejson.RawJSON(format(value, "f"))


def judge(method: str, path: str, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """Return the answer, if it is one to work with.

    An answer with a result per record is, whatever its status: 200, 201, 207 and 400 all come with such results.

    Raises:
        AgainError: if the call may succeed later.
        TokenRefusedError: if another token is needed.
        ScopeError: if the consent does not cover the call.
        PermissionDeniedError: if the user may not make it.
        RequestError: if Zoho refuses it for another reason.
    """
    if status in {NO_CONTENT, NOT_MODIFIED}:
        return Answer(status, None)
    body = _parse(content)
    code = error_code(body)
    if status == TOO_MANY or code in THROTTLE_CODES:
        raise _throttled(body, headers)
    if status >= SERVER_ERROR or (body is None and status < REDIRECTION):
        raise AgainError(_unusable(method, path, status, body), wait=retry_after(headers), unanswered=True)
    if code == "OAUTH_SCOPE_MISMATCH":
        raise ScopeError(f"The consent given to Zoho lacks the scope {scope_of(method, path)}. {CONNECT}")
    if status == UNAUTHORIZED or code in TOKEN_CODES:
        raise TokenRefusedError
    if code is None and body is not None and (status < REDIRECTION or _has_results(body)):
        return Answer(status, body)
    raise refusal(method, path, status, {**(body or {}), "code": code})


def _parse(content: bytes) -> dict[str, Any] | None:
    """Parse a body; None if it is no JSON object, such as an HTML page or half an answer."""
    try:
        body = json.loads(content, parse_float=Decimal)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _has_results(body: Mapping[str, Any]) -> bool:
    return any(isinstance(value, list) for value in body.values())


def error_code(body: Mapping[str, Any] | None) -> str | None:
    """Return the code of a whole request's refusal; of a wrapped one too, if it is about the caller."""
    if body is None:
        return None
    if "code" in body:
        code = body["code"] if isinstance(body["code"], str) else body.get("error", body["code"])
        return None if body.get("status") == "success" else str(code)
    for results in body.values():
        first = results[0] if isinstance(results, list) and results else None
        code = first.get("code") if isinstance(first, dict) else None
        if code == "OAUTH_SCOPE_MISMATCH" or code in TOKEN_CODES or code in THROTTLE_CODES:
            return str(code)
    return None


def _throttled(body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> AgainError:
    """Return the error for a refusal that came for too much: the day has no credits left, or too many calls at a time.

    Zoho's newer bodies give the code only; older ones say "for the past 24 hours" or "in concurrent". The header comes
    once half of the credits are used.
    """
    said = " ".join(str(body.get(key, "")) for key in ("message", "error_info", "info")) if body else ""
    if "24 hours" in said or headers.get("X-API-CREDITS-REMAINING") == "0":
        return AgainError(
            QuotaError(
                "The organization's API credits of the last 24 hours are used up; run again later, or less often, or "
                "buy credits (Zoho CRM, Setup, Developer Hub, APIs)."
            ),
            hopeless=True,
        )
    advice = "lower max_parallel_requests"
    if "concurrent" not in said:
        advice += ", or, if the credits of the day are used up (Zoho CRM, Setup, Developer Hub, APIs), run again later"
    return AgainError(
        QuotaError(f"Zoho kept answering that there are too many requests; {advice}."), wait=retry_after(headers)
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the header asks to wait; Zoho documents none, and dates are passed over."""
    text = headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdigit() else None


def _unusable(method: str, path: str, status: int, body: Mapping[str, Any] | None) -> UnavailableError:
    """Return the error for an answer that says nothing about the request."""
    code = error_code(body)
    named = f"{status}, {safe_code(code)}" if code else str(status)
    sentence = f"Zoho gave no usable answer to {method} {path} ({named}) in several attempts; run again later."
    if status != SERVER_ERROR:
        return UnavailableError(sentence)
    return ServerFaultError(
        sentence, status=status, code=safe_code(code or ""), words=plain_words((body or {}).get("message"))
    )


def refusal(method: str, path: str, status: int, error: Mapping[str, Any]) -> ZohoError:
    """Return what to raise for a refusal of a whole request.

    Args:
        method: of the request.
        path: of the request, below `/crm/v8/`.
        status: the HTTP status.
        error: Zoho's error: `code`, `details` and `message`, as far as it has them.

    Returns:
        A PermissionDeniedError that names the permission, as far as Zoho does, or a RequestError. Zoho's words are in
        its message only where they are about the request; those about a record may quote it.
    """
    details = error.get("details")
    details = details if isinstance(details, dict) else {}
    named, words = error.get("code"), plain_words(error.get("message"))
    if named in PERMISSION_CODES or (status == FORBIDDEN and named is None):
        return _denied(method, path, details, words)
    code = safe_code(str(named or f"HTTP {status}"))
    path_in_body = str(details.get("json_path") or "")
    # What has no code is not from the CRM; that a body is too large is cured by sending less of it.
    # A 403 is about the caller: a locked subscription, say, or a rule about addresses, by whatever code.
    of_the_request = named in REQUEST_CODES or status == FORBIDDEN or (named is None and status != TOO_LARGE)
    about_request = not ROW_PATH.match(path_in_body) and (of_the_request or bool(_ENVELOPE.match(path_in_body)))
    known = ", ".join(
        f"{name} {plain_words(str(details[name]), _LONGEST_NAME)}" for name in SAFE_DETAILS if name in details
    )
    sentence = f"Zoho refused {method} {path} with {code} ({status})" + (f": {known}." if known else ".")
    return RequestError(
        sentence + (_quoted(words) if about_request or method == "GET" else ""),
        status=status,
        code=code,
        details=details,
        words=words,
        about_request=about_request,
    )


def _denied(method: str, path: str, details: Mapping[str, Any], words: str) -> PermissionDeniedError:
    permissions = details.get("permissions") or []
    listed = permissions if isinstance(permissions, list) else str(permissions).split(",")
    named = ", ".join(plain_words(str(one), _LONGEST_NAME) for one in listed)
    what = f"the permission {named}" if named else "a permission"
    return PermissionDeniedError(
        f"Zoho refused {method} {path}: the user who gave the consent lacks {what}; grant it to the user's profile "
        f"(Zoho CRM, Setup, Users and Control, Security Control), or give consent as an administrator.{_quoted(words)}"
    )


def _quoted(words: str) -> str:
    return f" Zoho's words: “{words}”." if words else ""


def plain_words(text: object, longest: int = LONGEST_WORDS) -> str:
    """Return a text of Zoho's as one line that can be shown: no control characters, and not longer than `longest`."""
    if not isinstance(text, str):
        return ""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
