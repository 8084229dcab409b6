"""What an answer of the CRM API means: bytes and a status in, a result or the right error out; no network.

Statuses and bodies are those of the CRM API's page "Status Codes" and of the pages of the calls.
"""

from __future__ import annotations

import json
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
    UnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_CONTENT, REDIRECTION, NOT_MODIFIED = 204, 300, 304
UNAUTHORIZED, FORBIDDEN, TOO_MANY, SERVER_ERROR = 401, 403, 429, 500

TOKEN_CODES = frozenset({"INVALID_TOKEN", "INVALID_OAUTHTOKEN", "AUTHENTICATION_FAILURE"})
THROTTLE_CODES = frozenset({"TOO_MANY_REQUESTS", "RATE_LIMIT_EXCEEDED"})
PERMISSION_CODES = frozenset({"NO_PERMISSION", "AUTHORIZATION_FAILED"})

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
    """Give the answer, if it is one to work with.

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
        raise AgainError(
            UnavailableError(
                f"Zoho gave no usable answer to {method} {path} ({status}) in several attempts; run again later."
            ),
            wait=retry_after(headers),
            unanswered=True,
        )
    if code == "OAUTH_SCOPE_MISMATCH":
        raise ScopeError(f"The consent given to Zoho lacks the scope {scope_of(method, path)}. {CONNECT}")
    if status == UNAUTHORIZED or code in TOKEN_CODES:
        raise TokenRefusedError
    if code is None and body is not None and (status < REDIRECTION or _has_results(body)):
        return Answer(status, body)
    details = body.get("details") if body else None
    details = details if isinstance(details, dict) else {}
    if code in PERMISSION_CODES or (status == FORBIDDEN and code is None):
        raise _denied(method, path, details)
    raise _refused(method, path, status, safe_code(code or f"HTTP {status}"), details)


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
    """Give the code of a whole request's refusal; of a wrapped one too, if it is about the caller."""
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
    """Tell a day without credits from too many calls at a time, as far as the answer lets one tell.

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
    """Give the seconds that the header asks to wait; Zoho documents none, and dates are passed over."""
    text = headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdigit() else None


def _denied(method: str, path: str, details: Mapping[str, Any]) -> PermissionDeniedError:
    permissions = details.get("permissions")
    named = ", ".join(safe_code(str(one)) for one in permissions) if isinstance(permissions, list) else ""
    what = f"the permission {named}" if named else "a permission"
    return PermissionDeniedError(
        f"Zoho refused {method} {path}: the user who gave the consent lacks {what}; grant it to the user's profile "
        "(Zoho CRM, Setup, Users and Control, Security Control), or give consent as an administrator."
    )


def _refused(method: str, path: str, status: int, code: str, details: Mapping[str, Any]) -> RequestError:
    known = ", ".join(f"{name} {str(details[name])[:80]}" for name in SAFE_DETAILS if name in details)
    return RequestError(
        f"Zoho refused {method} {path} with {code} ({status})" + (f": {known}." if known else "."),
        status=status,
        code=code,
        details=details,
    )
