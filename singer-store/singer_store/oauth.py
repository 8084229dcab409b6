"""One POST to a token endpoint, which tells exactly whether anything was sent."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import requests

from singer_store.errors import RefreshNotSent, RefreshUnanswered

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Body(io.BytesIO):
    """A request body that remembers whether anybody has begun to send it."""

    begun = False

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        self.begun = True
        return super().read(size)


def post_form(url: str, form: Mapping[str, str], *, timeout: float | tuple[float, float]) -> requests.Response:
    """Make one POST of a form, without any retry and without following redirects.

    A refresh token that can be used once must never be sent twice by accident. The token is in the body, so the moment
    its first byte is read is the line between "not sent" and "perhaps received".

    Args:
        url: The token endpoint.
        form: The fields, sent as ``application/x-www-form-urlencoded``.
        timeout: Seconds, for connecting and for each wait for data.

    Returns:
        The whole answer, whatever its status.

    Raises:
        RefreshNotSent: When the body never left this machine.
        RefreshUnanswered: When it may have, and no whole answer came back.
    """
    body = _Body(urlencode(form).encode())
    host = urlsplit(url).hostname
    # A session of its own: no kept-alive connection that might turn out dead, no credentials from ~/.netrc.
    with requests.Session() as session:
        session.auth = _no_auth
        try:
            return session.post(
                url,
                data=body,
                headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
                timeout=timeout,
                allow_redirects=False,
            )
        except (requests.RequestException, ValueError, OSError) as error:
            # The exception's text may hold what was sent; its class says enough.
            if body.begun:
                raise RefreshUnanswered(f"{host} gave no whole answer ({type(error).__name__}).") from None
            raise RefreshNotSent(f"{host} could not be reached ({type(error).__name__}).") from None


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
