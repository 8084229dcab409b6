"""What was written last, found again by the destination's record ids."""

from __future__ import annotations

from dataclasses import replace

from singer_store import WrittenRecord


def record(number, **more):
    plain = WrittenRecord(
        "acc", "invoices", str(number), f"55540000{number}", ("Deal_Name", "Amount"), f"digest {number}"
    )
    return replace(plain, **more)


def test_records_are_found_by_the_destinations_id(store):
    store.written.note(record(number) for number in range(1200))

    found = store.written.of_records([f"55540000{number}" for number in range(1300)])
    assert len(found) == 1200
    assert found["5554000077"] == record(77)


def test_records_are_found_by_the_object_too(store):
    store.written.note([record(1), record(2), record(2, account="other", record_id="9")])

    assert store.written.record_ids("acc", "invoices", ["2", "3"]) == {"2": record(2).record_id}
    assert store.written.record_ids("acc", "clients", ["2"]) == {}


def test_children_are_found_by_their_parent(store):
    store.written.note(
        [
            record(1, parent="7"),
            record(2, parent="7"),
            record(3, parent="8"),
            record(4),
            record(5, stream="x", parent="7"),
        ]
    )
    assert store.written.children("acc", "invoices", "7") == {"1": record(1).record_id, "2": record(2).record_id}

    store.written.note([record(1, parent="8"), record(2), record(4, parent="7")])
    assert store.written.children("acc", "invoices", "7") == {"4": record(4).record_id}
    assert store.written.of_records([record(1).record_id])[record(1).record_id].parent == "8"


def test_the_last_writing_counts(store):
    store.written.note([record(1), record(2)])
    store.written.note([record(1, digest="new", record_id="9"), record(2)])

    assert store.written.of_records(["555400001", "555400002", "9"]) == {
        "9": record(1, digest="new", record_id="9"),
        "555400002": record(2),
    }


def test_a_forgotten_record_is_nobodys(store):
    store.written.note([record(1), record(2)])
    store.written.forget("acc", "invoices", ["1"])

    assert list(store.written.of_records(["555400001", "555400002"])) == ["555400002"]


def test_digests_depend_on_the_store(store, sqlite_url, store_key, tmp_path):
    from singer_store import open_store

    with open_store(f"sqlite:///{tmp_path}/other/store.db", store_key) as other:
        assert store.written.digest(b"10.00") == store.written.digest(b"10.00")
        assert store.written.digest(b"10.00") != store.written.digest(b"10.01")
        assert store.written.digest(b"10.00") != other.written.digest(b"10.00")
