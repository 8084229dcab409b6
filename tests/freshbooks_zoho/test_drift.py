"""What other people change of what FreshBooks owns is found and queued; our own writes are not."""

from __future__ import annotations

import random
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import pytest
from support.postgres import on_sqlite
from support.target import ACCOUNT, Org, client, invoice
from support.zoho import FAST

from freshbooks_zoho.zoho.drift import Drift, Restraint
from freshbooks_zoho.zoho.watch import ZOHO
from sandbox import Sandbox
from target_zoho_crm.api.auth import refresher
from target_zoho_crm.api.client import ZohoClient
from target_zoho_crm.org.memory import Memory
from target_zoho_crm.org.surveyor import Surveyor
from target_zoho_crm.settings import read_settings

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)


class Scene:
    """An organization that the target writes to, and the look at what was changed in it."""

    def __init__(self, org, store, zoho, **settings):
        self.org, self.store = org, store
        restore = {"restore_fields": True, "restore_deleted": True} | settings
        target = read_settings(org.settings())
        fields = Surveyor(zoho, target, Memory.of(store, target)).fields
        self.drift = Drift(zoho, store, quiet=timedelta(), fields=fields, **restore)

    def notify(self, *record_ids, module="Deals"):
        now = datetime.now(timezone.utc)
        self.store.pending.queue_many([(ZOHO, module, record_id, "event", now) for record_id in record_ids])

    def deal(self, number):
        return self.org.one("Deals", f"{ACCOUNT}:{number}")["id"]

    def queued(self):
        return {(row.stream, row.object_id, row.reason) for row in self.store.pending.all(ACCOUNT)}

    def unseen(self):
        return len(self.store.pending.all(ZOHO))


@contextmanager
def scene_of(box, folder, store_settings, **settings):
    url, key = store_settings
    org = Org(box, folder, store_url=url, store_key=key)
    with org.store() as store:
        app = box.zoho.app
        broker = store.broker(
            service="zoho", client_id=app.client_id, seed=org.settings()["refresh_token"], rotates=False,
            refresh=refresher(app.client_id, app.client_secret, box.zoho.accounts_url),
        )  # fmt: skip
        with ZohoClient(broker, max_parallel=5, user_agent="test", retries=FAST) as zoho:
            yield Scene(org, store, zoho, **settings)


@pytest.fixture(scope="module")
def prepared():
    """A sandbox whose Zoho has the fields already."""
    with Sandbox() as box:
        yield box


@pytest.fixture
def scene(prepared, tmp_path, store_settings):
    with scene_of(prepared, tmp_path, store_settings) as scene:
        scene.org.run(("clients", client()), ("invoices", invoice(1)), ("invoices", invoice(2)))
        yield scene
        scene.org.emptied()
        prepared.faults.clear()


def test_five_hundred_writes_of_our_own_cause_no_second_run(prepared, tmp_path, store_settings):
    """Notifications come late, twice and in any order; after a further change in FreshBooks, those of the first too."""
    with scene_of(prepared, tmp_path, store_settings) as scene:
        invoices = [("invoices", invoice(number)) for number in range(1, 501)]
        scene.org.run(("clients", client()), *invoices)
        ids = [row["id"] for row in scene.org.records("Deals")]
        accounts = [row["id"] for row in scene.org.records("Accounts")]
        random.Random(1).shuffle(ids)
        scene.notify(*ids, *ids[:100])
        scene.notify(*accounts, module="Accounts")
        before = len(prepared.calls("zoho"))

        assert scene.drift.check() == 0
        assert (scene.queued(), scene.unseen()) == (set(), 0)
        # Two hundred records cost one call.
        assert len(prepared.calls("zoho")) - before <= 4
        paid = {"v3_status": "paid", "updated": "2026-06-30T10:00:00+00:00"}
        scene.org.run(("invoices", invoice(1, **paid)))
        scene.notify(*ids)
        assert scene.drift.check() == 0
        scene.org.emptied()


@on_sqlite
@pytest.mark.parametrize("reads_actual", [False, True])
def test_a_stage_that_reads_otherwise_than_it_is_written_is_no_change(scene, prepared, reads_actual):
    prepared.zoho.switches.reads_actual_values = reads_actual
    assert scene.org.run(("invoices", invoice(1)), stage_map={"sent": "Identify Decision Makers"}).error is None
    scene.notify(scene.deal(1))

    assert scene.drift.check() == 0
    assert scene.queued() == set()
    prepared.zoho.switches.reads_actual_values = False


@on_sqlite
@pytest.mark.parametrize(
    "change",
    [
        {"Amount": 1},
        {"Stage": "Closed Won"},
        {"FreshBooks_Due_Date": None},
        {"Deal_Name": "x"},
        {"FreshBooks_ID": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_field_of_freshbooks_that_someone_changed_is_restored(scene, change):
    deal = scene.deal(1)
    scene.org.box.zoho.update("Deals", deal, change)
    scene.notify(deal, scene.deal(2))

    assert scene.drift.check() == 1
    assert scene.queued() == {("invoices", "1", "drift")}
    assert scene.unseen() == 0


@on_sqlite
@pytest.mark.parametrize("change", [{"Next_Step": "call"}, {"Lead_Source": "Partner"}, {"Type": "New Business"}])
def test_what_people_own_is_left_alone(scene, change):
    scene.org.box.zoho.update("Deals", scene.deal(1), change)
    scene.notify(scene.deal(1))

    assert scene.drift.check() == 0
    assert scene.queued() == set()


def test_the_owner_that_people_chose_stays_when_a_field_is_restored(scene):
    organization = scene.org.box.zoho.organization
    person, deal = organization.person.id, scene.deal(1)
    scene.org.box.zoho.update("Deals", deal, {"Owner": {"id": person}})
    scene.notify(deal)
    assert scene.drift.check() == 0

    scene.org.box.zoho.update("Deals", deal, {"Amount": 1})
    scene.notify(deal)
    assert scene.drift.check() == 1
    scene.org.run(("invoices", invoice(1)))
    restored = scene.org.one("Deals", f"{ACCOUNT}:1")
    assert (str(restored["Amount"]), restored["Owner"]["id"]) == ("100", person)


def test_a_deleted_record_is_written_again(scene):
    deal, account = scene.deal(1), scene.org.one("Accounts")["id"]
    scene.org.box.zoho.delete("Deals", deal)
    scene.org.box.zoho.delete("Accounts", account)
    scene.notify(deal)
    scene.notify(account, module="Accounts")

    assert scene.drift.check() == 2
    assert scene.queued() == {("invoices", "1", "drift"), ("clients", "1", "drift")}
    scene.org.run(("clients", client()), ("invoices", invoice(1)))
    # A late copy of the old record's notification, and those of the new one.
    scene.notify(deal, scene.deal(1))
    assert scene.drift.check() == 0


@pytest.mark.parametrize(("setting", "left"), [("restore_fields", "deleted"), ("restore_deleted", "changed")])
def test_either_can_be_turned_off(prepared, tmp_path, store_settings, setting, left):
    with scene_of(prepared, tmp_path, store_settings, **{setting: False}) as scene:
        scene.org.run(("clients", client()), ("invoices", invoice(1)), ("invoices", invoice(2)))
        changed, deleted = scene.deal(1), scene.deal(2)
        prepared.zoho.update("Deals", changed, {"Amount": 1})
        prepared.zoho.delete("Deals", deleted)
        scene.notify(changed, deleted)

        assert scene.drift.check() == 1
        assert scene.queued() == {("invoices", {"changed": "1", "deleted": "2"}[left], "drift")}
        # An ordinary run goes by it, too.
        scene.org.run(("invoices", invoice(1)), ("invoices", invoice(2)))
        assert len(scene.org.records("Deals")) == (2 if left == "deleted" else 1)
        scene.org.emptied()


def test_records_that_are_not_ours_cost_nothing(scene):
    other = scene.org.box.zoho.insert("Deals", {"Deal_Name": "A person's", "Stage": "Qualification"})
    before = len(scene.org.box.calls("zoho"))
    scene.notify(other, "999")

    assert scene.drift.check() == 0
    assert (len(scene.org.box.calls("zoho")), scene.unseen()) == (before, 0)


def test_what_comes_while_the_records_are_read_is_looked_at_again(scene):
    deal = scene.deal(1)
    scene.notify(deal)
    # As if it came a moment later than the read began.
    ahead = datetime.now(timezone.utc) + timedelta(minutes=1)
    scene.store.pending.queue_many([(ZOHO, "Deals", deal, "event", ahead)])
    scene.drift.check()

    assert scene.unseen() == 1


def test_while_zoho_cannot_be_asked_nothing_is_forgotten(scene):
    deal = scene.deal(1)
    scene.org.box.zoho.update("Deals", deal, {"Amount": 1})
    scene.org.box.faults.add(service="zoho", path="/crm/v8/coql", kind="status", status=500, times=None)
    scene.notify(deal)

    assert scene.drift.check() == 0
    (row,) = scene.store.pending.all(ZOHO)
    assert row.error["code"] == "NOT_READ"
    scene.org.box.faults.clear()
    scene.notify(deal)
    assert scene.drift.check() == 1


def test_a_field_that_was_taken_out_of_zoho_does_not_stop_the_rest(scene):
    refused = {"code": "INVALID_QUERY", "details": {"column_name": "Gone"}, "message": "", "status": "error"}
    scene.org.box.faults.add(service="zoho", path="/crm/v8/coql", kind="status", status=400, body=refused, times=1)
    scene.notify(scene.deal(1))

    assert scene.drift.check() == 1


def test_a_record_that_is_changed_each_time_it_is_restored_is_let_be_after_a_while(scene):
    deal, found = scene.deal(1), []
    for amount in range(1, 8):
        scene.org.box.zoho.update("Deals", deal, {"Amount": amount})
        scene.notify(deal)
        found.append(scene.drift.check())
        scene.store.pending.clear(ACCOUNT, "invoices", {"1": datetime.now(timezone.utc)})

    assert found == [1, 1, 1, 1, 1, 0, 0]


def test_after_an_hour_it_may_be_restored_again():
    restraint = Restraint(most=2, within=timedelta(hours=1))
    allowed = [
        restraint.allows("invoices", "1", NOON + timedelta(minutes=minutes)) for minutes in (0, 10, 20, 59, 60, 61, 71)
    ]

    assert allowed == [True, True, False, False, True, False, True]
    assert restraint.allows("invoices", "2", NOON)
