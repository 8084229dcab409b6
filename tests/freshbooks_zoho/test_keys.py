"""`keys rotate`: what is encrypted anew, and what is said where nothing is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from support.pipeline import Pipeline
from support.shell import Shell

from freshbooks_zoho import settings
from freshbooks_zoho.project import Project
from singer_store import StoreError, open_store

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def pipeline(box, tmp_path):
    keyed = {"store_key": OLD}
    made = Pipeline(box, tmp_path, tap=keyed, target=keyed)
    made.run()
    return made


def rotate(pipeline, keys, folder, monkeypatch, *options):
    keyed = [{**plugin, "store_key": keys} for plugin in (pipeline.tap, pipeline.target)]
    found = settings.read(Project(folder, Path("meltano"), None), own={}, tap=keyed[0], target=keyed[1])
    return Shell(found, monkeypatch)("keys", "rotate", *options)


def test_a_new_key_in_front_encrypts_everything_and_the_old_one_may_go(pipeline, tmp_path, monkeypatch):
    code, said = rotate(pipeline, f"{NEW},{OLD}", tmp_path, monkeypatch)
    assert (code, said.partition(" ")[2]) == (0, "values were encrypted anew.\n")
    assert int(said.partition(" ")[0]) >= 2, "the tokens of both services"
    with pytest.raises(StoreError), open_store(pipeline.tap["store_url"], OLD):
        pass
    pipeline.tap["store_key"] = pipeline.target["store_key"] = NEW
    pipeline.run()


def test_a_script_gets_the_number(pipeline, tmp_path, monkeypatch):
    code, said = rotate(pipeline, f"{NEW},{OLD}", tmp_path, monkeypatch, "--json")
    assert code == 0
    assert json.loads(said)["encrypted"] >= 2
    again = rotate(pipeline, f"{NEW},{OLD}", tmp_path, monkeypatch, "--json")
    assert (again[0], json.loads(again[1])) == (0, {"encrypted": 0})


def test_without_a_new_key_it_says_how_to_give_one(pipeline, tmp_path, monkeypatch):
    code, said = rotate(pipeline, OLD, tmp_path, monkeypatch)
    assert code == 0
    assert "put a new one in front" in said
