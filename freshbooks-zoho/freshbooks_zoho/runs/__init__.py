"""Meltano runs: when, for what, by which process, and how they ended."""
