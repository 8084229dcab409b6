"""A PostgreSQL server for whoever wants one."""

from support.postgres import postgres_server, postgres_url  # noqa: F401
