"""Calls to the CRM API: tokens, limits, retries and the account of what was spent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from singer_store import AccessToken
    from typing_extensions import Self

Item = TypeVar("Item")
Result = TypeVar("Result")


class Broker(Protocol):
    """What hands out access tokens: singer_store's broker."""

    def token(self) -> AccessToken:
        """Give a valid token."""

    def renew(self, rejected: AccessToken) -> AccessToken:
        """Give another token after a 401."""


@dataclass(frozen=True)
class Answer:
    """What Zoho answered: 2xx, 304, or a refusal with a result per record."""

    status: int
    body: Any
    """Parsed JSON, numbers with a fraction as Decimal; None for 204 and 304."""


@dataclass(frozen=True)
class Usage:
    """What was spent since the client was made."""

    calls: int = 0
    credits: int = 0
    writes: int = 0
    """Calls that write, each with up to 100 records."""
    credits_remaining: int | None = None
    """What Zoho said last; it tells only once half of the day's credits are used."""


class ZohoClient:
    """The CRM API of one organization; may be used by several threads.

    Args:
        broker: hands out access tokens whose details hold `api_domain`.
        max_parallel: the most calls at a time, below what the edition allows.
        user_agent: the header of that name.
    """

    def __init__(self, broker: Broker, *, max_parallel: int, user_agent: str) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        raise NotImplementedError

    @property
    def usage(self) -> Usage:
        """What was spent so far."""
        raise NotImplementedError

    def set_edition(self, edition: str) -> None:
        """Allow as many calls at a time as the organization's edition does."""
        raise NotImplementedError

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        heavy: bool = False,
    ) -> Answer:
        """Make a call and give its answer.

        An answer whose body holds a result per record (`data`, `fields`, `modules`, `watch`) is given whatever its status:
        walk the results. Any other refusal is raised.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: below `/crm/v8/`, such as `Accounts/upsert`.
            params: the query; never anything secret.
            json: the body; Decimals are sent digit for digit.
            heavy: one of the calls of which Zoho allows ten at a time. COQL and writes of more than ten records are
                counted as such without being told.

        Raises:
            AuthenticationError: if the token, and those made anew, are refused.
            ScopeError: if the consent does not cover the call.
            PermissionDeniedError: if the user may not do this.
            QuotaError: if Zoho goes on saying that too much was asked.
            UnavailableError: if there was no usable answer after several attempts.
            LostAnswerError: if there was none to a call that is not repeatable.
            RequestError: if Zoho refuses the request for another reason.
        """
        raise NotImplementedError

    def query(self, coql: str) -> list[dict[str, Any]]:
        """Give all rows of a COQL query without LIMIT: the first page of 200, the others of 2,000."""
        raise NotImplementedError

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Call a function for each item, several at a time, and give the results in the items' order.

        After the first error nothing more is begun; it is raised when what had begun has ended.
        """
        raise NotImplementedError
