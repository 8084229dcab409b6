"""Lists: envelopes, pages, order, filters, includes, and changes between two pages."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.freshbooks import LINE, NOON, errno

from sandbox.freshbooks.query import Page

UTC = timezone.utc


@pytest.fixture
def clients(books):
    return [books.create_client(organization=f"Client {number:02}", fname="Kim")["id"] for number in range(20)]


def test_envelopes_have_their_keys_in_alphabetical_order(api, books):
    assert list(api.result("clients")) == ["clients", "page", "pages", "per_page", "total"]
    assert list(api.result("invoices")) == ["invoices", "page", "pages", "per_page", "total"]
    assert list(api.result("payments")) == ["page", "pages", "payments", "per_page", "total"]


def test_nothing_is_page_one_of_none(api):
    assert api.result("payments") == {"page": 1, "pages": 0, "payments": [], "per_page": 15, "total": 0}


def test_a_page_has_15_records_unless_told_and_100_at_most(api, clients):
    result = api.result("clients")
    assert (len(result["clients"]), result["per_page"], result["pages"], result["total"]) == (15, 15, 2, 20)
    assert api.result("clients", ("per_page", 200))["per_page"] == 100
    assert len(api.result("clients", ("per_page", 7))["clients"]) == 7


def test_page_zero_is_page_one_and_beyond_the_last_there_is_nothing(api, clients):
    assert api.result("clients", ("page", 0)) == api.result("clients", ("page", 1))
    beyond = api.result("clients", ("page", 3))
    assert (beyond["clients"], beyond["page"], beyond["pages"], beyond["total"]) == ([], 3, 2, 20)


def test_a_page_that_is_no_number_is_refused(api):
    assert errno(api.page("clients", ("page", "two"))) == (422, 1014)
    assert errno(api.page("clients", ("page", -1))) == (422, 1014)
    assert errno(api.page("clients", ("per_page", "all"))) == (422, 1013)


@given(st.integers(0, 300), st.integers(1, 120))
def test_the_pages_together_are_the_whole_list(total, size):
    rows = list(range(total))
    first = Page.of([("per_page", str(size))])
    pages = [Page.of([("per_page", str(size)), ("page", str(n))]) for n in range(1, first.pages(total) + 1)]
    assert [row for page in pages for row in page.cut(rows)] == rows
    assert all(page.cut(rows) for page in pages)


def test_the_newest_id_comes_first(api, clients):
    assert api.ids("clients") == clients[::-1]


def test_clients_are_sorted_by_the_fields_that_are_known(api, books, clients):
    books.update_client(clients[4], organization="AAA")
    assert api.ids("clients", ("sort", "organization_name_asc"))[0] == clients[4]
    assert api.ids("clients", ("sort", "organization_name_desc"))[-1] == clients[4]
    assert api.ids("clients", ("sort", "updated_desc"))[0] == clients[4]


def test_invoices_are_sorted_by_invoice_date_alone(api, books, clients):
    dates = ["2026-03-01", "2026-01-01", "2026-02-01"]
    ids = [books.create_invoice(clients[0], create_date=date)["id"] for date in dates]
    assert api.ids("invoices", ("sort", "invoice_date_asc")) == [ids[1], ids[2], ids[0]]
    for ignored in ("create_date_desc", "updated_desc", "updated:asc", "nonsense"):
        assert api.ids("invoices", ("sort", ignored)) == sorted(ids)


def test_filters_that_nobody_knows_are_ignored_silently(api, clients):
    for name in ("search[updated_since]", "search[organization]", "search[fname]", "organization", "date_from"):
        assert len(api.ids("clients", (name, "1900-01-01"))) == 20


def test_filters_are_anded(api, books, clients):
    books.update_client(clients[1], note="VIP")
    books.update_client(clients[2], note="VIP")
    both = (("search[note_like]", "vip"), ("search[organization_like]", "client 02"))
    assert api.ids("clients", *both) == [clients[2]]


def test_lists_are_written_with_brackets_and_may_be_percent_encoded(api, clients):
    wanted = (("search[userids][]", clients[3]), ("search[userids][]", clients[5]))
    assert api.ids("clients", *wanted) == [clients[5], clients[3]]
    raw = f"{api.path('clients')}?search[userids][]={clients[3]}&search%5Buserids%5D%5B%5D={clients[5]}"
    assert api.request("GET", raw).json()["response"]["result"]["total"] == 2
    assert errno(api.page("clients", ("search[userids]", clients[3]))) == (422, 1034)
    assert errno(api.page("clients", ("search[userid][]", clients[3]))) == (422, 1037)
    assert errno(api.page("clients", ("search[userid]", "x"))) == (422, 1024)


def test_updated_ranges_are_days_of_eastern_time_with_an_open_end(api, books):
    """30 June begins at 04:00 UTC in New York."""
    moments = [
        datetime(2026, 6, 30, 3, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 6, 30, 4, tzinfo=UTC),
        datetime(2026, 7, 1, 3, 59, 59, tzinfo=UTC),
        datetime(2026, 7, 1, 4, tzinfo=UTC),
    ]
    ids = []
    for moment in moments:
        with books.at(moment):
            ids.append(books.create_client(fname="A")["id"])
    assert api.ids("clients", ("search[updated_min]", "2026-06-30")) == ids[:0:-1]
    assert api.ids("clients", ("search[updated_max]", "2026-07-01")) == ids[2::-1]
    both = (("search[updated_min]", "2026-06-30"), ("search[updated_max]", "2026-07-01"))
    assert api.ids("clients", *both) == [ids[2], ids[1]]
    books.switches.filter_zone = "utc"
    assert api.ids("clients", ("search[updated_min]", "2026-07-01")) == [ids[3], ids[2]]


def test_a_time_of_day_in_a_range_is_refused_cut_off_or_ignored(api, books):
    with books.at(NOON - timedelta(days=40)):
        books.create_client(fname="A")
    stamp = ("search[updated_min]", "2026-06-30 10:00:00")
    assert errno(api.page("clients", stamp)) == (422, 1023)
    books.switches.timestamp_filter = "truncate"
    assert api.ids("clients", stamp) == []
    books.switches.timestamp_filter = "ignore"
    assert len(api.ids("clients", stamp)) == 1
    assert errno(api.page("clients", ("search[updated_min]", "yesterday"))) == (422, 1023)


def test_deleted_records_are_listed_only_when_asked_for(api, books, clients):
    books.delete_client(clients[0])
    books.archive("clients", clients[1])
    assert clients[0] not in api.ids("clients")
    assert clients[1] in api.ids("clients")
    assert api.ids("clients", ("search[vis_state]", 1)) == [clients[0]]
    assert api.ids("clients", ("search[vis_state]", 2)) == [clients[1]]
    assert len(api.ids("clients", ("search[vis_state]", 0))) == 18
    assert api.ids("clients", ("search[vis_state]", 1), ("search[updated_min]", "2026-06-30")) == [clients[0]]
    assert api.ids("clients", ("search[vis_state]", 1), ("search[updated_min]", "2026-07-01")) == []


def test_the_filters_of_clients(api, books, clients):
    one = books.create_client(fname="Ann", lname="Lee", email="ann@example.com", bus_phone="555-0123", p_city="Oslo")
    for name, value in {
        "userid": one["id"],
        "username": "annlee",
        "email": "ann@example.com",
        "email_like": "ANN@",
        "fname_like": "an",
        "lname_like": "le",
        "phone_like": "0123",
        "address_like": "oslo",
        "user_like": "annlee",
    }.items():
        assert api.ids("clients", (f"search[{name}]", value)) == [one["id"]], name


def test_the_flags_of_clients(api, books, clients):
    drafted, owing, late, rich = clients[:4]
    books.create_invoice(drafted, [LINE])
    books.create_invoice(owing, [LINE], action_mark_as_sent=True)
    books.create_invoice(late, [LINE], create_date="2026-06-01", action_mark_as_sent=True)
    books.create_payment(books.create_invoice(rich, [LINE], action_mark_as_sent=True)["id"], "150")
    assert api.ids("clients", ("search[has_draft]", "true")) == [drafted]
    assert api.ids("clients", ("search[has_outstanding]", "true")) == [late, owing]
    assert api.ids("clients", ("search[has_overdue]", "1")) == [late]
    assert api.ids("clients", ("search[has_credit]", "true")) == [rich]
    assert rich not in api.ids("clients", ("search[has_credit]", "false"))
    assert errno(api.page("clients", ("search[has_credit]", "maybe"))) == (422, 1032)


def test_the_filters_of_invoices(api, books, clients):
    may = books.create_invoice(clients[0], [LINE], create_date="2026-05-01", action_mark_as_sent=True, city="Oslo")
    june = books.create_invoice(clients[1], [LINE], create_date="2026-06-30", action_mark_as_sent=True)
    books.create_payment(june["id"], "100.00")
    for name, value, expected in (
        ("search[date_min]", "2026-06-30", [june["id"]]),
        ("search[date_max]", "2026-06-30", [may["id"]]),
        ("search[customerid]", clients[0], [may["id"]]),
        ("search[customerids][]", clients[1], [june["id"]]),
        ("search[v3_status]", "overdue", [may["id"]]),
        ("search[v3_status]", "paid", [june["id"]]),
        ("search[paid]", "true", [june["id"]]),
        ("paid", "True", [june["id"]]),
        ("search[outstanding]", "true", [may["id"]]),
        ("search[invoiceid]", may["id"], [may["id"]]),
        ("search[invoiceids][]", june["id"], [june["id"]]),
        ("search[invoice_number]", "0000002", [june["id"]]),
        ("search[address_like]", "oslo", [may["id"]]),
        ("search[status]", "4", [june["id"], may["id"]]),
        ("search[payment_status]", "paid", [june["id"], may["id"]]),
        ("search[create_date_min]", "2026-06-30", [june["id"], may["id"]]),
    ):
        assert api.ids("invoices", (name, value)) == expected, name


def test_the_filters_of_payments(api, books, clients):
    def pay(client, amount, date, **fields):
        invoice = books.create_invoice(client, [LINE], action_mark_as_sent=True)
        return books.create_payment(invoice["id"], amount, date, **fields)["id"], invoice["id"]

    (early, _), (late, bill) = (
        pay(clients[0], 10, "2026-05-01", type="Cash"),
        pay(clients[1], 50, "2026-06-30", note="wire"),
    )
    for name, value, expected in (
        ("search[logid]", early, [early]),
        ("search[logids][]", late, [late]),
        ("search[date_min]", "2026-06-30", [late]),
        ("search[date_max]", "2026-06-30", [early]),
        ("search[amount_min]", "50", [late]),
        ("search[amount_max]", "50", [early]),
        ("search[type]", "Cash", [early]),
        ("search[customerid]", clients[0], [early]),
        ("search[clientids][]", clients[1], [late]),
        ("search[currency]", "USD", [late, early]),
        ("search[invoiceid]", bill, [late]),
        ("search[notes]", "WIRE", [late]),
        ("search[from_credit]", "false", [late, early]),
        ("search[client_name]", "client 01", [late]),
        ("search[number]", "0002", [late]),
        ("search[payment_or_credit]", "credit", []),
    ):
        assert api.ids("payments", (name, value)) == expected, name


def test_lines_are_there_when_included_and_not_otherwise(api, books, clients):
    invoice = books.create_invoice(clients[0], [LINE, LINE])
    assert "lines" not in api.result("invoices")["invoices"][0]
    assert "lines" not in api.get("invoices", invoice["id"])
    (row,) = api.result("invoices", ("include[]", "lines"))["invoices"]
    assert [line["lineid"] for line in row["lines"]] == [1, 2]
    assert api.get("invoices", invoice["id"], "lines") == row
    assert list(row) == sorted(row)


def test_a_payment_may_include_its_client_and_invoice(api, books, clients):
    invoice = books.create_invoice(clients[0], [LINE])
    payment = books.create_payment(invoice["id"], 5)
    row = api.get("payments", payment["id"], "client", "invoice")
    assert (row["client"]["id"], row["invoice"]["id"]) == (clients[0], invoice["id"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(lambda books, ids: books.create_client(fname="new"), (0, 1), id="insert repeats a row"),
        pytest.param(lambda books, ids: books.delete_client(ids[-1]), (1, 0), id="delete hides a row"),
        pytest.param(lambda books, ids: books.update_client(ids[0], note="x"), (0, 0), id="update moves nothing"),
    ],
)
def test_rows_change_between_two_pages(api, books, clients, change, expected):
    books.between_pages(lambda: change(books, clients), "clients", after=1)
    rows = [row["id"] for page in (1, 2) for row in api.result("clients", ("page", page))["clients"]]
    missed, repeated = len(set(clients) - set(rows)), len(rows) - len(set(rows))
    assert (missed, repeated) == expected


def test_an_interruption_waits_for_its_page_and_happens_so_many_times(api, books, clients):
    happened = []
    books.between_pages(lambda: happened.append("x"), "clients", after=2, times=2)
    for page in (1, 2, 1, 2, 2):
        api.result("clients", ("page", page))
    api.result("invoices", ("page", 2))
    assert happened == ["x", "x"]


def test_an_answer_is_never_older_than_the_last_change(api, books, clients):
    """What lists have found is kept while nothing changes; this is what would show if it were kept any longer."""
    query = (("search[note_like]", "late"), ("search[has_outstanding]", "true"))
    assert api.ids("clients", *query) == []
    books.update_client(clients[0], note="late")
    assert api.ids("clients", *query) == []
    invoice = books.create_invoice(clients[0], [LINE], action_mark_as_sent=True)
    assert api.ids("clients", *query) == [clients[0]]
    books.create_payment(invoice["id"], 100)
    assert api.ids("clients", *query) == []
