"""What became of a record that was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from target_zoho_crm.sync.planning import Rejection


@dataclass(frozen=True)
class Written:
    """A record that is in Zoho as it should be.

    Attributes:
        id: its id in Zoho.
        how: created, updated, linked or deleted; unchanged where nothing was left to be written.
        left_out: the values that Zoho did not take and that were left out: API name → why.
    """

    id: str
    how: str
    left_out: Mapping[str, Rejection] = field(default_factory=dict)


Outcome = Written | Rejection
Outcomes = Callable[[], dict[str, Outcome]]
"""Waits for what became of each record that is being written, by FreshBooks ID."""
