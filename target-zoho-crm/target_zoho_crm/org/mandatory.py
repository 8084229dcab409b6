"""Fields that a layout makes mandatory and that nothing fills: known before the first record is refused for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_zoho_crm.mapping.layout import Layout
    from target_zoho_crm.org.model import Module
    from target_zoho_crm.org.requirements import Requirement

FILLED_BY_ZOHO = frozenset({"autonumber", "formula", "rollup_summary", "ownerlookup", "boolean"})
"""Types that Zoho fills by itself: with a number, a result, the user who gave the consent, or no tick."""


def unfilled(required: Requirement, layout: Layout, page_layout: str | None) -> list[str]:
    """Return a sentence if the layout that new records get has mandatory fields that neither mapping nor settings fill.

    Args:
        required: the module beside what is needed of it.
        layout: where the stream's records go.
        page_layout: Zoho's id of the layout that a new record names; None for the standard one.
    """
    module = required.module
    page = next((one for one in module.layouts if page_layout in (None, one.id)), None) if module else None
    if module is None or page is None:
        return []
    fields = {
        api_name: label
        for api_name, label in page.required.items()
        if api_name not in layout.fields and not _is_filled_by_zoho(module, api_name)
    }
    if not fields:
        return []
    names = ", ".join(repr(label) for label in fields.values())
    several = len(fields) > 1
    example = f'{{"{layout.stream}": {{"{next(iter(fields.values()))}": "=a value of your own"}}}}'
    them = "them" if several else "it"
    sentence = (
        f"The layout {page.name!r} of {module.api_name} makes the field{'s' * several} {names} mandatory, and nothing "
        f"fills {them}: make {them} optional (Zoho CRM, Setup, Modules and Fields, {module.api_name}, Layouts), or "
        f"fill {them} with the setting extra_fields, from a property of FreshBooks or with a value of your own: "
        f"{example}."
    )
    return [sentence]


def _is_filled_by_zoho(module: Module, api_name: str) -> bool:
    field = module.fields.get(api_name)
    return field is not None and (field.read_only or field.data_type in FILLED_BY_ZOHO)
