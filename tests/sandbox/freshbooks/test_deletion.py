"""Deleting, archiving and restoring, and the phases of a PUT."""

from __future__ import annotations

import pytest
from support.freshbooks import LINE, errno, made


@pytest.fixture
def records(books):
    client = books.create_client(fname="Ann")["id"]
    invoice = books.create_invoice(client, [LINE], action_mark_as_sent=True)["id"]
    return {"clients": client, "invoices": invoice, "payments": books.create_payment(invoice, 40)["id"]}


@pytest.mark.parametrize("stream", ["clients", "invoices", "payments"])
def test_a_deleted_record_leaves_the_list_and_can_still_be_read(api, records, stream):
    number = records[stream]
    assert made(api.update(stream, number, vis_state=1))["vis_state"] == 1
    assert api.ids(stream) == []
    assert api.get(stream, number)["vis_state"] == 1
    assert made(api.update(stream, number, vis_state=0))["vis_state"] == 0
    assert api.ids(stream) == [number]


def test_an_archived_record_stays_in_the_list(api, books, records):
    assert books.archive("invoices", records["invoices"])["vis_state"] == 2
    assert api.ids("invoices") == [records["invoices"]]


def test_invoices_know_the_verb_and_the_others_do_not(api, records):
    answer = api.request("DELETE", api.path("invoices", records["invoices"]))
    assert answer.status_code == 200
    assert api.get("invoices", records["invoices"])["vis_state"] == 1
    assert api.request("DELETE", api.path("clients", records["clients"])).status_code == 405


def test_what_belongs_to_a_deleted_record_stays(api, books, records):
    books.delete_invoice(records["invoices"])
    books.delete_client(records["clients"])
    assert api.ids("payments") == [records["payments"]]
    invoice = api.get("invoices", records["invoices"])
    assert (invoice["v3_status"], invoice["outstanding"]["amount"]) == ("partial", "60.00")


def test_a_put_does_one_thing_and_drops_the_rest(api, records):
    invoice = made(api.update("invoices", records["invoices"], vis_state=2, notes="lost", action_mark_as_sent=True))
    assert (invoice["vis_state"], invoice["notes"]) == (2, "")
    invoice = made(api.update("invoices", records["invoices"], action_mark_as_sent=True, notes="lost"))
    assert invoice["notes"] == ""
    invoice = made(api.update("invoices", records["invoices"], ext_vis_state=1, vis_state=1))
    assert (invoice["ext_archive"], invoice["vis_state"]) == (1, 2)
    assert made(api.update("invoices", records["invoices"], notes="kept"))["notes"] == "kept"


def test_a_deleted_record_is_restored_before_it_is_changed(api, books, records):
    books.delete_client(records["clients"])
    assert errno(api.update("clients", records["clients"], fname="B")) == (422, 1011)
    assert errno(api.update("clients", records["clients"], vis_state=3)) == (422, 1004)
    books.undelete("clients", records["clients"])
    assert made(api.update("clients", records["clients"], fname="B"))["fname"] == "B"
