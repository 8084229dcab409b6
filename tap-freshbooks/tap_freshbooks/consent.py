"""FreshBooks' side of connecting: the page that asks for consent, the way back from it, the first tokens, their end.

https://www.freshbooks.com/api/authentication: the way back is an HTTPS address without a query, registered with the
app; the code in it is good once, for five minutes. It need not lead anywhere: where no page answers, the browser still
shows the address, and a person can paste it. PKCE is not used: FreshBooks' pages do not mention it.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, urlencode, urlsplit

from singer_store import RefreshNotSent, RefreshRefused, RefreshUnanswered, RefreshUnavailableError
from singer_store.oauth import post_form
from tap_freshbooks.auth import TIMEOUT, TOKEN_PATH, given_by, grant_of
from tap_freshbooks.errors import TapError
from tap_freshbooks.resources import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_store import Grant
    from tap_freshbooks.settings import Settings

SCOPES = ("user:profile:read", *(resource.scope for resource in RESOURCES.values()))
"""What is asked for: to read, nothing else. Webhooks need the scopes of what they are about
(https://www.freshbooks.com/api/webhooks)."""

DEVELOPER_PAGE = "https://my.freshbooks.com/#/developer"
AUTHORIZE_PATH, REVOKE_PATH = "/oauth/authorize", "/auth/oauth/revoke"
_PORTS = {"https": 443, "http": 80}
_LONGEST_CODE = 2048


class ConsentError(TapError):
    """Connecting came to nothing; the text says why, and what to do."""


class PasteError(ConsentError):
    """What was pasted is not the address that it should be; another try may be."""


def authorization_url(settings: Settings, state: str) -> str:
    """Give the page where FreshBooks asks for consent; `state` comes back with the answer."""
    query = {
        "client_id": settings.client_id,
        "response_type": "code",
        "redirect_uri": settings.redirect_uri,
        "scope": " ".join(SCOPES),
        "state": state,
    }
    return f"{settings.auth_url}{AUTHORIZE_PATH}?{urlencode(query)}"


def read_pasted(text: str, *, redirect_uri: str, state: str) -> str:
    """Take the code out of the address that FreshBooks led the browser to.

    A bare code is not taken: only the state beside it says that it answers the question that was asked here, and not
    one that somebody else asked, in order to have their own books connected.

    Raises:
        PasteError: if it is not that address.
        ConsentError: if consent was refused.
    """
    address = "".join(text.split()).strip("'\"<>")
    try:
        parts = urlsplit(address)
        place = _place(parts)
    except ValueError:
        raise PasteError("That is not an address. Paste all that is in the browser's address bar.") from None
    if not parts.scheme or not parts.hostname:
        raise PasteError(
            "That is not a whole address. Paste all that is in the browser's address bar, from https:// on: the code "
            "alone does not show that it belongs to this attempt."
        )
    if parts.path.rstrip("/").endswith(AUTHORIZE_PATH):
        raise PasteError(
            "That is the address of FreshBooks' own page. Agree there first, then paste the address of the page that "
            "it leads to."
        )
    if place != _place(urlsplit(redirect_uri)):
        raise PasteError(
            f"That is another page than the one FreshBooks leads to, whose address begins with {redirect_uri}."
        )
    return read_answer(parse_qs(parts.query, keep_blank_values=True), state=state)


def read_answer(query: Mapping[str, Sequence[str]], *, state: str) -> str:
    """Take the code out of the query that FreshBooks added to the redirect URI.

    Raises:
        PasteError: if it does not belong to this attempt, or holds no code.
        ConsentError: if consent was refused.
    """
    given = _only(query, "state")
    if given is None:
        raise PasteError("That address has no state in it, so it may be another's. Paste the whole address.")
    if not secrets.compare_digest(given.encode("utf-8", "replace"), state.encode()):
        raise PasteError(
            "That address belongs to another attempt. Open the address that is shown here, agree, and paste the "
            "address of the page that it leads to."
        )
    if "error" in query:
        raise ConsentError(refusal(_only(query, "error")))
    code = _only(query, "code")
    if not code or len(code) > _LONGEST_CODE:
        raise PasteError("That address has no code in it. Paste the whole address.")
    return code


def refusal(error: str | None) -> str:
    """Say what FreshBooks' refusal means."""
    if error == "access_denied":
        return "Consent was refused on FreshBooks' page, so nothing is connected. Connect again, and agree there."
    if error == "invalid_scope":
        return f"The app does not have all the scopes that are asked for: {scopes_advice(SCOPES)}"
    return "FreshBooks' page ended with an error, so nothing is connected. Connect again."


def _place(parts: SplitResult) -> tuple[str | None, int | None, str]:
    """Give what makes two addresses the same page.

    https may have become http: FreshBooks' own papers suggest to change it by hand for a server on one's own machine.
    """
    port = parts.port if parts.port not in _PORTS.values() else None
    return parts.hostname, port, parts.path.rstrip("/")


def _only(query: Mapping[str, Sequence[str]], name: str) -> str | None:
    """Give a parameter that is there once."""
    values = query.get(name, ())
    return values[0] if len(values) == 1 else None


def missing_scopes(granted: str | None) -> tuple[str, ...]:
    """Give what a token may not read, of what is needed; nothing where it is not known what it may."""
    if granted is None:
        return ()
    given = set(granted.split())
    return () if "admin:all:legacy" in given else tuple(scope for scope in SCOPES if scope not in given)


def scopes_advice(scopes: Sequence[str]) -> str:
    """Say where scopes that are missing have to be added."""
    return (
        f"add {', '.join(scopes)} to the app in FreshBooks' developer portal ({DEVELOPER_PAGE}), then run "
        "`freshbooks-zoho connect freshbooks` again."
    )


def exchange(settings: Settings, code: str) -> Grant:
    """Change a code for the first tokens; one POST.

    Raises:
        ConsentError: if the code is not taken, or FreshBooks does not answer.
        ClientRefusedError: if the client ID or secret is wrong.
    """
    again = "Run `freshbooks-zoho connect freshbooks` again."
    form = {
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
        "grant_type": "authorization_code",
        "redirect_uri": settings.redirect_uri,
        "code": code,
    }
    try:
        answer = post_form(settings.api_url + TOKEN_PATH, form, timeout=TIMEOUT)
        return given_by(settings.redirect_uri, grant_of(answer.status_code, answer.content, answer.headers))
    except RefreshRefused:
        raise ConsentError(
            f"FreshBooks does not take the code: it is good once, and for five minutes. {again}"
        ) from None
    except RefreshUnavailableError:
        raise ConsentError(f"FreshBooks gives no tokens at the moment. {again}") from None
    except (RefreshNotSent, RefreshUnanswered) as error:
        raise ConsentError(f"FreshBooks gave no tokens: {error} {again}") from None


def revoke(settings: Settings, refresh_token: str) -> None:
    """End a refresh token, and what was made of it; one that has ended already is no error.

    Raises:
        ConsentError: if FreshBooks did not say that it has ended.
    """
    form = {"client_id": settings.client_id, "client_secret": settings.client_secret, "token": refresh_token}
    try:
        answer = post_form(settings.api_url + REVOKE_PATH, form, timeout=TIMEOUT)
        said = None if answer.ok else f"it answered {answer.status_code}."
    except (RefreshNotSent, RefreshUnanswered) as error:
        said = str(error)
    if said is not None:
        raise ConsentError(
            f"FreshBooks did not end the connection: {said} Remove the app in FreshBooks, under Settings, Integrations."
        )
