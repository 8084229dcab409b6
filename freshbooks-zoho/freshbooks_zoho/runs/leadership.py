"""Which of the processes that share a store makes the runs: the one that holds the lease."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import secrets
import socket
import time
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from singer_store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from singer_store import Lease, Store

TTL = timedelta(seconds=20)
RENEW_SECONDS = 5.0
MARGIN_SECONDS = 3.0
"""What the leader has started ends at least so long before the lease that allowed it."""

logger = logging.getLogger(__name__)


def lease_of(account: str) -> str:
    """Return the name of the lease for an account's runs: businesses in one store do not wait for each other."""
    return f"conductor {account}"


class Leadership:
    """This process' claim to lead.

    Args:
        store: where the lease is.
        account: the FreshBooks account whose runs are made.
        renewed: is called after each renewal.

    Attributes:
        owner: what this process calls itself in the lease.
        is_held: whether it leads.
        problem: why the lease can be neither had nor renewed, a sentence; None if nothing is wrong.
    """

    def __init__(self, store: Store, account: str, renewed: Callable[[], None] = lambda: None) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{_machine()}.{secrets.token_hex(4)}"
        self._store, self._name = store, lease_of(account)
        self._renewed = renewed
        self._lease: Lease | None = None
        self._until = 0.0
        self._dead: int | None = None
        self.problem: str | None = None

    @property
    def is_held(self) -> bool:
        """Whether this process leads."""
        return self._lease is not None

    @property
    def seconds_left(self) -> float:
        """For how long what it starts may run unless the lease is renewed."""
        return max(self._until - time.monotonic(), 0.0)

    async def acquire(self) -> bool:
        """Take the lease, if nobody else holds it.

        A process of this machine that has died is not waited for longer than what it started takes to die with it.
        """
        asked = time.monotonic()
        try:
            self._lease = await asyncio.to_thread(self._take)
        except StoreError as error:
            self.problem = f"The lease cannot be asked for: {error}"
            logger.warning("%s", self.problem)
            return False
        self.problem = None
        if self._lease is None:
            return False
        self._count_from(asked)
        logger.info("This process makes the runs now (lease %s).", self._lease.fence)
        return True

    def _take(self) -> Lease | None:
        taken = self._store.leases.acquire(self._name, self.owner, TTL)
        if taken is not None:
            return taken
        holder = self._store.leases.last(self._name)
        if holder is None or not is_dead(holder.owner):
            return None
        if holder.fence != self._dead:
            # What it has started may still be dying: the next look, some seconds from now, decides.
            self._dead = holder.fence
            return None
        logger.info("The process that made the runs has died.")
        self._store.leases.release(holder)
        return self._store.leases.acquire(self._name, self.owner, TTL)

    async def keep(self) -> None:
        """Renew the lease; this ends when it is lost."""
        while self._lease is not None:
            await asyncio.sleep(RENEW_SECONDS)
            asked = time.monotonic()
            try:
                self._lease = await asyncio.to_thread(self._store.leases.renew, self._lease, TTL)
            except StoreError as error:
                self.problem = f"The lease cannot be renewed: {error}"
                logger.warning("%s", self.problem)
                if not self.seconds_left:
                    self._lease = None
                continue
            self.problem = None
            if self._lease is not None:
                self._count_from(asked)
                self._renewed()
        logger.warning("The lease is lost; another process may make the runs now.")

    async def release(self) -> None:
        """Give the lease back, so that nobody has to wait for its end."""
        lease, self._lease = self._lease, None
        if lease is not None:
            with contextlib.suppress(StoreError):
                await asyncio.to_thread(self._store.leases.release, lease)

    def _count_from(self, asked: float) -> None:
        # The lease ends so long after the store wrote it, which was not before it was asked to.
        self._until = asked + TTL.total_seconds() - MARGIN_SECONDS


def is_dead(owner: str) -> bool:
    """Say whether the owner of a lease is known to have died: only of a process of this machine can that be said."""
    number, _, place = owner.partition(":")[2].partition(":")
    if not _machine() or place.partition(".")[0] != _machine():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        # It lives, as somebody else's.
        return False
    return False


@cache
def _machine() -> str:
    """Give what tells the processes of this machine, since it was started, from others of the same number.

    Of a container, too: each has a process 1. Empty where that cannot be told; only Linux says.
    """
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii")
        return hashlib.sha256(f"{boot}{Path('/proc/self/ns/pid').readlink()}".encode()).hexdigest()[:12]
    return ""
