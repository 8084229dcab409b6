"""Connecting to both services, and ending it."""
