"""The sync: does somebody serve, are webhooks and channels alive, how did the last run end, is anything left over?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freshbooks_zoho.admin.objects import read_object
from freshbooks_zoho.admin.status import STALE, past_runs
from freshbooks_zoho.admin.wording import counted, span
from freshbooks_zoho.checks.examination import Finding, bad, ok, warning
from freshbooks_zoho.checks.machine import SET_CLOCK
from freshbooks_zoho.freshbooks.account import known_account
from freshbooks_zoho.freshbooks.subscription_store import SubscriptionStore
from freshbooks_zoho.freshbooks.subscriptions import STREAMS, Delete, Register, Subscription, base_url, plan
from freshbooks_zoho.runs.leadership import RENEW_SECONDS, TTL, lease_of
from freshbooks_zoho.settings import PLUGIN
from freshbooks_zoho.zoho import channels
from freshbooks_zoho.zoho.watch import PATH, ZOHO, load_channels

if TYPE_CHECKING:
    from datetime import datetime

    from freshbooks_zoho.checks.subject import Subject
    from freshbooks_zoho.freshbooks.subscriptions import Action
    from freshbooks_zoho.zoho.channels import Channel

SERVE = f"{PLUGIN} serve"
MISSED = 3
"""Renewals of the lease that may be late before its holder is thought to hang."""
NO_WEBHOOKS = "There is no public_url, so there are no webhooks: changes are found by the runs."


def serving(subject: Subject) -> Finding:
    """Does a process make the runs, and has it been heard of lately?"""
    account, now = known_account(subject.settings, subject.store), subject.clock()
    lease = subject.store.leases.last(lease_of(account)) if account else None
    if lease is None or not lease.owner:
        if subject.settings.public_url is None:
            return ok("No process serves: runs are made by whoever starts them.")
        return warning("No process serves, so webhooks go nowhere and nobody makes the runs.", SERVE)
    who = lease.owner.rpartition(":")[0].replace(":", ", process ")
    heard = lease.expires_at - TTL
    if lease.expires_at > now + 2 * TTL:
        return bad(
            f"The lease is held for another {span(lease.expires_at - now)} by {who}, whose clock was wrong: until then "
            "nobody can make the runs.",
            SET_CLOCK,
        )
    if lease.expires_at <= now:
        return bad(f"The process that served ({who}) ended without a word {span(now - heard)} ago.", SERVE)
    if (now - heard).total_seconds() > MISSED * RENEW_SECONDS:
        return warning(f"The process that serves ({who}) has not been heard of for {span(now - heard)}.", SERVE)
    return ok(f"{who} serves.")


def public_url(subject: Subject) -> Finding:
    """Does the public URL lead to the process that serves?"""
    url = subject.settings.public_url
    if url is None:
        return ok(NO_WEBHOOKS)
    answer = subject.get(f"{url}/healthz")
    if answer is not None and answer.ok and _is_ours(answer):
        return ok(f"{url} leads to {SERVE}.")
    said = "there is no answer" if answer is None else f"something else answers ({answer.status_code})"
    return bad(
        f"{url}/healthz does not lead to {SERVE}: {said}. Start it, then check DNS, certificate and proxy; a machine "
        "behind a firewall may be unable to reach its own public address.",
        SERVE,
    )


def _is_ours(answer: Any) -> bool:
    try:
        return bool(answer.json().get("status") == "ok")
    except (ValueError, AttributeError):
        return False


def callbacks(subject: Subject) -> Finding:
    """Has FreshBooks a verified callback for each kind of record, at the address where they are served?"""
    public = subject.settings.public_url
    if public is None:
        return ok(NO_WEBHOOKS)
    kept = SubscriptionStore(subject.store, subject.business.account_id)
    known = kept.load()
    subscriptions = [known.get(noun) or Subscription.new(noun) for noun in STREAMS]
    shaken = {number for noun in STREAMS for number in kept.handshakes(noun)}
    actions = plan(subscriptions, subject.callbacks(), base_url(public), shaken)
    wrong = dict.fromkeys(_wrong(action) for action in actions)
    if wrong:
        return bad(f"FreshBooks' callbacks: {', '.join(wrong)}; what changes is found only by the runs.", SERVE)
    return ok(f"FreshBooks' callbacks for {', '.join(STREAMS)} are registered and verified.")


def _wrong(action: Action) -> str:
    if isinstance(action, Register):
        return f"none for {action.noun}"
    if isinstance(action, Delete):
        return f"an outdated one ({action.callback_id})"
    return f"that for {action.noun} is not verified"


def zoho_channels(subject: Subject) -> Finding:
    """Are Zoho's channels alive, here and there, and renewed in time?"""
    if subject.settings.public_url is None:
        return ok(NO_WEBHOOKS)
    known = {one.module: one for one in load_channels(subject.store, subject.business.account_id)}
    now = subject.clock()
    problems = [said for module in subject.modules if (said := _about(subject, module, known.get(module), now))]
    if problems:
        return bad(" ".join(problems), SERVE)
    mine = [known[module] for module in subject.modules]
    left = span(min(one.expires_at - now for one in mine if one.expires_at is not None))
    late = [one.module for one in mine if (renew := channels.when_to_renew(one)) and now > renew + channels.OVERLAP]
    if late:
        return warning(f"Zoho's channels for {', '.join(late)} were not renewed in time; {left} are left.", SERVE)
    return ok(f"Zoho's channels for {', '.join(subject.modules)} are alive, for {left} at least.")


def _about(subject: Subject, module: str, channel: Channel | None, now: datetime) -> str | None:
    if channel is None:
        return f"There is no channel for {module}."
    if said := channels.problem(channel, now):
        return said
    answer = subject.session.zoho.request("GET", PATH, params={"channel_id": channel.channel_id, "module": module})
    there = any(str(row.get("channel_id")) == channel.channel_id for row in (answer.body or {}).get("watch") or ())
    return None if there else f"Zoho does not have the channel for {module} any more."


def last_run(subject: Subject) -> Finding:
    """Did the last run end well, and not too long ago?"""
    now = subject.clock()
    account = known_account(subject.settings, subject.store)
    runs = past_runs(subject.store, account, now)
    last = next((run for run in runs if run.kind != "objects"), None)
    if last is None:
        return warning("There has been no run of late.", subject.settings.project.run)
    ago = span(now - last.finished_at)
    if not last.ok:
        why = f": {last.reason}" if last.reason else "."
        return bad(f"The last run, {ago} ago, failed{why}", subject.settings.project.run)
    if now - last.finished_at > STALE:
        return warning(f"The last run ended well, but {ago} ago.", SERVE)
    return ok(f"The last run ended well {ago} ago.")


def objects(subject: Subject) -> Finding:
    """Is anything left to a person?"""
    account = known_account(subject.settings, subject.store)
    pending = [read_object(one) for one in subject.store.pending.all(account) if one.account != ZOHO]
    left = [one for one in pending if one.needs_a_person]
    if left:
        named = ", ".join(f"{one.stream} {one.id} ({one.state})" for one in left[:5])
        more = f" and {len(left) - 5} more" if len(left) > 5 else ""  # noqa: PLR2004
        return warning(
            f"{counted(len(left), 'object')} cannot be synced without you: {named}{more}.",
            f"{PLUGIN} status, then {PLUGIN} retry",
        )
    return ok(f"{counted(len(pending), 'object')} still to sync, none of which needs you.")
