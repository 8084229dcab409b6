"""Layouts and what belongs to them: pipelines, the firm's own stages, mandatory fields, values that nobody lists."""

from __future__ import annotations

import pytest
from support.zoho_api import only

DEAL = {"Deal_Name": "D", "Stage": "Closed Won"}
BILLING = {"Sales by invoice": ["Negotiation/Review", "Closed Won"]}
OWN = {"Angebot": "Open", "Rechnung": "Open", "Gewonnen": "Closed Won", "Verloren": "Closed Lost"}


@pytest.fixture
def layouts(api):
    """The ids of Deals' two layouts by name; the second has a pipeline of its own."""
    api.box.zoho.add_layout("Deals", "Billing", BILLING)
    return {each["name"]: each["id"] for each in api.get("settings/layouts", module="Deals").json()["layouts"]}


def pipelines(api, layout_id):
    return api.get("settings/pipeline", layout_id=layout_id).json()["pipeline"]


def shown(api, layout_id, module="Deals"):
    """Return the fields of a layout by API name."""
    (layout,) = api.get(f"settings/layouts/{layout_id}", module=module).json()["layouts"]
    return {each["api_name"]: each for section in layout["sections"] for each in section["fields"]}


def associated(api, api_name, module="Deals"):
    fields = api.get("settings/fields", module=module, type="all").json()["fields"]
    (field,) = [each for each in fields if each["api_name"] == api_name]
    return [each["name"] for each in field["layout_associations"]]


class TestSeveralLayouts:
    def test_each_has_its_own_pipelines(self, api, layouts):
        assert layouts.keys() == {"Standard", "Billing"}
        names = {name: [each["display_value"] for each in pipelines(api, layouts[name])] for name in layouts}
        assert names == {"Standard": ["Standard (Standard)"], "Billing": ["Sales by invoice"]}
        assert pipelines(api, layouts["Billing"])[0]["default"] is True

    def test_each_has_a_default_of_its_own(self, api, layouts):
        api.box.zoho.add_pipeline("Mine", ["Closed Won"], default=True, layout="Billing")
        defaults = {
            name: [each["display_value"] for each in pipelines(api, layouts[name]) if each["default"]]
            for name in layouts
        }
        assert defaults == {"Standard": ["Standard (Standard)"], "Billing": ["Mine"]}

    def test_a_pipeline_is_made_in_the_layout_that_is_named(self, api, layouts):
        stages = [
            {"id": each["id"], "sequence_number": 1}
            for each in shown(api, layouts["Billing"])["Stage"]["pick_list_values"][:1]
        ]
        wanted = {"display_value": "Another", "maps": stages}
        answer = api.post(f"settings/pipeline?layout_id={layouts['Billing']}", {"pipeline": [wanted]})
        assert only(answer, "pipeline")["message"] == "Pipeline created successfully"
        assert [each["display_value"] for each in pipelines(api, layouts["Billing"])] == ["Sales by invoice", "Another"]
        assert api.get("settings/pipeline", layout_id="1").json()["message"] == "Invalid layoutid"

    @pytest.mark.parametrize(("layout", "pipeline"), [(None, "Sales by invoice"), ("Billing", "Standard (Standard)")])
    def test_a_deal_of_another_layouts_pipeline_is_refused(self, api, layouts, layout, pipeline):
        named = {"Layout": {"id": layouts[layout]}} if layout else {}
        refused = only(api.insert("Deals", {**DEAL, "Pipeline": pipeline, **named}))
        assert (refused["code"], refused["message"]) == ("MAPPING_MISMATCH", "Layout doesn't contain the Pipeline")
        assert refused["details"] == {
            "mapped_field": "Layout",
            "api_name": "Pipeline",
            "json_path": "$.data[0].Pipeline",
        }

    def test_a_deal_keeps_the_layout_that_it_was_made_with(self, api, layouts):
        billing = {"Pipeline": "Sales by invoice", "Layout": {"id": layouts["Billing"]}}
        deal = only(api.upsert("Deals", {**DEAL, **billing}))["details"]["id"]
        assert api.box.zoho.layout_of("Deals", deal) == "Billing"
        moved = {"id": deal, "Stage": "Negotiation/Review", "Pipeline": "Sales by invoice"}
        assert only(api.update("Deals", moved))["code"] == "SUCCESS"
        assert only(api.update("Deals", {**moved, "Pipeline": "Standard (Standard)"}))["code"] == "MAPPING_MISMATCH"
        back = {**moved, "Pipeline": "Standard (Standard)", "Layout": {"id": layouts["Standard"]}}
        assert only(api.update("Deals", back))["code"] == "SUCCESS"
        assert api.box.zoho.layout_of("Deals", deal) == "Standard"

    def test_a_layout_that_there_is_not_is_refused(self, api, layouts):
        pipeline = {"Pipeline": "Standard (Standard)"}
        refused = only(api.insert("Deals", {**DEAL, **pipeline, "Layout": {"id": "1"}}))
        assert (refused["code"], refused["details"]["api_name"]) == ("INVALID_DATA", "Layout")

    def test_a_field_that_the_named_layout_does_not_show_may_be_passed_over(self, api, layouts):
        name = api.field("Deals", "Region")
        billing = {**DEAL, name: "EU", "Pipeline": "Sales by invoice", "Layout": {"id": layouts["Billing"]}}
        for keeps in (True, False):
            api.box.zoho.switches.named_layout_keeps_other_fields = keeps
            deal = only(api.insert("Deals", billing))["details"]["id"]
            assert api.box.zoho.get("Deals", deal)[name] == ("EU" if keeps else None)

    def test_a_field_made_through_the_api_is_in_the_standard_layout_only(self, api, layouts):
        name = api.field("Deals", "Region")
        assert associated(api, name) == ["Standard"]
        assert associated(api, "Amount") == ["Standard", "Billing"]
        assert name in shown(api, layouts["Standard"])
        assert name not in shown(api, layouts["Billing"])


class TestMandatoryFields:
    @pytest.fixture(autouse=True)
    def centre(self, api):
        name = api.field("Deals", "Cost Centre")
        api.box.zoho.require("Deals", name)
        return name

    def test_the_layout_says_so_and_the_field_does_not(self, api, centre):
        layout = api.box.zoho.organization.modules["Deals"].layout_id
        fields = api.get("settings/fields", module="Deals").json()["fields"]
        assert [name for name, each in shown(api, layout).items() if each["required"]] == ["Deal_Name", "Stage", centre]
        assert [each["api_name"] for each in fields if each["system_mandatory"]] == ["Deal_Name", "Stage"]

    def test_a_new_record_needs_it_and_an_old_one_does_not(self, api, centre):
        refused = only(api.upsert("Deals", DEAL))
        assert (refused["code"], refused["details"]["api_name"]) == ("MANDATORY_NOT_FOUND", centre)
        deal = only(api.upsert("Deals", {**DEAL, centre: "7"}))["details"]["id"]
        assert only(api.update("Deals", {"id": deal, "Amount": 1}))["code"] == "SUCCESS"

    def test_it_may_count_only_where_the_record_names_its_layout(self, api, centre):
        api.box.zoho.switches.layout_mandatory = "with_layout"
        layout = {"id": api.box.zoho.organization.modules["Deals"].layout_id}
        results = api.insert("Deals", DEAL, {**DEAL, "Layout": layout}).json()["data"]
        assert [each["code"] for each in results] == ["SUCCESS", "MANDATORY_NOT_FOUND"]

    def test_it_is_one_layouts_own(self, api, centre):
        zoho = api.box.zoho
        billing = {"Layout": {"id": zoho.add_layout("Deals", "Billing", BILLING)}, "Pipeline": "Sales by invoice"}
        assert only(api.insert("Deals", {**DEAL, **billing}))["code"] == "SUCCESS"
        zoho.require("Deals", "Next_Step", "Billing")
        refused = only(api.insert("Deals", {**DEAL, **billing}))
        assert refused["details"]["api_name"] == "Next_Step"

    def test_a_field_or_layout_that_there_is_not_is_a_mistake_of_the_test(self, box):
        for wrong in (("Deals", "Nothing"), ("Deals", "Amount", "Nowhere")):
            with pytest.raises(LookupError):
                box.zoho.require(*wrong)


class TestValuesThatNobodyLists:
    @pytest.mark.parametrize("code", ["INVALID_DATA", "DEPENDENT_FIELD_MISSING", "PATTERN_NOT_MATCHED"])
    def test_a_field_over_a_global_set_refuses_what_is_not_in_it(self, api, code):
        api.box.zoho.restrict("Accounts", "Billing_State", ["Bayern", "Berlin"], code)
        fields = api.get("settings/fields", module="Accounts").json()["fields"]
        (state,) = [each for each in fields if each["api_name"] == "Billing_State"]
        assert (state["data_type"], state["pick_list_values"]) == ("text", [])
        states = ({"Account_Name": name, "Billing_State": name} for name in ("Bayern", "BY"))
        taken, refused = api.insert("Accounts", *states, {"Account_Name": "C", "Billing_State": ""}).json()["data"][:2]
        assert (taken["code"], refused["code"]) == ("SUCCESS", code)
        details = refused["details"]
        assert (details["api_name"], details["json_path"]) == ("Billing_State", "$.data[1].Billing_State")
        assert details.get("dependee") == (
            {"api_name": "Billing_Country"} if code == "DEPENDENT_FIELD_MISSING" else None
        )
        assert {row["Account_Name"] for row in api.box.zoho.records("Accounts")} == {"Bayern", "C"}


class TestOwnStages:
    def test_the_firms_own_stages_are_the_only_ones_and_say_their_kind(self, api):
        zoho = api.box.zoho
        zoho.use_own_stages(OWN)
        (pipeline,) = pipelines(api, zoho.organization.modules["Deals"].layout_id)
        assert {each["display_value"]: each["forecast_type"] for each in pipeline["maps"]} == OWN
        (stage,) = [
            each for each in api.get("settings/fields", module="Deals").json()["fields"] if each["api_name"] == "Stage"
        ]
        assert {each["display_value"]: each["forecast_type"] for each in stage["pick_list_values"]} == OWN
        assert only(api.insert("Deals", DEAL))["code"] == "INVALID_DATA"
        api.insert("Deals", *({"Deal_Name": name, "Stage": name} for name in OWN))
        assert [row["Probability"] for row in zoho.records("Deals")] == [50, 50, 100, 0]

    def test_a_pipeline_brings_the_kinds_of_its_new_stages(self, api):
        api.box.zoho.add_pipeline("Invoices", {"Bezahlt": "Closed Won", "Closed Lost": "Open"})
        made = pipelines(api, api.box.zoho.organization.modules["Deals"].layout_id)[1]
        kinds = {each["display_value"]: each["forecast_type"] for each in made["maps"]}
        assert kinds == {"Bezahlt": "Closed Won", "Closed Lost": "Closed Lost"}

    def test_a_kind_that_there_is_not_is_a_mistake_of_the_test(self, box):
        with pytest.raises(ValueError, match="Won"):
            box.zoho.use_own_stages({"Gewonnen": "Won"})
