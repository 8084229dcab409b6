"""Names belong to the administrator: labels and stages change, ids, API names and actual values stay."""

from __future__ import annotations

from support.zoho_api import UNIQUE, only

DECISION, ACTUAL = "Identify Decision Makers", "Id. Decision Makers"


def described(api, module, api_name):
    fields = api.get("settings/fields", module=module).json()["fields"]
    return next((each for each in fields if each["api_name"] == api_name), None)


def stage(api, name):
    """Return a stage as the field and as the pipeline describe it."""
    layout = api.box.zoho.organization.modules["Deals"].layout_id
    (pipeline,) = api.get("settings/pipeline", layout_id=layout).json()["pipeline"]
    values = described(api, "Deals", "Stage")["pick_list_values"]
    return [next(each for each in held if each["display_value"] == name) for held in (values, pipeline["maps"])]


def test_a_renamed_field_keeps_its_id_its_api_name_and_its_values(api):
    zoho = api.box.zoho
    key = api.field("Accounts", "FreshBooks ID", unique=UNIQUE)
    account = zoho.insert("Accounts", {"Account_Name": "A", key: "a:1"})
    before = described(api, "Accounts", key)
    zoho.rename_field("Accounts", key, "Invoice no.")
    after = described(api, "Accounts", key)
    assert (after["field_label"], after["display_label"]) == ("Invoice no.", "Invoice no.")
    assert (after["id"], after["api_name"]) == (before["id"], key)
    assert zoho.get("Accounts", account)[key] == "a:1"
    assert only(api.upsert("Accounts", {"Account_Name": "B", key: "a:1"}, by=[key]))["details"]["id"] == account


def test_a_label_that_was_renamed_is_free_for_a_twin(api):
    key = api.field("Accounts", "FreshBooks ID", unique=UNIQUE)
    api.box.zoho.rename_field("Accounts", key, "Money")
    assert api.field("Accounts", "FreshBooks ID") == "FreshBooks_ID1"
    refused = api.post("settings/fields?module=Accounts", {"fields": [{"field_label": "money", "data_type": "text"}]})
    assert only(refused, "fields")["code"] == "DUPLICATE_DATA"


def test_a_renamed_module_keeps_its_id_and_its_api_name(api):
    zoho = api.box.zoho
    zoho.add_custom_module("FreshBooks_Payments", "FreshBooks Payment", "FreshBooks Payments")
    (before,) = api.get("settings/modules/FreshBooks_Payments").json()["modules"]
    zoho.rename_module("FreshBooks_Payments", "Money received", "Moneys received")
    (after,) = api.get("settings/modules/FreshBooks_Payments").json()["modules"]
    assert (after["singular_label"], after["plural_label"]) == ("Money received", "Moneys received")
    assert (after["id"], after["api_name"]) == (before["id"], "FreshBooks_Payments")


def test_a_deleted_field_takes_its_values_along(api):
    zoho = api.box.zoho
    key = api.field("Accounts", "FreshBooks ID", unique=UNIQUE)
    account = zoho.insert("Accounts", {"Account_Name": "A", key: "a:1"})
    zoho.delete_field("Accounts", key)
    assert described(api, "Accounts", key) is None
    assert api.field("Accounts", "FreshBooks ID", unique=UNIQUE, length=3) == key
    assert zoho.get("Accounts", account)[key] is None
    assert only(api.upsert("Accounts", {"Account_Name": "B", key: "a:1"}, by=[key]))["action"] == "insert"
    assert only(api.upsert("Accounts", {"Account_Name": "B", key: "a:11"}))["details"]["maximum_length"] == 3


def test_a_renamed_stage_is_the_same_stage_everywhere(api):
    zoho = api.box.zoho
    before = stage(api, "Closed Won")
    deal = zoho.insert("Deals", {"Deal_Name": "D", "Stage": "Closed Won"})
    zoho.rename_stage("Closed Won", "Paid")
    after = stage(api, "Paid")
    assert [(each["id"], each["actual_value"], each["forecast_type"]) for each in after] == [
        (each["id"], "Closed Won", "Closed Won") for each in before
    ]
    assert zoho.get("Deals", deal)["Stage"] == "Paid"
    assert api.query("select id from Deals where Stage = 'Paid'") == [{"id": deal}]
    assert only(api.update("Deals", {"id": deal, "Stage": "Paid"}))["code"] == "SUCCESS"


def test_a_stage_may_be_called_otherwise_from_the_beginning_and_is_written_as_it_is_displayed(api):
    assert [each["actual_value"] for each in stage(api, DECISION)] == [ACTUAL, ACTUAL]
    written = api.insert("Deals", *({"Deal_Name": name, "Stage": name} for name in (DECISION, ACTUAL))).json()["data"]
    assert [each["code"] for each in written] == ["SUCCESS", "INVALID_DATA"]
    (deal,) = api.box.zoho.records("Deals")
    assert (deal["Stage"], deal["Probability"]) == (DECISION, 60)


def test_actual_values_are_read_only_where_switched_on(api):
    deal = api.box.zoho.insert("Deals", {"Deal_Name": "D", "Stage": DECISION})

    def read():
        queried = api.query("select Stage from Deals where id is not null")
        one = api.get(f"Deals/{deal}").json()["data"]
        listed = api.get("Deals", fields="Stage").json()["data"]
        return {row["Stage"] for row in (*queried, *one, *listed)}

    assert read() == {DECISION}
    api.box.zoho.switches.reads_actual_values = True
    assert read() == {ACTUAL}
    assert api.box.zoho.get("Deals", deal)["Stage"] == DECISION
    assert only(api.update("Deals", {"id": deal, "Stage": DECISION}))["code"] == "SUCCESS"


def test_the_places_of_values_are_numbered(api):
    values = described(api, "Deals", "Stage")["pick_list_values"]
    assert [each["sequence_number"] for each in values] == list(range(1, 10))
