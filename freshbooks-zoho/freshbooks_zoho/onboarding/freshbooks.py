"""After FreshBooks' consent: tokens kept, the business chosen, scopes tried, and the last invoices shown as proof."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from freshbooks_zoho.console import ATTENTION, OK
from freshbooks_zoho.freshbooks.account import remember, remembered
from freshbooks_zoho.onboarding.credentials import save
from freshbooks_zoho.project import variable
from freshbooks_zoho.settings import PLUGIN
from tap_freshbooks.account import Business, businesses, choose
from tap_freshbooks.auth import Authorizer, open_broker
from tap_freshbooks.client import FreshBooksClient
from tap_freshbooks.consent import missing_scopes, scopes_advice
from tap_freshbooks.errors import AccessDeniedError, FreshBooksError, SettingError
from tap_freshbooks.resources import INVOICES, RESOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from freshbooks_zoho.console import Console
    from freshbooks_zoho.project import Project
    from singer_store import Grant, Store
    from tap_freshbooks.resources import Resource
    from tap_freshbooks.settings import Settings

SHOWN = 5


@dataclass(frozen=True)
class Invoice:
    """An invoice, as a person knows it; the amount is a decimal number as FreshBooks writes it."""

    number: str
    customer: str
    amount: str
    currency: str
    status: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Invoice:
        """Read FreshBooks' record."""
        amount = row.get("amount") or {}
        person = f"{row.get('fname') or ''} {row.get('lname') or ''}".strip()
        return cls(
            number=str(row.get("invoice_number") or row.get("id") or ""),
            customer=row.get("current_organization") or row.get("organization") or person,
            amount=str(amount.get("amount") or ""),
            currency=str(amount.get("code") or row.get("currency_code") or ""),
            status=str(row.get("v3_status") or ""),
        )


@dataclass(frozen=True)
class FreshBooksReport:
    """How FreshBooks is connected.

    Attributes:
        business: that is read; None if none could be chosen.
        found: all businesses of the user.
        invoices: the latest ones.
        problems: what has to be put right, a sentence each.
    """

    business: Business | None = None
    found: tuple[Business, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    problems: tuple[str, ...] = field(default=())

    @property
    def exit_code(self) -> int:
        """`ATTENTION` if there are problems: connected it is."""
        return ATTENTION if self.problems else OK

    def as_json(self) -> dict[str, Any]:
        """Give everything for a program."""
        return {
            "service": "freshbooks",
            "connected": True,
            "account_id": self.business and self.business.account_id,
            "businesses": [{"account_id": one.account_id, "name": one.name} for one in self.found],
            "problems": list(self.problems),
            "invoices": [one.__dict__ for one in self.invoices],
        }

    def show(self, console: Console) -> None:
        """Show it to a person."""
        which = f": {self.business.name} (account {self.business.account_id})" if self.business else ""
        console.line(f"Connected to FreshBooks{which}.", "good")
        for problem in self.problems:
            console.line(problem, "bad")
        if self.invoices:
            console.line()
            console.line("The latest invoices:", "heading")
            rows = [(one.number, one.customer, one.amount, one.currency, one.status) for one in self.invoices]
            console.table(("Number", "Customer", "Amount", "Currency", "Status"), rows, right=("Amount",))
        elif self.business and not self.problems:
            console.line("This business has no invoices yet.")


def finish(  # noqa: PLR0913
    project: Project,
    settings: Settings,
    store: Store,
    grant: Grant,
    *,
    account_id: str | None = None,
    ask: Callable[[Sequence[Business], str | None], str] | None = None,
) -> FreshBooksReport:
    """Keep the tokens, then look at what they are good for. What is wrong is in the report: connected it is.

    Args:
        project: whose .env the chosen account is written to, where there are several.
        settings: of the tap.
        store: takes the tokens.
        grant: of the consent.
        account_id: the business that is wanted.
        ask: chooses among several, given the one of the settings; None where nobody can be asked.

    Raises:
        StoreError: if the tokens cannot be kept.
    """
    broker = open_broker(store, settings)
    broker.connect(grant)
    lacking = missing_scopes(grant.details.get("scope"))
    problems = [f"The consent given to FreshBooks is too narrow: {scopes_advice(lacking)}"] if lacking else []
    found: list[Business] = []
    business: Business | None = None
    invoices: tuple[Invoice, ...] = ()
    agent = f"{PLUGIN}/{version(PLUGIN)}"
    with closing(FreshBooksClient(settings.api_url, Authorizer(broker), user_agent=agent)) as client:
        try:
            found = businesses(client.me().payload)
            business = _choose(found, settings.account_id, account_id, ask)
            problems += _keep(project, settings, store, business, several=len(found) > 1)
            invoices = _try(client, business, lacking, problems)
        except (FreshBooksError, SettingError) as error:
            problems.append(str(error))
    return FreshBooksReport(business, tuple(found), invoices, tuple(problems))


def _choose(
    found: list[Business],
    configured: str | None,
    wanted: str | None,
    ask: Callable[[Sequence[Business], str | None], str] | None,
) -> Business:
    """Choose the business: the one that is wanted, the only one, the one of the settings, or the one that is said."""
    if wanted is not None or len(found) <= 1:
        return choose(found, wanted)
    if ask is not None:
        return choose(found, ask(found, configured))
    return choose(found, configured)


def _keep(project: Project, settings: Settings, store: Store, business: Business, *, several: bool) -> list[str]:
    """Remember which business it is; gives what has to be said about that."""
    problems = []
    chosen, before = business.account_id, settings.account_id or remembered(settings, store)
    if settings.account_id != chosen and (several or settings.account_id):
        name = variable(project.extractor, "account_id")
        if save(project, {name: chosen}):
            problems.append(f"The environment sets {name} to another account, which counts more than .env: unset it.")
    if before not in (None, chosen):
        problems.append(
            f"The business is another one than before ({before}): what is in Zoho of that one stays as it is. Restart "
            "`freshbooks-zoho serve`, if it runs."
        )
    remember(settings, store, chosen)
    return problems


def _try(
    client: FreshBooksClient, business: Business, lacking: Sequence[str], problems: list[str]
) -> tuple[Invoice, ...]:
    """Read a little of each kind, since a scope may be missing, or the user's role too small; gives the invoices."""
    invoices: tuple[Invoice, ...] = ()
    for resource in RESOURCES.values():
        try:
            rows = _latest(client, business, resource)
        except AccessDeniedError as error:
            if resource.scope not in lacking:
                problems.append(str(error))
            continue
        if resource is INVOICES:
            invoices = tuple(Invoice.of(row) for row in rows)
    return invoices


def _latest(client: FreshBooksClient, business: Business, resource: Resource) -> list[dict[str, Any]]:
    path = f"/accounting/account/{business.account_id}/{resource.path}"
    params = [("per_page", str(SHOWN))]
    if resource is INVOICES:
        params.append(("sort", "invoice_date_desc"))
    answer = client.get(path, params, what=f"The latest {resource.name}", scope=resource.scope)
    result = (answer.payload.get("response") or {}).get("result") or {}
    return list(result.get(resource.name) or [])
