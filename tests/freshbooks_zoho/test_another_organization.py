"""A trial organization first, then the real one: it is said everywhere, and after a word of a person all is brought."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from support.meltano_project import plugin_settings
from support.pipeline import STORE_KEY, Pipeline, shown

from freshbooks_zoho.admin.status import collect
from freshbooks_zoho.checks.subject import Subject
from freshbooks_zoho.checks.zoho import organization
from freshbooks_zoho.commands.setup import SetupReport
from freshbooks_zoho.commands.status import StatusReport
from freshbooks_zoho.console import ATTENTION, OK
from freshbooks_zoho.zoho.setup import adopt, create, look
from sandbox import Sandbox
from target_zoho_crm.errors import ConfigurationError

ANOTHER = "another Zoho organization (700000001)"


@pytest.fixture
def moved(box, tmp_path):
    """A firm that was synced to a trial organization, and is connected to the real one now; its state is at "now"."""
    box.freshbooks.create_client(organization="Alder and Sons")
    box.freshbooks.create_client(organization="Birch")
    trial = Pipeline(box, tmp_path)
    trial.run()
    with Sandbox() as real:
        real.zoho.organization.zgid = "700000001"
        url = f"sqlite:///{tmp_path}/store.db"
        pipeline = Pipeline(box, tmp_path, target=plugin_settings(real, url, STORE_KEY)["target_zoho_crm"])
        pipeline.tap, pipeline._state = trial.tap, trial._state
        pipeline.zoho = real.zoho
        yield pipeline


def status(pipeline):
    with pipeline.session() as session:
        return StatusReport(collect(session.settings, session.store, datetime.now(timezone.utc)))


def test_a_run_setup_doctor_and_status_say_that_it_is_another_organization(moved):
    assert "All is well." in shown(status(moved))

    with pytest.raises(ConfigurationError, match="freshbooks-zoho setup --adopt"):
        moved.run()

    report = status(moved)
    assert (report.exit_code, ANOTHER in shown(report)) == (ATTENTION, True)
    with moved.session() as session:
        subject = Subject(environment={})
        subject.__dict__.update(settings=session.settings, session=session)
        finding = organization(subject)
        assert (finding.level, finding.mend) == ("bad", "freshbooks-zoho setup --adopt")
        found = SetupReport(look(session.zoho, session.settings.target, session.memory))
    text = shown(found)
    assert ANOTHER in text
    assert "Nothing was created" in text


def test_what_a_person_adopts_is_made_ready_and_filled_although_nothing_has_changed_in_freshbooks(moved):
    with moved.session() as session:
        settings, memory = session.settings.target, session.memory
        assert look(session.zoho, settings, memory).survey.elsewhere
        assert adopt(memory) == 2
        found = look(session.zoho, settings, memory)
        report = SetupReport(create(session.zoho, settings, memory, found), found, brought=2)
    assert "2 objects that the former one has are queued" in shown(report)
    assert "2 objects are still to be brought" in shown(status(moved))

    moved.run(changes=True)

    assert {row["Account_Name"] for row in moved.zoho.records("Accounts")} == {"Alder and Sons", "Birch"}
    assert status(moved).exit_code == OK
