"""Credentials are kept in the project's .env: private, by Meltano's names, beside what is there already."""

from __future__ import annotations

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.meltano_project import BIN, make_project

from freshbooks_zoho.onboarding.credentials import plain, redirect_uri, save
from freshbooks_zoho.onboarding.dialogue import has_display
from freshbooks_zoho.project import Project
from freshbooks_zoho.settings import SettingError, load

NAME = "TAP_FRESHBOOKS_CLIENT_SECRET"


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path, BIN / "meltano", "dev")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_only_for_its_owner(project):
    assert save(project, {NAME: "s3cret"}, {}) == []
    assert mode(project.root / ".env") == 0o600


def test_what_is_there_stays_and_others_can_read_it_no_more(project):
    file = project.root / ".env"
    file.write_text(f"# mine\nOTHER='a b'\n{NAME}=old\nLAST=1")
    file.chmod(0o644)

    save(project, {NAME: "new"}, {})

    assert file.read_text() == f"# mine\nOTHER='a b'\n{NAME}='new'\nLAST=1"
    assert mode(file) == 0o600


def test_a_file_elsewhere_that_is_linked_to_is_written_there(project, tmp_path_factory):
    real = tmp_path_factory.mktemp("elsewhere") / "secrets.env"
    real.touch()
    (project.root / ".env").symlink_to(real)

    save(project, {NAME: "new"}, {})

    assert (project.root / ".env").is_symlink()
    assert f"{NAME}='new'" in real.read_text()


def test_a_variable_of_the_environment_that_counts_more_is_told(project):
    save(project, {NAME: "old"}, {})

    assert save(project, {NAME: "new"}, {NAME: "another"}) == [NAME]
    assert save(project, {NAME: "newer"}, {NAME: "newer"}) == []


def test_what_meltano_itself_took_out_of_the_file_is_none(project):
    """Started by Meltano, the command has all of .env in its environment."""
    save(project, {NAME: "old"}, {})
    assert save(project, {NAME: "new"}, {NAME: "old"}) == []


def test_a_folder_that_cannot_be_written_to_is_a_sentence(project):
    (project.root / ".env").mkdir()
    with pytest.raises(SettingError, match=r"\.env cannot be written"):
        save(project, {NAME: "new"}, {})


@pytest.mark.parametrize("text", ["", "  ", "a b", "a$b", "a'b", 'a"b', "a\\b", "a`b", "ä", "a\x00b", "a\nb"])
def test_a_value_that_would_not_come_back_as_it_is_is_not_taken(text):
    with pytest.raises(ValueError, match="made of letters"):
        plain(text)


@given(st.text(st.sampled_from([chr(code) for code in range(33, 127) if chr(code) not in "$'\"\\`"]), min_size=1))
def test_what_is_taken_is_what_was_typed(text):
    assert plain(f" {text}\n") == text


@pytest.mark.parametrize("text", ["http://localhost/x", "https://", "https://a.example/?b=c", "https://a.example/#b"])
def test_freshbooks_leads_back_to_https_without_a_query(text):
    with pytest.raises(ValueError, match="https://"):
        redirect_uri(text)


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("darwin", {}, True),
        ("darwin", {"SSH_CONNECTION": "1 2 3 4"}, False),
        ("win32", {}, True),
    ],
)
def test_a_browser_is_opened_only_where_there_is_a_window_for_it(platform, environment, expected):
    assert has_display(platform, environment) is expected


def test_meltano_finds_what_was_kept(tmp_path, monkeypatch):
    root = make_project(tmp_path / "project")
    values = {
        "TAP_FRESHBOOKS_CLIENT_ID": "id#1",
        NAME: "s3cret!{}=",
        "TAP_FRESHBOOKS_REDIRECT_URI": "https://localhost/back",
        "TAP_FRESHBOOKS_ACCOUNT_ID": "ZyQ04o",
        "TARGET_ZOHO_CRM_CLIENT_ID": "1000.ABC",
        "TARGET_ZOHO_CRM_CLIENT_SECRET": "t",
        "TARGET_ZOHO_CRM_ACCOUNTS_URL": "https://accounts.zoho.eu",
    }
    save(Project(root, BIN / "meltano", "dev"), values, {})

    found = load({"PATH": str(BIN)}, root)

    assert [found.tap.client_id, found.tap.client_secret, found.tap.redirect_uri, found.tap.account_id] == list(
        values.values()
    )[:4]
    assert (found.target.client_id, found.target.accounts_url) == ("1000.ABC", "https://accounts.zoho.eu")
