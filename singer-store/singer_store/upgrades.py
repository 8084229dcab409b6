"""How a store of an older release becomes one of this: the steps from each version of the schema to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

STEPS: dict[int, tuple[str, ...]] = {
    2: (
        "ALTER TABLE {schema}written ADD COLUMN parent VARCHAR(200)",
        "CREATE INDEX written_parent ON {schema}written (account, stream, parent)",
        "ALTER TABLE {schema}tokens ADD COLUMN refreshed_on VARCHAR(200)",
        "ALTER TABLE {schema}tokens ADD COLUMN blocked_message TEXT",
    ),
}
"""By the version that it makes, what a step executes; the same SQL on both databases. Steps are never changed."""

SCHEMA_VERSION = max(STEPS)


def bring_up_to_date(connection: Connection, version: int, schema: str | None) -> None:
    """Execute the steps that a store of a version lacks, in the caller's transaction: all of them count, or none.

    Args:
        connection: in a transaction that writes.
        version: of the store.
        schema: that the tables are in; None on SQLite.
    """
    prefix = "" if schema is None else f"{schema}."
    for number in range(version + 1, SCHEMA_VERSION + 1):
        for statement in STEPS[number]:
            connection.exec_driver_sql(statement.format(schema=prefix))
