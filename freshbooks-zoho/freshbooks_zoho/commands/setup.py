"""`setup`: makes Zoho ready."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from freshbooks_zoho.admin.wording import counted
from freshbooks_zoho.commands.session import json_option, session
from freshbooks_zoho.console import ATTENTION, OK, Console, emit, working
from target_zoho_crm.org.home import BRING_ALL

if TYPE_CHECKING:
    from freshbooks_zoho.zoho.setup import Prospect
    from target_zoho_crm.org.requirements import Requirement


@click.command()
@click.option("--pipeline", metavar="NAME", help="Use this sales pipeline for the invoices; it is made if need be.")
@click.option("--yes", is_flag=True, help="Create what is missing without asking.")
@click.option(
    "--adopt", "adopts", is_flag=True, help="Go on in another Zoho organization than before: all is brought there."
)
@json_option
def setup(*, pipeline: str | None, yes: bool, adopts: bool, as_json: bool) -> None:
    """Make Zoho ready: show what is missing, ask, create it, and read it back.

    Without a terminal and without --yes it only shows what it would create. Running it again changes nothing.

    If the connection leads to another organization than the one records were written to, it creates nothing there
    before you confirm it, with --adopt or on the terminal; then everything is brought there.

    Exit code 3: something is missing, or is left for you to do.
    """
    from freshbooks_zoho.zoho.setup import adopt, create, look  # noqa: PLC0415 - loaded where it is needed

    console = Console()
    with session() as opened:
        settings, wanted = opened.settings.target, (pipeline or "").strip() or None
        with working("Looking at the organization"):
            found = look(opened.zoho, settings, opened.memory, wanted)
        brought = None
        if found.survey.elsewhere and (adopts or _confirms(console, found.survey.elsewhere, as_json=as_json)):
            brought = adopt(opened.memory)
            found = look(opened.zoho, settings, opened.memory, wanted)
        asks = not yes and not as_json and not found.is_complete and not found.blocking
        if asks:
            SetupReport(found).show(console)
        may = yes or (asks and console.is_terminal and sys.stdin.isatty() and click.confirm("Create this?"))
        if asks and not may:
            sys.exit(ATTENTION)
        before = found
        if may and not found.is_complete and not found.blocking:
            with working("Creating, and reading it back"):
                found = create(opened.zoho, settings, opened.memory, before)
        spent = opened.zoho.usage.credits
    sys.exit(emit(SetupReport(found, before, spent, brought), as_json=as_json))


def _confirms(console: Console, question: str, *, as_json: bool) -> bool:
    """Return whether a person at the terminal says that the other organization is meant."""
    if as_json or not (console.is_terminal and sys.stdin.isatty()):
        return False
    console.line(question, "warning")
    return click.confirm("Is it meant, and is everything to be brought there?")


@dataclass(frozen=True)
class SetupReport:
    """What Zoho has and lacks.

    Attributes:
        now: as it is.
        before: as it was, where something was created since.
        spent: API credits that looking and creating have cost.
        brought: how many objects were queued for an organization that has just been adopted; None where none was.
    """

    now: Prospect
    before: Prospect | None = None
    spent: int | None = None
    brought: int | None = None

    @property
    def exit_code(self) -> int:
        """`ATTENTION` if something is missing, or left to a person."""
        return OK if self.now.is_complete and not self.now.to_do else ATTENTION

    def as_json(self) -> dict[str, Any]:
        """Give everything for a program."""
        organization, state = self.now.survey.organization, self.now.survey.pipeline
        return {
            "organization": {
                "id": organization.id,
                "edition": organization.edition,
                "currency": organization.currency,
                "currencies": sorted(organization.currencies or [organization.currency]),
            },
            "modules": [_module(stream, one) for stream, one in self.now.survey.requirements.items()],
            "pipeline": state
            and {
                "name": state.name,
                "to_create": state.wanted if state.can_be_made else None,
                "stages": list(state.needed),
                "missing_stages": list(state.missing if state.chosen else state.unknown),
                "stage_of": dict(state.table.stages),
            },
            "to_create": [str(one) for one in self.now.creations],
            "created": self._created,
            "credits": self.now.credits,
            "credits_spent": self.spent,
            "to_do": list(self.now.to_do),
            "limits": list(self.now.limits),
            "advice": [*self._adopted, *self.now.advice],
        }

    @property
    def _adopted(self) -> list[str]:
        """Return what follows from going on in another organization."""
        if self.brought is None:
            return []
        sentence = (
            f"From now on records are written to this organization. {counted(self.brought, 'object')} that the former "
            f"one has are queued for the next runs; to bring everything at once, run: {BRING_ALL}"
        )
        return [sentence]

    @property
    def _created(self) -> list[str]:
        """Name what is there now and was not before."""
        if self.before is None:
            return []
        created = []
        for stream, one in self.before.survey.requirements.items():
            now = self.now.survey.requirements[stream]
            labels = [spec.label for spec in one.plan.missing if spec.label in now.plan.present]
            if labels and now.module:
                created.append(f"{now.module.label}: {', '.join(labels)}")
        if self.before.pipeline and self.now.pipeline is None:
            created.append(f"the pipeline {self.before.pipeline.wanted!r}")
        return created

    def show(self, console: Console) -> None:
        """Show what is there, then what is missing and what it costs, then what is left to a person."""
        organization = self.now.survey.organization
        several = ", ".join(sorted(organization.currencies or [organization.currency]))
        console.line(f"Zoho CRM organization {organization.id}, edition {organization.edition}, {several}", "heading")
        _show_modules(console, self.now)
        for title, sentences, style in (
            ("Created now", self._created, "good"),
            ("To be created", self._to_create(), ""),
            ("For you to do", self.now.to_do, "warning"),
            ("What this organization cannot have", self.now.limits, ""),
            ("Another organization", self._adopted, "warning"),
            ("Good to know", self.now.advice, "quiet"),
        ):
            if sentences:
                console.line()
                console.line(title, "heading")
                for sentence in sentences:
                    console.line(f"- {sentence}", style)
        console.line()
        console.line(*self._conclusion())

    def _to_create(self) -> list[str]:
        said = [str(one) for one in self.now.creations]
        if self.now.pipeline:
            stages = ", ".join(self.now.pipeline.needed)
            said.append(f"the pipeline {self.now.pipeline.wanted!r} with the stages {stages} (3 credits)")
        return said

    def _conclusion(self) -> tuple[str, str]:
        if self.now.blocking:
            return "Nothing was created: first do what is left to you.", "bad"
        spent = f" It took {counted(self.spent, 'API credit')}." if self._created and self.spent else ""
        if self.now.refused:
            return f"Zoho refused something, see what is for you to do.{spent}", "bad"
        if not self.now.is_complete:
            cost = counted(self.now.credits, "API credit")
            return (
                f"Creating this costs {cost}. Nothing has been created yet; to create it without being asked: "
                "freshbooks-zoho setup --yes"
            ), "warning"
        if self.now.to_do:
            return f"There is nothing to create, but something for you to do.{spent}", "warning"
        if self._created:
            return f"Zoho is ready.{spent}", "good"
        return "Zoho is ready; nothing had to be created.", "good"


def _module(stream: str, one: Requirement) -> dict[str, Any]:
    return {
        "stream": stream,
        "module": one.module.api_name if one.module else None,
        "label": one.module.label if one.module else one.spec.name,
        "fields": {label: field.api_name for label, field in one.plan.present.items()},
        "missing": [field.label for field in one.plan.missing] if not one.unavailable else [],
        "unavailable": one.unavailable,
    }


def _show_modules(console: Console, now: Prospect) -> None:
    rows: list[list[object]] = []
    for stream, one in now.survey.requirements.items():
        name = one.module.label if one.module else one.spec.name
        wanted = len(one.spec.fields)
        there = f"{len(one.plan.present)} of {wanted} fields" if one.module else "missing"
        rows.append([stream, name, "refused" if one.unavailable else there])
    console.table(["from FreshBooks", "in Zoho", "there"], rows)
    state = now.survey.pipeline
    if state is not None and state.chosen is not None and state.chosen.name:
        console.line(f"Pipeline of the deals: {state.chosen.name}")
    if state is not None and state.explained:
        console.line(state.explained)
