"""Whatever arrives in whatever order, and wherever a run breaks off: Zoho ends as the newest versions say."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.target import Org, client, invoice, messages, payment, until, usd

OWN = ("id", "Created_Time", "Modified_Time", "Created_By", "Modified_By", "Owner")


def comparable(org):
    """What Zoho holds, without what differs from one run of events to another."""

    def shown(value):
        return value.get("name") if isinstance(value, dict) else value

    return {
        module: sorted(
            (
                [(name, shown(value)) for name, value in sorted(row.items()) if name not in OWN]
                for row in org.records(module)
            ),
            key=str,
        )
        for module in ("Accounts", "Deals", "FreshBooks_Payments")
    }


def at(version):
    return f"2026-06-{version + 1:02}T12:00:00+00:00"


def versions():
    """Two clients, two invoices and three payments, in four versions each."""
    rng = random.Random(7)
    for number in (1, 2):
        for version in range(4):
            yield "clients", client(
                number, organization=f"Client {number}", email=f"v{version}@example.com", p_city=f"City {version}",
                p_country="Kenya", outstanding_balance=[usd(f"{version}.00")], vis_state=2 if version == 3 else 0,
                updated=at(version),
            )  # fmt: skip
            yield "invoices", invoice(
                number, number, v3_status=("draft", "sent", "partial", "paid")[version], invoice_number=f"N{version}",
                outstanding=usd(f"{10 * version}.10"), vis_state=1 if (number, version) == (2, 3) else 0,
                updated=at(version),
            )  # fmt: skip
    for number in (1, 2, 3):
        for version in range(4):
            yield "payments", payment(
                number, 1 + number % 2, amount=usd(f"{version}.5{number}"), date=f"2026-06-{rng.randint(1, 28):02}",
                vis_state=1 if (number, version) in {(1, 3), (3, 2)} else 0, updated=at(version),
            )  # fmt: skip


ALL = list(versions())
NEWEST = [(stream, record) for stream, record in ALL if record["updated"] == at(3)]


@pytest.fixture(scope="module")
def final(shared_box, tmp_path_factory):
    org = Org(shared_box, tmp_path_factory.mktemp("final")).emptied()
    assert org.run(*NEWEST).error is None
    return comparable(org)


@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_any_order_and_any_repetition_end_as_the_newest_versions_say(data, shared_box, tmp_path_factory, final):
    org = Org(shared_box, tmp_path_factory.mktemp("run")).emptied()
    seen = [*data.draw(st.permutations(ALL)), *data.draw(st.lists(st.sampled_from(ALL), max_size=10))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(seen)), max_size=4)))
    for start, end in zip([0, *cuts], [*cuts, len(seen)], strict=True):
        assert org.run(*seen[start:end], read_at=None).error is None
    # what waited for its parent comes again, as the tap sees to it
    assert org.run(*(one for one in NEWEST if (one[0], str(one[1]["id"])) in org.pending()), read_at=None).error is None
    assert comparable(org) == final


@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_answers_that_are_lost_and_calls_that_fail_change_nothing_in_the_end(data, shared_box, tmp_path_factory, final):
    org = Org(shared_box, tmp_path_factory.mktemp("run")).emptied()
    for _ in range(data.draw(st.integers(1, 3))):
        org.box.faults.add(
            service="zoho",
            path=r"/crm/v8/(Accounts|Deals|FreshBooks_Payments).*",
            kind=data.draw(st.sampled_from(["reset", "reset_after", "truncate"])),
            after=data.draw(st.integers(0, 4)),
        )
        org.run(*data.draw(st.permutations(ALL)))
    org.box.faults.clear()
    org.run(*NEWEST)
    assert comparable(org) == final


@pytest.mark.parametrize("after", range(5))
def test_a_run_killed_between_two_calls_is_made_good_by_the_next(org, final, after):
    # the write in which the process dies is never answered
    slow = org.box.faults.add(service="zoho", path=r"/crm/v8/[A-Z].*", kind="slow", delay=2.0, after=after)
    with org.started() as process:
        process.stdin.write("".join(json.dumps(one) + "\n" for one in messages(*NEWEST)))
        process.stdin.close()
        process.stdin = None
        until(lambda: slow.hits == 1 or process.poll() is not None)
        process.kill()
        process.communicate()
    org.box.faults.clear()
    assert org.run(*NEWEST).error is None
    assert comparable(org) == final
