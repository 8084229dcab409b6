"""The Singer SDK's own tests of a target; their streams are none of FreshBooks', so they are passed over."""

from __future__ import annotations

from singer_sdk.testing import get_target_test_class

from target_zoho_crm.target import TargetZohoCRM

SETTINGS = {"client_id": "1000.TEST", "client_secret": "none", "accounts_url": "http://127.0.0.1:9"}

TestStandard = get_target_test_class(TargetZohoCRM, config=SETTINGS)
