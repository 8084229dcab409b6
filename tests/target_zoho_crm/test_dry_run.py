"""A plan as a program reads it: complete, private, and with a price that a real run then comes to."""

from __future__ import annotations

import json
import stat

import pytest
from support.target import ACCOUNT, client, invoice, payment, usd

from target_zoho_crm.sync.dry_run import in_words

LATER = "2026-06-30T00:00:00+00:00"


def key(number):
    return f"{ACCOUNT}:{number}"


def plan(org, *records, **config):
    """Make a dry run into a file, and give its lines."""
    path = org.folder / "plan.jsonl"
    result = org.run(*records, dry_run=True, plan_file=str(path), **config)
    assert (result.error, result.stdout) == (None, "")
    return [json.loads(line) for line in path.read_text().splitlines()]


def of(entries, kind):
    return [one for one in entries if one["kind"] == kind]


def firm(clients=7, invoices=250, payments=130):
    """A firm whose numbers fill calls and credits unevenly."""
    return [
        *[("clients", client(number)) for number in range(1, clients + 1)],
        *[("invoices", invoice(number, 1 + number % clients)) for number in range(1, invoices + 1)],
        *[("payments", payment(number, number)) for number in range(1, payments + 1)],
    ]


def test_where_the_edition_may_have_no_room_for_a_field_the_plan_says_so(new_org):
    new_org.box.zoho.edition = "free"
    entries = plan(new_org, ("clients", client(1)), ("invoices", invoice(1)))
    assert [one["what"].split(" and needs")[0].split(" custom modules")[0] for one in of(entries, "limit")] == [
        "Accounts has 0 custom fields",
        "Deals has 0 custom fields",
        "The edition free is known to allow 0",
    ]
    assert in_words(of(entries, "limit")[0]) == of(entries, "limit")[0]["what"]
    new_org.box.zoho.edition = "enterprise"
    assert of(plan(new_org, ("clients", client(1))), "limit") == []


def test_the_file_says_everything_and_the_terminal_nothing(org, capsys):
    org.run(("clients", client(1)), ("invoices", invoice(1)))
    capsys.readouterr()

    entries = plan(
        org,
        ("clients", client(1, email="new@example.com", updated=LATER)),
        ("invoices", invoice(1, due_date="soon")),
        ("invoices", invoice(2, outstanding=usd("12.50"))),
        ("payments", payment(1, 9)),
    )

    (update,), (create,), (wait,), (reject,) = (of(entries, kind) for kind in ("update", "create", "wait", "reject"))
    assert update["changes"]["FreshBooks_Email"] == ["client1@example.com", "new@example.com"]
    assert (update["name"], update["id"]) == ("Client 1", org.one("Accounts")["id"])
    assert (create["name"], create["changes"]["FreshBooks_Outstanding"]) == ("0000002 - Client 1", [None, "12.50"])
    assert (wait["key"], wait["reason"], wait["waits_for"]) == (key(1), "parent", "invoices:9")
    assert (reject["key"], reject["code"], reject["field"]) == (key(1), "VALUE_NOT_ACCEPTED", "Closing_Date")
    assert entries[-1]["streams"]["invoices"] == {"created": 1, "rejected": 1}
    assert "Client 1" not in capsys.readouterr().err
    for entry in entries:
        assert entry["kind"] in in_words(entry) or entry["kind"] in {"note", "total"}


def test_only_its_owner_may_read_the_file_whoever_could_before(org):
    path = org.folder / "plan.jsonl"
    path.write_text("older")
    path.chmod(0o644)

    assert [entry["kind"] for entry in plan(org, ("clients", client()))] == ["note", "create", "total"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "make", [lambda path: path.mkdir(), lambda path: path.symlink_to("elsewhere")], ids=["a folder", "a link"]
)
def test_a_file_that_cannot_be_written_is_said_before_anything_is_read(org, make):
    path = org.folder / "plan.jsonl"
    make(path)

    result = org.run(("clients", client()), dry_run=True, plan_file=str(path))

    assert "plan_file cannot be written" in str(result.error)


def spent(org, *records):
    """Make a real run and give what Zoho charged for it."""
    before = org.box.zoho.credits_used
    assert org.run(*records).error is None
    return org.box.zoho.credits_used - before


def test_the_price_of_a_first_load_into_a_new_organization_is_what_it_then_costs(new_org):
    records = firm()
    before = new_org.box.zoho.credits_used

    entries = plan(new_org, *records)

    assert [one["credits"] for one in of(entries, "set-up")] == [3, 3, 506]
    assert new_org.writes() == []
    # What planning itself cost is spent on top, not instead.
    assert new_org.box.zoho.credits_used - before < entries[-1]["credits"]
    assert entries[-1]["credits"] == pytest.approx(spent(new_org, *records), rel=0.1)


def test_the_price_of_changes_is_what_they_then_cost(org):
    org.run(*firm())
    records = [
        ("clients", client(3, phone="1", email="other@example.com", updated=LATER)),
        ("clients", client(99)),
        *[("invoices", invoice(number, 1 + number % 7, v3_status="paid", updated=LATER)) for number in range(1, 112)],
        ("invoices", invoice(500, 99)),
        *[("payments", payment(number, number)) for number in range(125, 180)],
        ("payments", payment(999, 500)),
    ]

    entries = plan(org, *records)

    assert entries[-1]["credits"] == pytest.approx(spent(org, *records), rel=0.1)
