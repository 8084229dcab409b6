"""What stands before the API: paths, headers, tokens, scopes."""

from __future__ import annotations

import pytest
import requests
from support.zoho_api import ZohoApi


def test_without_a_header_authentication_fails(box):
    answer = requests.get(f"{box.zoho.api_domain}/crm/v8/org")
    assert (answer.status_code, answer.json()) == (
        401,
        {"code": "AUTHENTICATION_FAILURE", "details": {}, "message": "Authentication failed", "status": "error"},
    )


@pytest.mark.parametrize("header", ["Zoho-oauthtoken 1000.a.b", "Bearer {token}", "{token}"])
def test_only_zohos_own_scheme_with_a_live_token_is_taken(api, header):
    token = api.session.headers["Authorization"].split()[1]
    api.session.headers["Authorization"] = header.format(token=token)
    answer = api.get("org")
    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_TOKEN")


def test_bearer_and_the_code_of_a_dead_token_are_switches(api):
    api.box.zoho.switches.accepts_bearer = True
    api.box.zoho.switches.dead_credential_code = "INVALID_OAUTHTOKEN"
    token = api.session.headers["Authorization"].split()[1]
    api.session.headers["Authorization"] = f"Bearer {token}"
    assert api.get("org").status_code == 200
    api.box.zoho.revoke_access_tokens()
    answer = api.get("org")
    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_OAUTHTOKEN")


def test_unknown_paths_methods_and_modules_are_told_apart(api):
    unknown = api.get("no/such/path/at/all")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "INVALID_URL_PATTERN")
    old = api.session.get(f"{api.domain}/crm/v1/org")
    assert old.json()["message"] == "Please check if the URL trying to access is a correct one"
    method = api.call("PATCH", "org")
    assert (method.status_code, method.json()["code"]) == (400, "INVALID_REQUEST_METHOD")
    module = api.upsert("Payments", {"Name": "1"})
    assert (module.status_code, module.json()) == (
        400,
        {
            "code": "INVALID_MODULE",
            "details": {"resource_path_index": 0},
            "message": "the module name given seems to be invalid",
            "status": "error",
        },
    )


CALLS = {
    "org": ("GET", "org", None),
    "fields": ("GET", "settings/fields?module=Deals", None),
    "new field": ("POST", "settings/fields?module=Deals", {"fields": [{"field_label": "A", "data_type": "text"}]}),
    "modules": ("GET", "settings/modules", None),
    "layouts": ("GET", "settings/layouts?module=Deals", None),
    "upsert accounts": ("POST", "Accounts/upsert", {"data": [{"Account_Name": "A"}]}),
    "insert accounts": ("POST", "Accounts", {"data": [{"Account_Name": "A"}]}),
    "update accounts": ("PUT", "Accounts", {"data": [{"id": "1"}]}),
    "delete accounts": ("DELETE", "Accounts?ids=1", None),
    "read accounts": ("GET", "Accounts?fields=id", None),
    "query accounts": ("POST", "coql", {"select_query": "select id from Accounts where id is not null"}),
    "search accounts": ("GET", "Accounts/search?word=a", None),
    "read custom": ("GET", "Payments_Made?fields=id", None),
    "watch": ("GET", "actions/watch", None),
    "new watch": ("POST", "actions/watch", {"watch": []}),
    "end watch": ("DELETE", "actions/watch?channel_ids=1", None),
    "currencies": ("GET", "org/currencies", None),
}


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        ([], set()),
        (["ZohoCRM.org.READ"], {"org"}),
        (["ZohoCRM.settings.fields.READ"], {"fields"}),
        (["ZohoCRM.settings.fields.ALL"], {"fields", "new field"}),
        (["ZohoCRM.settings.ALL"], {"fields", "new field", "modules", "layouts", "currencies"}),
        (["ZohoCRM.modules.accounts.READ"], {"read accounts"}),
        (["ZohoCRM.modules.Accounts.CREATE"], {"upsert accounts", "insert accounts"}),
        (["ZohoCRM.modules.accounts.WRITE"], {"upsert accounts", "insert accounts", "update accounts"}),
        (["ZohoCRM.modules.accounts.UPDATE"], {"update accounts"}),
        (["ZohoCRM.modules.accounts.DELETE"], {"delete accounts"}),
        (["ZohoCRM.modules.deals.ALL"], set()),
        (["ZohoCRM.modules.custom.READ"], {"read custom"}),
        (["ZohoCRM.modules.READ"], {"read accounts", "read custom"}),
        (["ZohoCRM.coql.READ"], set()),
        (["ZohoCRM.modules.accounts.READ", "ZohoCRM.coql.READ"], {"read accounts", "query accounts"}),
        (["ZohoCRM.modules.accounts.READ", "ZohoSearch.securesearch.READ"], {"read accounts", "search accounts"}),
        (["ZohoCRM.notifications.READ"], {"watch"}),
        (["ZohoCRM.notifications.WRITE"], {"new watch"}),
        (["ZohoCRM.notifications.ALL"], {"watch", "new watch", "end watch"}),
        (["ZohoCRM.settings.currencies.READ"], {"currencies"}),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else "",
)
def test_a_scope_allows_its_calls_and_no_others(box, scopes, allowed):
    box.zoho.add_custom_module("Payments_Made", "Payment", "Payments")
    api = ZohoApi(box, scopes)
    found = set()
    for name, (method, path, body) in CALLS.items():
        answer = api.call(method, path, json=body)
        if answer.status_code == 401:
            assert answer.json() == {
                "code": "OAUTH_SCOPE_MISMATCH",
                "details": {},
                "message": "Unauthorized",
                "status": "error",
            }
        else:
            found.add(name)
    assert found == allowed
    api.close()


def test_a_body_that_is_no_json_object_is_refused(api):
    answer = api.call("POST", "Accounts/upsert", data="{")
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "code": "INVALID_DATA",
            "details": {"expected_data_type": "jsonobject"},
            "message": "body",
            "status": "error",
        },
    )
    assert api.call("POST", "Accounts/upsert", data="[]").json()["code"] == "INVALID_DATA"
    assert api.call("POST", "Accounts/upsert", data='{"data": [{"Employees": NaN}]}').status_code == 400
