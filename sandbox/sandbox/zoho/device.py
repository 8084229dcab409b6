"""The device flow, for programs without a browser ("Limited-Input Devices" of Zoho Accounts)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.http import Response, route
from sandbox.zoho.accounts_routes import parameters
from sandbox.zoho.oauth import TokenError
from sandbox.zoho.scopes import split

if TYPE_CHECKING:
    from sandbox.clock import Clock
    from sandbox.http import Request
    from sandbox.zoho.accounts_routes import AccountsRoutes
    from sandbox.zoho.oauth import Accounts
    from sandbox.zoho.switches import Switches

LIFE = timedelta(minutes=5)


@dataclass
class DeviceRequest:
    """One login under way on a device."""

    user_code: str
    device_code: str
    client_id: str
    scopes: frozenset[str]
    offline: bool
    data_centre: str
    expires_at: datetime
    polled_at: datetime | None = None
    user_location: str | None = None
    """The data centre of the user who agreed."""
    denied: bool = False


class Devices:
    """The logins under way, in all data centres."""

    def __init__(self, clock: Clock, accounts: Accounts, switches: Switches) -> None:
        self._clock, self._accounts, self._switches = clock, accounts, switches
        self.requests: dict[str, DeviceRequest] = {}
        """By device code, oldest first."""

    def begin(self, sent: dict[str, str], data_centre: str, wrong_client: str) -> DeviceRequest:
        """Begin a login.

        Raises:
            TokenError: for an unknown client, one of another kind, or a request that is none.
        """
        client = self._accounts.clients.get(sent.get("client_id", ""))
        if client is None or data_centre not in client.data_centres:
            raise TokenError("invalid_client")
        if client.kind != "device":
            raise TokenError(wrong_client)
        if sent.get("grant_type") != "device_request" or not sent.get("scope"):
            raise TokenError("general_error")
        request = DeviceRequest(
            user_code="-".join(secrets.token_hex(2).upper() for _ in range(2)),
            device_code=f"1004.{secrets.token_hex(16)}.{secrets.token_hex(16)}",
            client_id=client.client_id,
            scopes=split(sent["scope"]),
            offline=sent.get("access_type") == "offline",
            data_centre=data_centre,
            expires_at=self._clock.now() + LIFE,
        )
        self.requests[request.device_code] = request
        return request

    @property
    def _interval(self) -> timedelta:
        return timedelta(seconds=self._switches.device_interval)

    def poll(self, sent: dict[str, str], data_centre: str) -> dict[str, Any]:
        """Return the tokens, once the user has agreed.

        Raises:
            TokenError: as long as there are none, or if there will never be any.
        """
        client = self._accounts.client(sent.get("client_id"), sent.get("client_secret"), data_centre)
        if sent.get("grant_type") != "device_token":
            raise TokenError("general_error")
        request = self.requests.get(sent.get("code", ""))
        if request is None or request.client_id != client.client_id:
            raise TokenError("invalid_code")
        if data_centre not in (request.data_centre, request.user_location):
            raise TokenError("invalid_code")
        now, polled_at = self._clock.now(), request.polled_at
        request.polled_at = now
        if now >= request.expires_at:
            raise TokenError("expired")
        if polled_at is not None and now - polled_at < self._interval and data_centre == request.data_centre:
            raise TokenError("slow_down")
        if request.denied:
            raise TokenError("access_denied")
        if request.user_location is None:
            raise TokenError("authorization_pending")
        if request.user_location != data_centre:
            other = TokenError("other_dc")
            other.body["user_location"] = request.user_location
            raise other
        del self.requests[request.device_code]
        return self._accounts.answer(client, request.scopes, data_centre, offline=request.offline)


class DeviceRoutes:
    """The device flow of one data centre."""

    def __init__(self, accounts: AccountsRoutes, devices: Devices, data_centre: str, switches: Switches) -> None:
        self._accounts, self._devices, self._here, self._switches = accounts, devices, data_centre, switches

    @route("POST", "/oauth/v3/device/code")
    def begin(self, request: Request) -> Response:
        """Begin a login: codes for the device and its user; times are in milliseconds."""
        try:
            begun = self._devices.begin(self._sent(request), self._here, self._switches.device_wrong_client)
        except TokenError as refused:
            return Response(200, refused.body)
        return Response(
            body={
                "user_code": begun.user_code,
                "device_code": begun.device_code,
                "interval": int(self._switches.device_interval * 1000),
                "expires_in": int(LIFE.total_seconds() * 1000),
                "verification_url": f"{request.origin}/oauth/v3/device",
            }
        )

    @route("POST", "/oauth/v3/device/token")
    def poll(self, request: Request) -> Response:
        """Answer with the tokens, or with the reason why there are none yet."""
        try:
            body = self._devices.poll(self._sent(request), self._here)
        except TokenError as refused:
            return Response(self._switches.device_status, refused.body)
        return Response(body=self._accounts.with_domain(body))

    def _sent(self, request: Request) -> dict[str, str]:
        return parameters(request) if self._switches.device_form else dict(request.query)
