"""FreshBooks' side of OAuth2: what one token refresh sends and what its answer means.

https://www.freshbooks.com/api/authentication: access tokens live 12 hours; a refresh token is used up by being used,
and every answer brings the next one. The store's broker sees to it that one is sent once.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from singer_store import (
    Authorizer,
    ClientRefusedError,
    Grant,
    RefreshRefused,
    RefreshUnanswered,
    RefreshUnavailableError,
)
from singer_store.oauth import post_form
from tap_freshbooks.errors import problems
from tap_freshbooks.limits import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from singer_store import Broker, Store
    from tap_freshbooks.settings import Settings

__all__ = ["Authorizer", "given_by", "grant_of", "open_broker", "refresher"]

TOKEN_PATH = "/auth/oauth/token"  # noqa: S105
TIMEOUT = (10.0, 60.0)


def open_broker(store: Store, settings: Settings) -> Broker:
    """Give the store's broker for this app and seed."""
    return store.broker(
        service="freshbooks",
        client_id=settings.client_id,
        seed=settings.refresh_token,
        refresh=refresher(settings),
        rotates=True,
        hint="Connect again with `freshbooks-zoho connect freshbooks`, or set a new refresh_token.",
    )


def refresher(settings: Settings) -> Callable[[str, Mapping[str, str]], Grant]:
    """Make the function that spends a refresh token: one POST, never repeated here.

    FreshBooks wants the redirect URI that consent was given by, so that one is sent, where it is known; the setting is
    for a refresh token out of the settings.
    """

    def refresh(refresh_token: str, details: Mapping[str, str]) -> Grant:
        redirect_uri = details.get("redirect_uri") or settings.redirect_uri
        form = {
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "grant_type": "refresh_token",
            "redirect_uri": redirect_uri,
            "refresh_token": refresh_token,
        }
        answer = post_form(settings.api_url + TOKEN_PATH, form, timeout=TIMEOUT)
        return given_by(redirect_uri, grant_of(answer.status_code, answer.content, answer.headers))

    return refresh


def given_by(redirect_uri: str, grant: Grant) -> Grant:
    """Give a grant that remembers the redirect URI of its consent."""
    return replace(grant, details={**grant.details, "redirect_uri": redirect_uri})


def grant_of(status: int, body: bytes, headers: Mapping[str, str]) -> Grant:
    """Read the answer of the token endpoint.

    Raises:
        RefreshRefused: if the token or code is spent, revoked or unknown.
        ClientRefusedError: if the client ID or secret is wrong, or anything else of what was sent.
        RefreshUnavailableError: if the server says "not now"; the refresh token is not used up then.
        RefreshUnanswered: if it is no answer at all.
    """
    try:
        payload = json.loads(body)
    except ValueError:
        payload = None
    payload = payload if isinstance(payload, dict) else {}
    if payload.get("access_token"):
        return _grant(payload)
    if status == 429 or status >= 500:  # noqa: PLR2004
        raise RefreshUnavailableError(retry_after(status, headers))
    codes = {problem.code for problem in problems(payload)}
    if "invalid_grant" in codes:
        raise RefreshRefused
    if 400 <= status < 500:  # noqa: PLR2004
        listed = f" ({', '.join(sorted(codes))})" if codes else ""
        raise ClientRefusedError(
            f"FreshBooks refuses the app's credentials{listed}: check client_id, client_secret and redirect_uri "
            "against the app in FreshBooks' developer settings."
        )
    raise RefreshUnanswered(f"FreshBooks answered {status} without an access token.")


def _grant(payload: Mapping[str, Any]) -> Grant:
    created_at = payload.get("created_at")
    return Grant(
        access_token=payload["access_token"],
        refresh_token=payload.get("refresh_token"),
        expires_in=int(payload.get("expires_in") or 43200),
        details={"scope": str(payload["scope"])} if payload.get("scope") else {},
        issued_at=datetime.fromtimestamp(created_at, timezone.utc) if isinstance(created_at, (int, float)) else None,
    )
