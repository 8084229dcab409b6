"""The Singer SDK's own tests of a target: its streams passed over, and written to modules of their names."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from cryptography.fernet import Fernet
from singer_sdk.testing import get_target_test_class, target_test_streams

from sandbox import Sandbox
from target_zoho_crm.target import TargetZohoCRM

NOT_CONNECTED = {"client_id": "1000.TEST", "client_secret": "none", "accounts_url": "http://127.0.0.1:9"}
KEYS = {
    "test_array_data": "id",
    "TestCamelcase": "Id",
    "ForecastingTypeToCategory": "Id",
    "test_duplicate_records": "id",
    "test_strings": "id",
    "test_strings_in_objects": "id",
    "test_strings_in_arrays": "id",
    "test_multiple_state_messages_a": "id",
    "test_multiple_state_messages_b": "id",
    "test_no_pk": "id",
    "test_optional_attributes": "id",
    "test_record_before_schema": "id",
    "record_missing_fields": "id",
    "test_schema_updates": "id",
    "test_users": "id",
    "test_locations": "id",
    "test_user_in_location": "id",
}
"""The streams that have a key, which becomes the field Reference: in Zoho, id is another thing."""
CONNECTED: dict[str, Any] = {
    "modules": dict.fromkeys(KEYS, "Reference"),
    "stream_maps": {
        stream: {
            "Reference": f"str({key})",
            "Name": f"str({key})",
            "__else__": None,
            "__key_properties__": ["Reference"],
        }
        for stream, key in KEYS.items()
    },
}


@pytest.fixture(scope="module", autouse=True)
def box(tmp_path_factory):
    """A Zoho with a module for each of the SDK's streams; the settings to reach it are in `CONNECTED`."""
    with Sandbox() as sandbox:
        organization = sandbox.zoho.organization
        for stream in KEYS:
            module = organization.add_module(stream, stream, stream, "Name of it")
            organization.add_field(module, organization.new_field("Reference", "text", length=100, unique=True))
        CONNECTED.update(
            client_id=sandbox.zoho.app.client_id,
            client_secret=sandbox.zoho.app.client_secret,
            refresh_token=sandbox.zoho.grant(),
            accounts_url=sandbox.zoho.accounts_url,
            store_url=f"sqlite:///{tmp_path_factory.mktemp('standard')}/store.db",
            store_key=Fernet.generate_key().decode(),
        )
        yield sandbox


TestPassedOver = get_target_test_class(TargetZohoCRM, config=NOT_CONNECTED)
TestWritten = get_target_test_class(TargetZohoCRM, config=CONNECTED)


FILES = {path.name.partition(".")[0]: path for path in files(target_test_streams).iterdir() if path.suffix == ".singer"}


@pytest.mark.parametrize(
    "name", ["array_data", "camelcase", "duplicate_records", "encoded_string_data", "schema_updates"]
)
def test_each_record_is_there_once(box, name):
    for stream in KEYS:
        for row in box.zoho.records(stream):
            box.zoho.delete(stream, row["id"])
    with FILES[name].open() as sent:
        TargetZohoCRM(config=CONNECTED).listen(sent)
    messages = [json.loads(line) for line in FILES[name].read_text().splitlines()]
    records = [one for one in messages if one["type"] == "RECORD"]
    assert records
    for stream in {one["stream"] for one in records}:
        sent_keys = {str(one["record"][KEYS[stream]]) for one in records if one["stream"] == stream}
        assert sorted(row["Reference"] for row in box.zoho.records(stream)) == sorted(sent_keys)
