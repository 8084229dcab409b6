"""What other processes do to a store: functions that run in them, and the means to start, stop and end them."""

from __future__ import annotations

import logging
import os
import resource
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from singer_store import Grant, StoreError, open_store, schema
from singer_store.upgrades import bring_up_to_date
from support.forked import context
from support.token_server import refresher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.connection import Connection

    from typing_extensions import Self


def open_as(settings: dict[str, Any], **more: Any) -> Any:
    """Open the store that a test describes in plain values."""
    os.environ["XDG_CONFIG_HOME"] = settings["config"]
    return open_store(settings["store_url"], settings.get("store_key"), **more)


def broker_of(store: Any, settings: dict[str, Any], refresh: Callable[..., Grant] | None = None) -> Any:
    """Give the broker that a test describes in plain values."""
    return store.broker(
        service="freshbooks",
        client_id=settings.get("client_id", "client"),
        seed=settings.get("seed"),
        refresh=refresh or refresher(settings["url"]),
        rotates=settings.get("rotates", True),
    )


def ask_at_once(settings: dict[str, Any], barrier: Any, results: Any) -> None:
    """Open the store and ask for a token at the same moment as the others."""
    try:
        if settings["open_first"]:
            with open_as(settings) as store:
                barrier.wait(timeout=120)
                results.put(broker_of(store, settings).token().value)
        else:
            barrier.wait(timeout=120)
            with open_as(settings) as store:
                results.put(broker_of(store, settings).token().value)
    except BaseException as error:
        results.put(f"{type(error).__name__}: {error}")
        raise


def only_open(settings: dict[str, Any], barrier: Any, results: Any) -> None:
    """Open the store at the same moment as the others."""
    barrier.wait(timeout=120)
    try:
        open_as(settings).close()
    except StoreError as error:
        results.put(f"{type(error).__name__}: {error}")
    else:
        results.put("opened")


def fill_up(settings: dict[str, Any], most: int, results: Any) -> None:
    """Write documents into the store until a file may not become larger than `most` bytes."""
    with open_as(settings) as store:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        try:
            for number in range(1000):
                store.secrets.put("large", str(number), {"text": "x" * 10_000})
        except StoreError as error:
            results.put(f"{type(error).__name__}: {error}")


def write_as(user: int, settings: dict[str, Any], other: dict[str, Any], results: Any) -> None:
    """Open a store and write into it, as another user of the machine."""
    # All modules are loaded by that, for the other user may not be allowed to read them.
    open_as(other).close()
    if os.geteuid() == 0:
        os.setgid(user)
        os.setuid(user)
    try:
        with open_as(settings) as store:
            store.leases.acquire("name", "owner", timedelta(minutes=1))
    except StoreError as error:
        results.put(f"{type(error).__name__}: {error}")
    else:
        results.put("written")


def answer_of(work: Callable[..., None], *arguments: Any) -> str:
    """Let another process do some work that tells one thing; gives that."""
    results = context.SimpleQueue()
    process = context.Process(target=work, args=(*arguments, results))
    process.start()
    process.join()
    return str(results.get())


def all_at_once(number: int, settings: dict[str, Any], work: Callable[..., None] = ask_at_once) -> list[str]:
    """Let that many processes ask for a token, or do other work, at the same moment; gives their answers."""
    barrier, results = context.Barrier(number), context.SimpleQueue()
    processes = [context.Process(target=work, args=(settings, barrier, results)) for _ in range(number)]
    for process in processes:
        process.start()
    answers = [results.get() for _ in processes]
    for process in processes:
        process.join()
        process.close()
    return answers


class _TellAndStop(logging.Handler):
    """Stops the process at the moment it logs a certain line."""

    def __init__(self, line: str, stop: Callable[[], None]) -> None:
        super().__init__(logging.DEBUG)
        self._line, self._stop = line, stop

    def emit(self, record: logging.LogRecord) -> None:
        if self._line in record.getMessage():
            self._stop()


def refresh_until(step: str, settings: dict[str, Any], pipe: Connection) -> None:
    """Ask for a token, and stand still at a step of the refresh until killed.

    Steps: "before sending", "after the answer", "after the commit"; "never" goes through, telling about a signal.
    """

    def stop() -> None:
        pipe.send(step)
        pipe.recv()

    def refresh(token: str, details: Mapping[str, str]) -> Grant:
        if step == "before sending":
            stop()
        grant = refresher(settings["url"])(token)
        if step == "after the answer":
            stop()
        return grant

    log = logging.getLogger("singer_store")
    log.setLevel(logging.DEBUG)
    if step == "after the commit":
        log.addHandler(_TellAndStop("Refreshed the access token", stop))
    log.addHandler(_TellAndStop("Finishing the refresh", lambda: pipe.send("interrupted")))
    with open_as(settings) as store:
        try:
            pipe.send(broker_of(store, settings, refresh).token().value)
        except (StoreError, KeyboardInterrupt) as error:
            pipe.send(type(error).__name__)


def upgrade_until(settings: dict[str, Any], pipe: Connection) -> None:
    """Open an older store, and stand still when all but the commit is done until killed."""

    def stop(*arguments: Any) -> None:
        bring_up_to_date(*arguments)
        pipe.send("before the commit")
        pipe.recv()

    schema.bring_up_to_date = stop
    open_as(settings)


class Other:
    """Another process, in the middle of something. Use with `with`: it is ended in any case."""

    def __init__(self, work: Callable[..., None], *arguments: Any) -> None:
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(*arguments, theirs))
        self.process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def wait(self) -> str:
        """Wait for what it tells."""
        return str(self.pipe.recv())

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.join()

    def __exit__(self, *exc: object) -> None:
        self.kill()
        self.process.close()
        self.pipe.close()


class Refresher(Other):
    """Another process in the middle of a refresh."""

    def __init__(self, step: str, settings: dict[str, Any]) -> None:
        super().__init__(refresh_until, step, settings)


class Upgrader(Other):
    """Another process that brings an older store up to date."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(upgrade_until, settings)
