"""What of an organization changes how records are written: said by setup, the plan, doctor and the run alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_zoho_crm.org.foreign import in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_zoho_crm.mapping.layout import Layout
    from target_zoho_crm.org.model import Organization
    from target_zoho_crm.org.requirements import Requirement

EDITIONS_WITH_CURRENCIES = frozenset({"enterprise", "zohoone", "ultimate", "crmplus"})
"""Where an administrator can switch several currencies on (Kaizen #52)."""


def cautions(
    organization: Organization, requirements: Mapping[str, Requirement], layouts: Mapping[str, Layout]
) -> tuple[str, ...]:
    """Return a sentence for each: currencies, unique fields, fields kept from the API, values that are not ours.

    Args:
        organization: as it was read.
        requirements: what each stream needs.
        layouts: where each stream goes.
    """
    said = [_currencies(organization)]
    said += [sentence for one in requirements.values() for sentence in _not_unique(one)]
    for layout in layouts.values():
        said += [*_unique_besides(layout), *_restricted(layout)]
        if layout.module in organization.foreign:
            said.append(in_words(layout, organization.foreign[layout.module]))
    return tuple(said)


def _currencies(organization: Organization) -> str:
    if organization.currencies is None:
        how = (
            "several can be switched on in Zoho CRM, Setup, General, Company Details, for good"
            if organization.edition in EDITIONS_WITH_CURRENCIES
            else "several need the Enterprise or Ultimate edition"
        )
        return (
            f"The organization has one currency, {organization.currency}: invoices in another show their amounts in "
            f"words, in the description, and not in the totals ({how})."
        )
    codes = ", ".join(sorted(organization.currencies))
    return (
        f"The organization has the currencies {codes}: a new record is made in its own, where it is one of these, else "
        f"in {organization.currency}, with its amounts in words. Zoho never changes the currency of a record that is "
        "there."
    )


def _not_unique(one: Requirement) -> list[str]:
    """Return a sentence if the field of the FreshBooks ID is not, or will not be, unique."""
    unique = [spec.label for spec in one.spec.fields if spec.unique and spec.label in one.plan.present]
    if one.unavailable or not (one.plan.downgraded or any(not one.plan.present[label].unique for label in unique)):
        return []
    sentence = (
        f"FreshBooks ID cannot be unique in {one.name}, whose two unique fields are used for something else, or it was "
        "made without: records are looked up before each write, which takes more calls, and Zoho itself does not "
        "refuse a second record of the same ID."
    )
    return [sentence]


def _unique_besides(layout: Layout) -> list[str]:
    """Return a sentence if other fields of theirs are unique: an upsert would take whatever has their values."""
    names = sorted(layout.destination.unique)
    if not names:
        return []
    sentence = (
        f"{layout.module} does not allow duplicates in {', '.join(names)}, which {layout.stream} fill: new records are "
        "inserted instead of upserted, so that none takes another's, and one whose value is taken lands without it (a "
        "client whose name is taken waits)."
    )
    return [sentence]


def _restricted(layout: Layout) -> list[str]:
    """Return a sentence if Zoho keeps fields from the API (GDPR): they can be written, and never compared."""
    names = ", ".join(sorted(layout.restricted))
    sentence = (
        f"{layout.module} keeps {names} from the API (privacy settings in Zoho): what {layout.stream} fill there is "
        "written when they change in FreshBooks, and what people change there is not seen."
    )
    return [sentence] if names else []
