"""A store that goes away in the middle of a run ends it with one sentence."""

from __future__ import annotations

from support.pgbouncer import pooler  # noqa: F401
from support.postgres import postgres_server, postgres_url  # noqa: F401


def test_a_database_server_that_stops_in_the_middle_is_one_sentence(box, freshbooks, tap, pooler):  # noqa: F811
    freshbooks.load(clients=250)
    freshbooks.between_pages(pooler.stop, "clients")
    # A token that is refused is renewed, which takes the store.
    path = r".*/users/clients"
    box.faults.add(
        service="freshbooks", path=path, kind="status", status=401, body={"error": "unauthenticated"}, after=1
    )

    done = tap.process(store_url=pooler.url)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    [said] = [line for line in done.stderr.splitlines() if "CRITICAL" in line]
    assert said.endswith(
        "See that the database server runs and can be reached, then run again: what has been stored is not lost."
    )
