"""Zoho: is it connected in the right data centre, is the organization ready and readable, are credits left?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from freshbooks_zoho.admin.wording import counted
from freshbooks_zoho.checks.examination import Finding, bad, ok, warning
from freshbooks_zoho.settings import PLUGIN, TARGET
from target_zoho_crm.api.auth import DATA_CENTRES, check_accounts_url, is_loopback, open_broker
from target_zoho_crm.api.coql import select
from target_zoho_crm.errors import PermissionDeniedError, QuotaError, RequestError, ScopeError
from target_zoho_crm.org.home import ADOPT

if TYPE_CHECKING:
    from collections.abc import Callable

    from freshbooks_zoho.checks.subject import Subject

FEW_CREDITS = 1000
CONTACTS = "Contacts"
CONNECT, SETUP = f"{PLUGIN} connect zoho", f"{PLUGIN} setup"
SETTINGS = "Zoho CRM, Setup"


def data_centre(subject: Subject) -> Finding:
    """Does accounts_url give a token, and is the API in the same data centre?"""
    target = subject.settings.target
    accounts_url = check_accounts_url(target.accounts_url)
    api_domain = open_broker(subject.store, target).token().details.get("api_domain", "")
    accounts, api = urlsplit(accounts_url).hostname or "", urlsplit(api_domain).hostname or ""
    if not is_loopback(accounts_url) and not api.endswith(DATA_CENTRES[accounts]):
        return warning(
            f"accounts_url is {accounts_url}, and the organization's API is at {api}, in another data centre.", CONNECT
        )
    return ok(f"{accounts_url} gives tokens for {api_domain}.")


def organization(subject: Subject) -> Finding:
    """Can the organization be read, and is it the one that records were written to?"""
    try:
        found = subject.survey.organization
    except RequestError as error:
        # To connect again would not help: Zoho says why it answers nobody.
        return bad(str(error))
    if subject.survey.elsewhere:
        return bad(subject.survey.elsewhere, ADOPT)
    return ok(f"Organization {found.id}, edition {found.edition}, {found.currency}.")


def consent(subject: Subject) -> Finding:
    """Does the consent cover what is read, and may its user see it? What is written cannot be tried."""
    client = subject.session.zoho
    modules = subject.modules
    probes: list[Callable[[], object]] = [
        *(partial(client.request, "GET", module, params={"fields": "id", "per_page": 1}) for module in modules),
        partial(client.query, select(["id"], modules[0], "id is null")),
        partial(client.request, "GET", "actions/watch"),
    ]
    lacking = [str(error) for probe in probes if (error := _refusal(probe))]
    if lacking:
        return bad(" ".join(lacking), CONNECT)
    if error := _refusal(lambda: client.request("GET", CONTACTS, params={"fields": "id", "per_page": 1})):
        if isinstance(error, ScopeError):
            return bad(str(error), CONNECT)
        return warning(
            f"Contacts may not be read, so clients are matched without their e-mail addresses. {error}",
            f"{SETTINGS}, Security Control, Profiles: let the user's profile see Contacts",
        )
    return ok(
        f"{', '.join([*modules, CONTACTS])} and notifications may be read, as far as Zoho's sharing shows records to "
        "the user who gave the consent."
    )


def _refusal(probe: Callable[[], object]) -> ScopeError | PermissionDeniedError | RequestError | None:
    """Return why something may not be read; None if it may."""
    try:
        probe()
    except (ScopeError, PermissionDeniedError, RequestError) as error:
        return error
    return None


def credits_left(subject: Subject) -> Finding:
    """Are API credits left?"""
    try:
        # The last call said it, if it is said at all.
        subject.session.zoho.request("GET", "org")
    except QuotaError as error:
        return bad(str(error))
    left = subject.session.zoho.usage.credits_remaining
    if left is None:
        return ok("More than half of the API credits of 24 hours are left.")
    if left < FEW_CREDITS:
        return warning(
            f"{counted(left, 'API credit')} are left of the last 24 hours': runs stop when there are none.",
            f"{SETTINGS}, Developer Hub, APIs: see who uses them, or buy some",
        )
    return ok(f"{counted(left, 'API credit')} are left of the last 24 hours'.")


def fields(subject: Subject) -> Finding:
    """Are the fields and modules there?"""
    found, state = subject.survey, subject.survey.pipeline
    problems = [one for one in found.problems if state is None or one != state.problem]
    if problems:
        return bad(" ".join(problems), SETUP)
    if found.creations:
        missing = " ".join([f"Zoho lacks {'; '.join(map(str, found.creations))}.", *found.shortages])
        if subject.settings.target.create_fields:
            return warning(f"{missing} The next run creates them.", SETUP)
        return bad(f"{missing} Runs may not create them (create_fields).", SETUP)
    if without := [*found.unavailable, *found.left_out]:
        return warning(" ".join(without), SETUP)
    return ok(" ".join(["All fields and modules are there.", *found.cautions]))


def stages(subject: Subject) -> Finding:
    """Has the pipeline the stages that invoices are given?"""
    state = subject.survey.pipeline
    if state is None:
        return ok("Invoices do not become deals, so they need no stages.")
    if state.problem:
        mend = SETUP if state.can_be_made else f'meltano config set {TARGET} stage_map \'{{"paid": "Closed Won"}}\''
        return bad(state.problem, mend)
    if said := [one for one in (state.new_default, state.explained) if one]:
        return ok(" ".join(said))
    where = f"The pipeline {state.name!r}" if state.name else "The field Stage of Deals"
    return ok(f"{where} has all stages that invoices are given.")
