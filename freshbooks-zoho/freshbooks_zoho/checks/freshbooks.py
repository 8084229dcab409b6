"""FreshBooks: does it answer, is it connected, is the business there, may everything be read?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from freshbooks_zoho.admin.wording import moment, span
from freshbooks_zoho.checks.examination import Finding, bad, ok, warning
from freshbooks_zoho.network import why_unreachable
from freshbooks_zoho.settings import PLUGIN
from tap_freshbooks.errors import AccessDeniedError
from tap_freshbooks.resources import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Callable

    from freshbooks_zoho.checks.subject import Subject

SERVER_ERROR, TIMEOUT = 500, 10.0


def reachable(service: str, url: Callable[[Subject], str]) -> Callable[[Subject], Finding]:
    """Make the check whether a server answers, whatever it says; its clock is noted."""

    def look(subject: Subject) -> Finding:
        address = url(subject)
        asked = subject.clock()
        try:
            answer = requests.get(address, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            return bad(f"There is no answer from {address}: {why_unreachable(error, subject.environment)}.")
        subject.see_clock(service, answer.headers, asked, subject.clock())
        if answer.status_code >= SERVER_ERROR:
            return bad(f"{address} answers {answer.status_code}: {service} has trouble of its own; try again later.")
        return ok(f"{address} answers.")

    return look


def connection(
    service: str, client_id: Callable[[Subject], str], seed: Callable[[Subject], str | None]
) -> Callable[[Subject], Finding]:
    """Make the check of what the store knows of a connection."""

    def look(subject: Subject) -> Finding:
        connect = f"{PLUGIN} connect {service.lower()}"
        found = subject.store.connection(service=service.lower(), client_id=client_id(subject), seed=seed(subject))
        if found is None and seed(subject):
            return ok("A refresh token is in the settings, and has not been used yet.")
        if found is None:
            return bad(f"{service} is not connected.", connect)
        if found.problem is not None:
            return bad(f"{service} has to be connected again: {found.problem}.", connect)
        now = subject.clock()
        if found.blocked_until is not None and found.blocked_until > now:
            return warning(
                f"The last attempt to renew the access token of {service} failed; the next one is made after "
                f"{moment(found.blocked_until)}."
            )
        if found.issued_at is None:
            return ok("Connected; no access token has been made yet.")
        return ok(f"Connected; the access token is {span(now - found.issued_at)} old and renewed by itself.")

    return look


def business(subject: Subject) -> Finding:
    """Does FreshBooks take the token, and is the account one of the user's?"""
    found = subject.business
    return ok(f"The account {found.account_id} is there.")


def scopes(subject: Subject) -> Finding:
    """May all three kinds of records be read?"""
    account, client = subject.business.account_id, subject.session.freshbooks
    lacking = []
    for resource in RESOURCES.values():
        path = f"/accounting/account/{account}/{resource.path}"
        try:
            client.get(path, [("per_page", "1")], what=resource.name, scope=resource.scope)
        except AccessDeniedError:
            lacking.append(resource)
    if not lacking:
        return ok(f"{', '.join(RESOURCES)} may be read.")
    return bad(
        f"{', '.join(one.name for one in lacking)} may not be read: that takes the scopes "
        f"{', '.join(one.scope for one in lacking)} in FreshBooks' developer settings and in the consent, and a user "
        "whose role may read them.",
        f"{PLUGIN} connect freshbooks",
    )
