"""A PostgreSQL server, and a firm's books that are synced, for whoever wants one."""

from support.pipeline import firm  # noqa: F401
from support.postgres import postgres_server, postgres_url  # noqa: F401
