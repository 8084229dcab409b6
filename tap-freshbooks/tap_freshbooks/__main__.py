"""Runs the tap: ``python -m tap_freshbooks``."""

from __future__ import annotations

from tap_freshbooks.tap import TapFreshBooks

TapFreshBooks.cli()
