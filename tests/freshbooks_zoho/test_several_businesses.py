"""Several businesses in one project and one store: each has its own service, lease, history and status."""

from __future__ import annotations

import os
from datetime import datetime, timezone

import pytest
import yaml
from cryptography.fernet import Fernet
from support.meltano_project import BIN, make_project, plugin_settings
from support.serving import Served, eventually

from freshbooks_zoho import settings as settings_
from freshbooks_zoho.admin.status import collect
from freshbooks_zoho.runs.leadership import lease_of
from singer_store import open_store

pytestmark = pytest.mark.timeout(400)

STUDIO = {"extractor": "tap-freshbooks--studio", "loader": "target-zoho-crm--studio"}


def inherit(project, account):
    """Add the second business' plugins to a project, as the guide for data engineers does."""
    content = yaml.safe_load((project / "meltano.yml").read_text())
    kinds = {"extractors": ("extractor", {"account_id": account}), "loaders": ("loader", {})}
    for kind, (one, config) in kinds.items():
        name = STUDIO[one]
        entry = {"name": name, "inherit_from": name.partition("--")[0], "config": config}
        content["plugins"][kind].append(entry)
    (project / "meltano.yml").write_text(yaml.safe_dump(content))


@pytest.fixture
def firms(box, postgres_url, tmp_path):
    """The accounts of two businesses, a project for both, and URL and key of their store."""
    key = Fernet.generate_key().decode()
    accounts = box.freshbooks.account_id, box.freshbooks.add_business("Second Studio")
    settings = plugin_settings(box, postgres_url, key)
    settings["tap_freshbooks"]["account_id"] = accounts[0]
    project = make_project(tmp_path / "project", **settings)
    inherit(project, accounts[1])
    return accounts, project, (postgres_url, key)


def status_of(project, store, **own):
    """What `status` tells of a business, started bare in the project."""
    variables = {f"FRESHBOOKS_ZOHO_{name.upper()}": value for name, value in own.items()}
    settings = settings_.load({**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **variables}, project)
    return collect(settings, store, datetime.now(timezone.utc))


def test_two_businesses_on_one_store_are_served_and_fail_over_each_by_itself(box, firms):
    accounts, project, store_settings = firms
    books, zoho = box.freshbooks, box.zoho
    clients = [books.create_client(account=account, organization=f"Client of {account}") for account in accounts]

    def landed(module="Deals"):
        return {row.get("FreshBooks_ID") for row in zoho.records(module)}

    def bill(number):
        line = {"name": "Design", "unit_cost": {"amount": "20.00", "code": "USD"}, "qty": 1}
        invoice = books.create_invoice(clients[number]["id"], [line], account=accounts[number])
        return f"{accounts[number]}:{invoice['id']}"

    with open_store(*store_settings) as store:

        def leader(number):
            holder = store.leases.holder(lease_of(accounts[number]))
            return holder and int(holder.owner.split(":")[1])

        def kinds(number):
            runs = store.runs.latest("freshbooks-zoho", 99)
            return [run.summary["kind"] for run in runs if run.summary["account"] == accounts[number]]

        with Served(project, "first") as first, Served(project, "studio", **STUDIO) as studio:
            eventually(lambda: "changes" in kinds(0) and "changes" in kinds(1))
            assert landed("Accounts") == {f"{client['accounting_systemid']}:{client['id']}" for client in clients}
            assert (leader(0), leader(1)) == (first.process.pid, studio.process.pid)

            # Webhooks of both, to the service of each.
            eventually(lambda: len([one for one in books.callbacks() if one.verified]) == 6)
            eventually(lambda: len(zoho.channels.alive()) == 4)
            invoices = {bill(0), bill(1)}
            eventually(lambda: invoices <= landed())
            eventually(lambda: (kinds(0).count("objects"), kinds(1).count("objects")) == (1, 1))

            with Served(project, "standby", public=False) as standby:
                eventually(lambda: standby.says("Listening on"))
                first.process.kill()
                eventually(lambda: leader(0) == standby.process.pid)
                missed = bill(0)
                assert leader(1) == studio.process.pid
                eventually(lambda: missed in landed())
                invoice = bill(1)
                eventually(lambda: invoice in landed())

                mine, other = status_of(project, store), status_of(project, store, **STUDIO)
                assert (mine.account, other.account) == accounts
                assert (mine.served_by, other.served_by) == tuple(
                    f"{os.uname().nodename}, process {one.process.pid}" for one in (standby, studio)
                )
                assert [run.maker for run in (*mine.runs, *other.runs)] == ["serve"] * len(kinds(0) + kinds(1))
                assert studio.ready().json() == {"status": "ready", "problems": []}


def test_the_last_run_of_another_business_says_nothing_about_this_one(firms):
    accounts, project, store_settings = firms
    moment = datetime.now(timezone.utc)
    with open_store(*store_settings) as store:
        for plugin in ("freshbooks-zoho", "tap-freshbooks", "target-zoho-crm"):
            summary = {"account": accounts[0], "kind": "changes", "streams": {"clients": 1}}
            store.runs.add(plugin, moment, moment, "ok", summary)
        mine, other = status_of(project, store), status_of(project, store, **STUDIO)

    assert (len(mine.runs), len(other.runs)) == (1, 0)
    assert [said for said in other.problems if "No run has gone well" in said and STUDIO["loader"] in said]
