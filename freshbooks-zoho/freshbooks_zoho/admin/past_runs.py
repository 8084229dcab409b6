"""Runs as a person sees them, and what they say about how fresh each stream is: decisions only, no I/O.

The store has up to three notes of one run: the companion's (if it made the run), the tap's and the target's. They are
put together by their times, because Meltano tells no plugin which run it is part of. The target's begins with the first
record that reaches it, which may be when the tap has ended.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from freshbooks_zoho.runs.meltano_run import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from singer_store import Run

ON_THE_WAY = timedelta(minutes=1)
"""How long a tap's last record may take to reach a target that is still starting."""


@dataclass(frozen=True)
class PastRun:
    """One run of Meltano that has ended.

    Attributes:
        maker: "serve", or "meltano" for one that somebody, or something else, has started.
        kind: what was read: changes, objects or sweep.
        started_at, finished_at: UTC.
        outcome: ok or failed.
        reason: why it failed, as far as that is known.
        objects: how many it was asked for, where it was for some only.
        counts: what became of the records: created, updated, unchanged, rejected and so on.
        streams: what was read to the end and written.
    """

    maker: Literal["serve", "meltano"]
    kind: str
    started_at: datetime
    finished_at: datetime
    outcome: str
    reason: str = ""
    objects: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    streams: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def ok(self) -> bool:
        """Whether it ended well."""
        return self.outcome == "ok"


def put_together(
    companion: Iterable[Run], tap: Iterable[Run], target: Iterable[Run], account: str | None = None
) -> list[PastRun]:
    """Give the runs, the newest first.

    What the tap alone has noted, although it read something, was not for Zoho: a plan, or another target.

    Args:
        companion: its notes.
        tap: the tap's.
        target: the target's.
        account: whose runs are asked for; None for any.
    """
    made, read = _Spans(companion), _Spans(tap)
    wrote, alone = _followed(list(read), sorted(target, key=lambda run: run.started_at))
    runs = [_by_companion(one, read.with_(one)) for one in made]
    for one, written in zip(read, wrote, strict=True):
        others = account is not None and one.summary.get("account") not in (None, account)
        counts = written is not None or one.outcome != "ok" or not any(one.summary.get("streams", {}).values())
        if counts and not others and made.with_(one) is None:
            runs.append(_by_meltano(one, written))
    runs += [_of_target(one) for one in alone if made.with_(one) is None]
    return sorted(runs, key=lambda run: run.started_at, reverse=True)


def _followed(read: Sequence[Run], written: Iterable[Run]) -> tuple[list[Run | None], list[Run]]:
    """Give the target's note for each of the tap's, and those of the target that belong to none; all by their start."""
    starts = [run.started_at for run in read]
    found: list[Run | None] = [None] * len(read)
    alone = []
    for run in written:
        last = bisect_right(starts, run.started_at) - 1
        if last >= 0 and found[last] is None and run.started_at - read[last].finished_at <= ON_THE_WAY:
            found[last] = run
        else:
            alone.append(run)
    return found, alone


def read_at(runs: Iterable[PastRun], stream: str) -> datetime | None:
    """Give the moment up to which Zoho has what FreshBooks says of a stream; None if no run tells."""
    return max((run.started_at for run in runs if stream in run.streams), default=None)


class _Spans:
    """Runs of one plugin, which do not overlap each other."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs: Sequence[Run] = sorted(runs, key=lambda run: run.started_at)
        self._starts = [run.started_at for run in self._runs]

    def __iter__(self) -> Any:
        return iter(self._runs)

    def with_(self, other: Run) -> Run | None:
        """Give the one that went on at the same time as another plugin's."""
        before = bisect_right(self._starts, other.finished_at)
        found = self._runs[before - 1] if before else None
        return found if found is not None and found.finished_at >= other.started_at else None


def _by_companion(run: Run, read: Run | None) -> PastRun:
    kind = str(run.summary.get("kind", ""))
    streams = tuple(read.summary.get("streams", STREAMS)) if read is not None else STREAMS
    return PastRun(
        maker="serve",
        kind=kind,
        started_at=run.started_at,
        finished_at=run.finished_at,
        outcome=run.outcome,
        reason=str(run.summary.get("reason", "")),
        objects=int(run.summary.get("objects", 0)),
        counts=_counts(run.summary.get("target") or {}),
        streams=streams if run.outcome == "ok" and kind != "objects" else (),
    )


def _by_meltano(read: Run, wrote: Run | None) -> PastRun:
    ok = read.outcome == "ok" and (wrote is None or wrote.outcome == "ok")
    kind = str(read.summary.get("kind", ""))
    failed = [name for name, run in (("extractor", read), ("loader", wrote)) if run and run.outcome != "ok"]
    return PastRun(
        maker="meltano",
        kind=kind,
        started_at=read.started_at,
        finished_at=max(run.finished_at for run in (read, wrote) if run),
        outcome="ok" if ok else "failed",
        reason=f"the {' and the '.join(failed)} failed" if failed else "",
        counts=_counts(wrote.summary if wrote else {}),
        streams=tuple(read.summary.get("streams", ())) if ok and kind == "changes" else (),
    )


def _of_target(run: Run) -> PastRun:
    reason = "" if run.outcome == "ok" else "the loader failed"
    return PastRun(
        "meltano", "", run.started_at, run.finished_at, run.outcome, reason, counts=_counts(run.summary)
    )  # fmt: skip


def _counts(summary: Mapping[str, Any]) -> dict[str, int]:
    return {name: number for name, number in (summary.get("total") or {}).items() if number}
