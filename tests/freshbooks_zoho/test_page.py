"""The status page: what it shows, what its buttons do, and whom it refuses."""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
import requests
from cryptography.fernet import Fernet
from support.browser import Watcher, browser, overflow
from support.companion import Readiness, free_port
from support.meltano_project import BIN, make_project, plugin_settings
from support.pipeline import Pipeline
from support.serving import Served, eventually
from support.shell import Shell

from freshbooks_zoho.admin import chart
from freshbooks_zoho.admin.access import Failures, Guarded, check_exposure
from freshbooks_zoho.admin.metrics import Metrics
from freshbooks_zoho.admin.page import StatusPage
from freshbooks_zoho.admin.past_runs import PastRun
from freshbooks_zoho.project import Project
from freshbooks_zoho.runs.leadership import TTL, lease_of
from freshbooks_zoho.serve import serve
from freshbooks_zoho.server import HttpServer
from freshbooks_zoho.settings import SettingError, read
from freshbooks_zoho.webhooks.app import admin_app
from singer_store import open_store

LINE = {"name": "Design", "qty": "1", "unit_cost": {"amount": "10.10", "code": "USD"}}
PASSWORD = "pässword with: colon"
NOON = datetime(2026, 6, 30, 12, tzinfo=timezone.utc)


class AdminPort:
    """The admin port over a store, in a thread of its own."""

    def __init__(self, settings, store, password=None):
        self.settings, self.store, self.seconds = settings, store, 0.0
        self.readiness = Readiness()
        page = StatusPage(settings, store).app()
        app = admin_app(Metrics().registry, self.readiness, page, details=password is None)
        self._app = Guarded(app, host=settings.admin_host, password=password, clock=lambda: self.seconds)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.session = requests.Session()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self):
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self.session.close()

    async def _serve(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = HttpServer(self._app, "127.0.0.1", int(self.url.rpartition(":")[2]))
        await server.start()
        self._ready.set()
        await self._stop.wait()
        await server.stop()

    def get(self, path="/", **options):
        return self.session.get(self.url + path, timeout=10, **options)

    def token(self):
        return re.search(r'name="token" value="([0-9a-f]{64})"', self.get().text)[1]

    def post(self, path, *, headers=None, **form):
        return self.session.post(self.url + path, data=form, headers=headers, timeout=10, allow_redirects=False)

    def pending(self):
        return {(one.stream, one.object_id): one for one in self.store.pending.all()}


@pytest.fixture
def settings(box, tmp_path):
    with Pipeline(box, tmp_path, tap={"account_id": "A"}).session() as session:
        return session.settings


@pytest.fixture
def store(settings):
    with open_store(settings.store_url, settings.store_key) as opened:
        for number in (5, 6, "<script>"):
            opened.pending.fail(
                "A", "invoices", str(number), "rejected", error={"code": "INVALID_DATA", "field": "Fax"},
                now=datetime.now(timezone.utc),
            )  # fmt: skip
        yield opened


@pytest.fixture
def admin(settings, store):
    with AdminPort(settings, store) as port:
        yield port


# What the buttons need


def test_a_button_of_the_page_does_what_it_says_and_leads_back_to_it(admin):
    answer = admin.post("/retry", token=admin.token(), object="A/invoices/5")
    assert (answer.status_code, answer.headers["location"]) == (303, "./")
    assert admin.pending()["invoices", "5"].reason == "retry"
    assert admin.pending()["invoices", "6"].reason == "rejected"
    assert "1 object to be synced again with the next run." in admin.get().text
    assert "to be synced again" not in admin.get().text

    assert admin.post("/dismiss", token=admin.token(), object=["A/invoices/5", "A/invoices/99"]).status_code == 303
    assert ("invoices", "5") not in admin.pending()
    text = " ".join(admin.get().text.split())
    assert "1 object dismissed. 1 object had landed, or had been dismissed, before." in text


def test_the_page_loads_itself_again_only_while_a_process_is_at_what_was_asked_for(admin):
    admin.post("/retry", token=admin.token(), object="A/invoices/5")
    assert "http-equiv" not in admin.get().text
    admin.store.leases.acquire(lease_of("A"), "host:1:x", TTL)
    assert 'http-equiv="refresh"' in admin.get().text
    admin.post("/dismiss", token=admin.token(), object="A/invoices/5")
    assert "http-equiv" not in admin.get().text


def test_all_of_a_section_are_those_that_it_shows(admin):
    admin.store.pending.queue("A", "clients", ["1"], "event", now=datetime.now(timezone.utc))
    admin.post("/dismiss", token=admin.token(), all="person")
    assert set(admin.pending()) == {("clients", "1")}


def test_without_the_session_and_its_token_nothing_is_done(admin):
    token = admin.token()
    stranger = requests.post(admin.url + "/retry", data={"token": token, "all": "person"}, timeout=10)
    assert stranger.status_code == 403
    assert admin.post("/retry", all="person").status_code == 403
    assert admin.post("/retry", token="0" * 64, all="person").status_code == 403
    other = AdminPort(admin.settings, admin.store)
    with other:
        # Another process' token; browsers send the cookie to all ports of a host.
        theirs = other.token()
    assert admin.post("/retry", token=theirs, all="person").status_code == 403
    assert {one.reason for one in admin.pending().values()} == {"rejected"}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_origin_gets_nothing_done_even_with_the_token(admin, origin):
    answer = admin.post("/dismiss", token=admin.token(), all="person", headers={"Origin": origin})
    assert (answer.status_code, len(admin.pending())) == (403, 3)
    assert admin.post("/dismiss", token=admin.token(), all="person", headers={"Origin": admin.url}).status_code == 303


def test_the_session_s_cookie_is_for_this_page_only(admin):
    cookie = admin.get().headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()


@pytest.mark.parametrize("path", ["/retry/", "/dismiss/", "/metrics/", "/healthz/"])
def test_a_slash_too_many_is_another_path(admin, path):
    answers = (admin.get(path, allow_redirects=False), admin.post(path))
    assert [(answer.status_code, answer.headers.get("Location")) for answer in answers] == [(404, None)] * 2


def test_what_is_no_form_of_the_page_is_refused(admin):
    assert admin.get("/retry").status_code == 405
    assert admin.post("/retry", token="x" * 70_000).status_code == 413
    many = {"token": admin.token(), "object": [f"A/invoices/{n}" for n in range(300)]}
    assert admin.post("/retry", **many).status_code == 400
    assert {one.reason for one in admin.pending().values()} == {"rejected"}


# What it shows


def test_the_page_brings_all_it_needs_and_lets_nothing_else_in(admin):
    answer = admin.get()
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert not re.findall(r"""(?:src|href|action)=["']?(?:https?:)?//""", answer.text)
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_the_page_holds_no_secret(admin, settings):
    text = admin.get().text
    secrets = (
        settings.tap.client_secret,
        settings.tap.refresh_token,
        settings.target.client_secret,
        settings.store_key,
    )
    assert [word for word in secrets if word in text] == []


def test_where_the_store_cannot_be_read_the_page_says_so(admin, settings):
    path = settings.store_url.removeprefix("sqlite:///")
    admin.store.close()
    with open(path, "r+b") as file:  # noqa: PTH123
        file.write(b"no database" * 20)
    answer = admin.get()
    assert answer.status_code == 503
    assert "Traceback" not in answer.text


def past(hours, *, ok=True, **counts):
    began = NOON - timedelta(hours=hours)
    return PastRun("serve", "changes", began, began, "ok" if ok else "failed", counts=counts)


def test_a_bar_is_two_hours_and_shows_what_failed_in_them():
    found = chart.bars([past(1, created=2, unchanged=9), past(1.5, updated=1), past(2, ok=False), past(300)], NOON)
    assert [(bar.place, bar.ok > 0, bar.failed > 0) for bar in found] == [(6 * 12 + 5, True, True)]
    assert found[0].title == "Tue 30 Jun 10:00-12:00 UTC: 3 runs, 1 failed, 3 records written"
    assert found[0].ok + found[0].failed <= chart.HEIGHT


def test_one_run_among_hundreds_is_still_seen():
    found = chart.bars([past(24, ok=False), *[past(1)] * 500], NOON)
    assert found[0].failed >= 8


# Whom it refuses


def test_a_name_that_is_not_this_machine_s_is_not_answered_to(admin):
    """A page of a stranger may let its own name point here: then the browser takes this for its origin."""
    for host in ("evil.example", "evil.example:8081", "127.0.0.1.evil.example", "[oops"):
        for path in ("/", "/metrics"):
            answer = admin.get(path, headers={"Host": host})
            assert answer.status_code in {400, 403}, host
            assert "invoices" not in answer.text
    for host in ("localhost:9", "127.0.0.1", "[::1]:8081", "LOCALHOST"):
        assert admin.get(headers={"Host": host}).status_code == 200, host
    assert admin.get("/healthz", headers={"Host": "10.0.0.7"}).status_code == 200


@pytest.fixture
def protected(settings, store):
    with AdminPort(settings, store, PASSWORD) as port:
        yield port


def test_with_a_password_only_who_knows_it_sees_page_and_metrics(protected):
    right = ("anyone", PASSWORD.encode())
    for path in ("/", "/metrics"):
        refused = protected.get(path)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
        assert protected.get(path, auth=("anyone", "password")).status_code == 401
        assert protected.get(path, auth=right, headers={"Host": "status.example.com"}).status_code == 200
        assert protected.get(path, headers={"Authorization": "Basic !!"}).status_code == 401
        assert protected.get(path, headers={"Authorization": "Bearer x"}).status_code == 401
    assert protected.post("/dismiss", all="person").status_code == 401
    assert len(protected.pending()) == 3


def test_health_needs_no_password_and_tells_strangers_no_details(protected):
    protected.readiness.sentences = ["The last run failed"]
    assert protected.get("/healthz").status_code == 200
    assert protected.get("/readyz").json() == {"status": "not ready", "problems": 1}


def test_who_guesses_has_to_wait_also_with_the_right_password(protected):
    for _ in range(5):
        assert protected.get(auth=("a", "wrong")).status_code == 401
    refused = protected.get(auth=("a", PASSWORD.encode()))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "61")
    protected.seconds = 60
    assert protected.get(auth=("a", PASSWORD.encode())).status_code == 200


def test_the_list_of_who_guesses_does_not_grow_without_end():
    failures = Failures(remembered=3)
    for number in range(3):
        failures.note(f"10.0.0.{number}", 0.0)
    assert failures.wait("10.0.0.9", 1.0) > 0
    assert failures.wait("10.0.0.1", 1.0) == 0
    assert failures.wait("10.0.0.9", 61.0) == 0
    assert not failures._times


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "status.example.com"])
def test_serve_does_not_start_where_others_could_look_in_without_a_password(settings, host):
    with pytest.raises(SettingError, match="admin_password") as refused:
        asyncio.run(serve(replace(settings, admin_host=host)))
    assert str(refused.value).count(". ") == 0
    check_exposure(replace(settings, admin_host=host, admin_password=PASSWORD))
    assert PASSWORD not in repr(replace(settings, admin_password=PASSWORD))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_this_machine_needs_no_password(settings, host):
    check_exposure(replace(settings, admin_host=host))


# In a browser, with the real thing behind it


@pytest.mark.timeout(400)
def test_in_a_browser_a_rejected_record_is_shown_and_retry_makes_it_land(box, tmp_path, monkeypatch):
    key, url = Fernet.generate_key().decode(), f"sqlite:///{tmp_path}/store/store.db"
    plugins = plugin_settings(box, url, key)
    project = make_project(tmp_path / "project", **plugins)
    tap, target = plugins["tap_freshbooks"], plugins["target_zoho_crm"]
    shell = Shell(read(Project(project, BIN / "meltano", "dev"), own={}, tap=tap, target=target), monkeypatch)
    books, zoho = box.freshbooks, box.zoho
    client = books.create_client(organization="Alder Ltd", email="alder@example.com")
    first, second = (books.create_invoice(client["id"], [LINE])["id"] for _ in range(2))
    zoho.refuse("Deals", {"code": "INVALID_DATA", "details": {"api_name": "Deal_Name", "maximum_length": 12}})

    def landed():
        return {int(row["FreshBooks_ID"].rpartition(":")[2]) for row in zoho.records("Deals")}

    with open_store(url, key) as store, Served(project, debounce=0.2) as served, browser() as chromium:
        eventually(lambda: {one.reason for one in store.pending.all()} == {"rejected"})
        page = chromium.new_page(java_script_enabled=False)
        watcher = Watcher(page)
        page.goto(f"http://127.0.0.1:{served.admin_port}/")
        row = page.get_by_role("row", name=f"invoice {first}")
        assert "INVALID_DATA in Deal_Name, expected: maximum_length 12" in row.inner_text()
        assert "Shorten it in FreshBooks" in row.inner_text()
        assert "Alder" not in page.content()

        for width in (1100, 375):
            page.set_viewport_size({"width": width, "height": 800})
            assert overflow(page) == 0

        # By the command, too: it finds the process that serves, and has the same effect.
        zoho.allow()
        code, said = shell("retry", "invoices", str(second))
        assert (code, "within seconds" in said) == (0, True)
        page.get_by_role("button", name=f"Retry invoice {first}").click()
        assert "1 object to be synced again within seconds" in page.get_by_role("status").inner_text()
        eventually(lambda: landed() == {first, second})
        eventually(lambda: page.reload() and "All is well" in page.title())
        assert overflow(page) == 0

        assert watcher.said == []
        assert watcher.asked == {"127.0.0.1"}
        assert served.says(f"invoices {first} was retried on the status page.")
        assert served.stop() == 0
