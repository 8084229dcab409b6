"""All checks, in the order in which they are made: each after those that it needs."""

from __future__ import annotations

from freshbooks_zoho.checks import freshbooks, machine, sync, zoho
from freshbooks_zoho.checks.examination import Check, Group
from freshbooks_zoho.settings import PLUGIN, TAP

GROUPS: tuple[Group, ...] = ("this machine", "FreshBooks", "Zoho", "sync")

CHECKS = (
    Check("settings", "this machine", machine.settings, mend=f"meltano config list {TAP}"),
    Check("Meltano and plugins", "this machine", machine.meltano),
    Check("network at start", "this machine", machine.network_at_start),
    Check("private files", "this machine", machine.private_files, ("settings",)),
    Check("store", "this machine", machine.store, ("settings",)),
    Check(
        "FreshBooks answers",
        "FreshBooks",
        freshbooks.reachable("FreshBooks", lambda subject: subject.settings.tap.api_url),
        ("settings",),
    ),
    Check(
        "Zoho answers",
        "Zoho",
        freshbooks.reachable("Zoho", lambda subject: subject.settings.target.accounts_url),
        ("settings",),
    ),
    Check("clock", "this machine", machine.clock, ("settings",)),
    Check(
        "FreshBooks connection",
        "FreshBooks",
        freshbooks.connection(
            "FreshBooks", lambda subject: subject.settings.tap.client_id,
            lambda subject: subject.settings.tap.refresh_token,
        ),
        ("store",),
    ),
    Check("business", "FreshBooks", freshbooks.business, ("FreshBooks answers", "FreshBooks connection"),
          f"{PLUGIN} connect freshbooks"),
    Check("scopes", "FreshBooks", freshbooks.scopes, ("business",)),
    Check(
        "Zoho connection",
        "Zoho",
        freshbooks.connection(
            "Zoho", lambda subject: subject.settings.target.client_id,
            lambda subject: subject.settings.target.refresh_token,
        ),
        ("store",),
    ),
    Check("data centre", "Zoho", zoho.data_centre, ("Zoho answers", "Zoho connection"), zoho.CONNECT),
    Check("organization", "Zoho", zoho.organization, ("data centre",), zoho.CONNECT),
    Check("consent", "Zoho", zoho.consent, ("organization",)),
    Check("API credits", "Zoho", zoho.credits_left, ("organization",)),
    Check("fields and modules", "Zoho", zoho.fields, ("organization",)),
    Check("stages", "Zoho", zoho.stages, ("organization",)),
    Check("serving", "sync", sync.serving, ("store",)),
    Check("public URL", "sync", sync.public_url, ("settings",)),
    Check("FreshBooks callbacks", "sync", sync.callbacks, ("business",)),
    Check("Zoho channels", "sync", sync.zoho_channels, ("organization",)),
    Check("last run", "sync", sync.last_run, ("store",)),
    Check("objects", "sync", sync.objects, ("store",)),
)  # fmt: skip
