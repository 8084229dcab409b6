"""After Zoho's consent: tokens kept, and what the organization and the user's permissions allow."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from freshbooks_zoho.console import ATTENTION, OK
from freshbooks_zoho.onboarding.credentials import save
from freshbooks_zoho.project import variable
from freshbooks_zoho.settings import PLUGIN
from freshbooks_zoho.zoho.side import RETRIES
from target_zoho_crm.api.auth import open_broker
from target_zoho_crm.api.client import ZohoClient
from target_zoho_crm.api.consent import location_of
from target_zoho_crm.api.scopes import missing_scopes
from target_zoho_crm.errors import RequestError, ScopeError, ZohoError
from target_zoho_crm.org.memory import Memory
from target_zoho_crm.org.organization import edition_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freshbooks_zoho.console import Console
    from freshbooks_zoho.project import Project
    from singer_store import Grant, Store
    from target_zoho_crm.settings import Settings


@dataclass(frozen=True)
class Check:
    """Something that is read to see whether it may be.

    Attributes:
        what: it is, as a person would call it.
        method, path, query: the call.
        coql: its query, if it is one.
    """

    what: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    coql: str = ""


ORGANIZATION = Check("Organization", "GET", "org")
CURRENCIES = Check("Currencies", "GET", "org/currencies")
CHECKS = (
    ORGANIZATION,
    CURRENCIES,
    Check("Modules", "GET", "settings/modules"),
    Check("Fields", "GET", "settings/fields", (("module", "Accounts"),)),
    Check("Layouts", "GET", "settings/layouts", (("module", "Deals"),)),
    Check("Accounts", "POST", "coql", coql="select id from Accounts where id is not null limit 1"),
    Check("Deals", "POST", "coql", coql="select id from Deals where id is not null limit 1"),
    Check("Contacts", "POST", "coql", coql="select id from Contacts where id is not null limit 1"),
    Check("Notifications", "GET", "actions/watch"),
)
"""One credit each."""


@dataclass(frozen=True)
class Permission:
    """What came of a check: None is well, else a sentence."""

    what: str
    problem: str | None = None


@dataclass(frozen=True)
class ZohoReport:
    """How Zoho is connected.

    Attributes:
        accounts_url, api_domain: of the data centre.
        organization: as Zoho describes it; empty if it may not be read.
        currencies: ISO codes of those that are active, the home currency first.
        permissions: what was tried.
        credits_left: of the last 24 hours; None while not even half of them are used, which is when Zoho tells.
        problems: what has to be put right, a sentence each.
    """

    accounts_url: str
    api_domain: str
    organization: Mapping[str, Any]
    currencies: tuple[str, ...]
    permissions: tuple[Permission, ...]
    credits_left: int | None
    problems: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """`ATTENTION` if there are problems: connected it is."""
        return ATTENTION if self.problems else OK

    @property
    def edition(self) -> str:
        """In lower case, as Zoho writes it; empty if it is not known."""
        return edition_of(self.organization.get("license_details") or {}) if self.organization else ""

    def as_json(self) -> dict[str, Any]:
        """Give everything for a program."""
        return {
            "service": "zoho",
            "connected": True,
            "organization": self.organization.get("company_name"),
            "organization_id": self.organization.get("zgid"),
            "edition": self.edition or None,
            "currency": self.currencies[0] if self.currencies else None,
            "currencies": list(self.currencies),
            "data_centre": location_of(self.accounts_url),
            "accounts_url": self.accounts_url,
            "api_domain": self.api_domain,
            "credits_left": self.credits_left,
            "permissions": [{"what": one.what, "problem": one.problem} for one in self.permissions],
            "problems": list(self.problems),
        }

    def show(self, console: Console) -> None:
        """Show it to a person."""
        name = self.organization.get("company_name")
        console.line(f"Connected to Zoho CRM{f': {name}' if name else ''}.", "good")
        for problem in self.problems:
            console.line(problem, "bad")
        console.line()
        left = "more than half of the day's" if self.credits_left is None else f"{self.credits_left:,}"
        others = f" (also {', '.join(self.currencies[1:])})" if self.currencies[1:] else ""
        rows = [
            ("Edition", self.edition.capitalize()),
            ("Home currency", (self.currencies[0] if self.currencies else "") + others),
            ("Data centre", f"{location_of(self.accounts_url)}, {self.api_domain}"),
            ("API credits left", left),
        ]
        console.table(("Zoho CRM", ""), rows)
        console.line()
        console.table(
            ("May read", ""), [(one.what, "yes" if one.problem is None else "no") for one in self.permissions]
        )


def finish(project: Project, settings: Settings, store: Store, grant: Grant) -> ZohoReport:
    """Keep the tokens, then look at what they are good for. What is wrong is in the report: connected it is.

    Args:
        project: whose .env the accounts server is written to, where it is another than the settings say.
        settings: of the target.
        store: takes the tokens.
        grant: of the consent.

    Raises:
        StoreError: if the tokens cannot be kept, or there is none for later.
    """
    broker = open_broker(store, settings)
    broker.connect(grant)
    # It may be another organization than before.
    memory = Memory.of(store, settings)
    memory.forget_survey()
    accounts_url = grant.details["accounts_url"]
    lacking = missing_scopes(grant.details.get("scope"))
    problems = [_lacking(lacking)] if lacking else []
    if accounts_url != settings.accounts_url.rstrip("/"):
        name = variable(project.loader, "accounts_url")
        if save(project, {name: accounts_url}):
            problems.append(f"The environment sets {name} to another server, which counts more than .env: unset it.")
    agent = f"{PLUGIN}/{version(PLUGIN)}"
    with ZohoClient(broker, max_parallel=1, user_agent=agent, retries=RETRIES) as client:
        outcomes = {check: _try(client, check) for check in CHECKS}
        credits_left = client.usage.credits_remaining
    permissions = [Permission(check.what, str(error) if error else None) for check, (_, error) in outcomes.items()]
    # One sentence for each reason: the same one may keep several things from being read.
    errors = [error for _, error in outcomes.values() if error and not (lacking and isinstance(error, ScopeError))]
    reasons: dict[object, str] = {}
    for error in errors:
        reason = (error.code, error.words) if isinstance(error, RequestError) and error.words else str(error)
        reasons.setdefault(reason, str(error))
    problems += reasons.values()
    organization: Mapping[str, Any] = next(iter(outcomes[ORGANIZATION][0].get("org") or []), {})
    elsewhere = memory.homes.check(memory.account, str(organization.get("zgid") or ""))
    problems += [elsewhere] if elsewhere else []
    return ZohoReport(
        accounts_url=accounts_url,
        api_domain=grant.details["api_domain"],
        organization=organization,
        currencies=_currencies(organization, outcomes[CURRENCIES][0]),
        permissions=tuple(permissions),
        credits_left=credits_left,
        problems=tuple(problems),
    )


def _lacking(scopes: Sequence[str]) -> str:
    return (
        f"The consent given to Zoho lacks {', '.join(scopes)}: run `freshbooks-zoho connect zoho` again, and with a "
        "self client give its code all the scopes that are shown."
    )


def _try(client: ZohoClient, check: Check) -> tuple[dict[str, Any], ZohoError | None]:
    """Make the call of a check; gives the answer, and why there is none."""
    body = {"select_query": check.coql} if check.coql else None
    try:
        return client.request(check.method, check.path, params=dict(check.query) or None, json=body).body or {}, None
    except RequestError as error:
        # Zoho's papers name three codes for an organization with one currency.
        return {}, None if check is CURRENCIES else error
    except ZohoError as error:
        return {}, error


def _currencies(organization: Mapping[str, Any], listed: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the active currencies, the home currency first."""
    home = organization.get("iso_code")
    active = [str(one["iso_code"]) for one in listed.get("currencies") or [] if one.get("is_active", True)]
    return tuple(dict.fromkeys([*([str(home)] if home else []), *active]))
