"""What a service sees of HTTP: a request, a response and a table of routes; no framework in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Handler = TypeVar("Handler", bound="Callable[..., Response]")


class BadRequestError(ValueError):
    """A body that is not what the caller says it is."""


@dataclass(frozen=True)
class Request:
    """One request, as received.

    `query` keeps order and repetitions; header names are lower case; `origin` is ``scheme://host:port``.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    origin: str = ""

    def param(self, name: str, default: str | None = None) -> str | None:
        """Give the first query parameter of that name."""
        return next((value for key, value in self.query if key == name), default)

    def params(self, name: str) -> list[str]:
        """Give all query parameters of that name, in order."""
        return [value for key, value in self.query if key == name]

    def json(self) -> Any:
        """Parse the body as JSON.

        Raises:
            BadRequestError: if it is not JSON.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise BadRequestError(str(error)) from error

    def form(self) -> dict[str, str]:
        """Parse the body as ``application/x-www-form-urlencoded``; the last of repeated names counts."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass
class Response:
    """An answer: a JSON value, or bytes as they are, or nothing (``None``, as for 204)."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    def payload(self) -> bytes:
        """Give the body's bytes."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return dump(self.body)


def dump(value: Any) -> bytes:
    """Write a value as JSON, as compact as it gets."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Mark a method of a service as the handler of a path; ``{name}`` in it matches one segment."""

    def mark(handler: Handler) -> Handler:
        marks = [*getattr(handler, "routes", ()), (method, path)]
        handler.routes = marks  # type: ignore[attr-defined]
        return handler

    return mark


class Routes:
    """The routes of one or more objects whose methods are marked with `route`."""

    def __init__(self, *owners: object) -> None:
        self._table: list[tuple[str, re.Pattern[str], Callable[..., Response]]] = []
        for owner in owners:
            for name in dir(type(owner)):
                for method, path in getattr(getattr(type(owner), name), "routes", ()):
                    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
                    self._table.append((method, re.compile(pattern + "/?"), getattr(owner, name)))

    def find(self, method: str, path: str) -> tuple[Callable[..., Response] | None, dict[str, str], bool]:
        """Find the handler of a path.

        Returns:
            The handler (or None), the named segments, and whether the path exists for another method.
        """
        known = False
        for candidate, pattern, handler in self._table:
            if match := pattern.fullmatch(path):
                if candidate == method:
                    return handler, match.groupdict(), True
                known = True
        return None, {}, known
