"""What a new organization looks like, and what can be added to it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.zoho_api import UNIQUE, ZohoApi, only

STAGES = [
    "Qualification",
    "Needs Analysis",
    "Value Proposition",
    "Identify Decision Makers",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
    "Closed Lost to Competition",
]


def fields(api: ZohoApi, module: str) -> dict[str, dict]:
    return {each["api_name"]: each for each in api.get("settings/fields", module=module).json()["fields"]}


class TestNewOrganization:
    def test_it_has_the_standard_modules(self, api):
        modules = api.get("settings/modules").json()["modules"]
        assert [each["api_name"] for each in modules] == ["Leads", "Accounts", "Contacts", "Deals"]
        assert {each["generated_type"] for each in modules} == {"default"}
        assert api.get("settings/modules/Deals").json()["modules"][0]["singular_label"] == "Deal"
        assert [each["sequence_number"] for each in modules] == [1, 2, 3, 4]

    def test_a_module_says_its_status_and_nothing_of_being_visible(self, api):
        api.box.zoho.organization.modules["Leads"].status = "user_hidden"
        modules = api.get("settings/modules").json()["modules"]
        assert [each["status"] for each in modules] == ["user_hidden", "visible", "visible", "visible"]
        assert all("visible" not in each for each in modules)

    def test_it_says_who_it_is(self, api):
        org = api.get("org").json()["org"][0]
        assert org["zgid"] == org["id"]
        assert (org["iso_code"], org["time_zone"], org["type"]) == ("USD", "Asia/Kolkata", "production")
        assert org["license_details"]["paid_type"] == "enterprise"
        api.box.zoho.edition = "free"
        assert api.get("org").json()["org"][0]["license_details"]["paid_type"] == "free"

    def test_its_fields_say_what_they_take(self, api):
        accounts, deals = fields(api, "Accounts"), fields(api, "Deals")
        name = accounts["Account_Name"]
        assert (name["data_type"], name["length"], name["system_mandatory"]) == ("text", 200, True)
        assert (name["custom_field"], name["unique"], name["external"]) == (False, {}, None)
        assert deals["Deal_Name"]["length"] == 120
        assert deals["Account_Name"]["data_type"] == "lookup"
        assert deals["Account_Name"]["lookup"]["module"]["api_name"] == "Accounts"
        assert deals["Amount"]["decimal_place"] == 2
        assert deals["Modified_Time"]["read_only"] is True
        assert [each["display_value"] for each in deals["Stage"]["pick_list_values"]] == STAGES
        assert {name for name, each in deals.items() if each["system_mandatory"]} == {"Deal_Name", "Stage"}
        assert "Currency" not in deals

    def test_it_has_one_layout_and_one_pipeline_with_all_stages(self, api):
        (layout,) = api.get("settings/layouts", module="Deals").json()["layouts"]
        (pipeline,) = api.get("settings/pipeline", layout_id=layout["id"]).json()["pipeline"]
        assert (pipeline["display_value"], pipeline["default"]) == ("Standard (Standard)", True)
        assert [each["display_value"] for each in pipeline["maps"]] == STAGES
        assert pipeline["maps"][6]["forecast_category"]["name"] == "Closed Won"
        assert api.get("settings/pipeline").json()["code"] == "REQUIRED_PARAM_MISSING"

    def test_fields_need_a_module_that_exists(self, api):
        assert api.get("settings/fields").json() == {
            "code": "REQUIRED_PARAM_MISSING",
            "details": {"param_name": "module"},
            "message": "One of the expected parameter is missing",
            "status": "error",
        }
        assert api.get("settings/fields", module="Payments").json()["code"] == "INVALID_MODULE"


class TestCreatingFields:
    def create(self, api, *sent, module="Deals"):
        return api.post(f"settings/fields?module={module}", {"fields": list(sent)})

    def test_a_field_is_made_and_its_api_name_derived_from_the_label(self, api):
        answer = self.create(api, {"field_label": "FreshBooks Invoice Id", "data_type": "text", "unique": UNIQUE})
        assert answer.status_code == 201
        result = only(answer, "fields")
        assert (result["code"], result["message"], result["status"]) == ("SUCCESS", "field created", "success")
        made = next(each for each in fields(api, "Deals").values() if each["id"] == result["details"]["id"])
        assert made["api_name"] == "FreshBooks_Invoice_Id"
        assert (made["custom_field"], made["unique"], made["length"]) == (True, {"case_sensitive": False}, 255)

    @pytest.mark.parametrize(
        ("label", "api_name"), [("Paid (%)", "Paid"), ("A & B", "A_B"), ("Stage.", "Stage1"), ("2nd", "field_2nd")]
    )
    def test_api_names_have_no_other_characters_and_do_not_clash(self, api, label, api_name):
        assert api.field("Deals", label) == api_name

    @pytest.mark.parametrize(
        ("sent", "code", "details"),
        [
            ({"data_type": "text"}, "MANDATORY_NOT_FOUND", {"api_name": "field_label"}),
            ({"field_label": "A"}, "MANDATORY_NOT_FOUND", {"api_name": "data_type"}),
            ({"field_label": "x" * 26, "data_type": "text"}, "INVALID_DATA", {"maximum_length": 25}),
            ({"field_label": "amount", "data_type": "text"}, "DUPLICATE_DATA", {"api_name": "field_label"}),
            ({"field_label": "A", "data_type": "money"}, "INVALID_DATA", {"api_name": "data_type"}),
            ({"field_label": "A", "data_type": "text", "length": 256}, "DEPENDENT_MISMATCH", {"maximum_length": 255}),
            ({"field_label": "A", "data_type": "currency", "unique": UNIQUE}, "NOT_ALLOWED", {"api_name": "unique"}),
            (
                {"field_label": "A", "data_type": "text", "unique": {"case_sensitive": True}},
                "INVALID_DATA",
                {"api_name": "case_sensitive"},
            ),
            (
                {"field_label": "A", "data_type": "text", "unique": {"casesensitive": False}},
                "INVALID_DATA",
                {"api_name": "case_sensitive"},
            ),
            ({"field_label": "A", "data_type": "picklist"}, "MANDATORY_NOT_FOUND", {"api_name": "pick_list_values"}),
            ({"field_label": "A", "data_type": "lookup"}, "MANDATORY_NOT_FOUND", {"api_name": "module"}),
            (
                {"field_label": "A", "data_type": "lookup", "lookup": {"module": {"api_name": "Nothing"}}},
                "INVALID_DATA",
                {"api_name": "module"},
            ),
        ],
        ids=str,
    )
    def test_what_it_refuses(self, api, sent, code, details):
        before = fields(api, "Deals").keys()
        answer = self.create(api, sent)
        result = only(answer, "fields")
        assert (answer.status_code, result["code"], result["status"]) == (400, code, "error")
        assert details.items() <= result["details"].items()
        assert fields(api, "Deals").keys() == before

    def test_five_a_call(self, api):
        sent = [{"field_label": f"F{number}", "data_type": "text"} for number in range(6)]
        answer = self.create(api, *sent)
        assert (answer.status_code, answer.json()["details"]["maximum_length"]) == (400, 5)
        assert self.create(api, *sent[:5]).status_code == 201

    def test_results_have_the_order_of_the_call(self, api):
        answer = self.create(
            api, {"field_label": "One", "data_type": "text"}, {"field_label": "Stage", "data_type": "text"}
        )
        assert answer.status_code == 207
        assert [each["status"] for each in answer.json()["fields"]] == ["success", "error"]

    def test_two_unique_fields_are_the_most(self, api):
        unique = [{"field_label": f"Key {number}", "data_type": "text", "unique": UNIQUE} for number in range(3)]
        results = self.create(api, *unique).json()["fields"]
        assert [each["code"] for each in results] == ["SUCCESS", "SUCCESS", "LIMIT_EXCEEDED"]

    def test_a_test_can_use_them_up(self, api):
        api.box.zoho.use_up_unique_fields("Deals")
        answer = self.create(api, {"field_label": "Mine", "data_type": "text", "unique": UNIQUE})
        assert only(answer, "fields")["code"] == "LIMIT_EXCEEDED"
        assert self.create(api, {"field_label": "Mine", "data_type": "text"}).status_code == 201

    def test_each_edition_has_its_number_of_custom_fields(self, api):
        api.box.zoho.edition = "standard"
        for number in range(10):
            api.field("Deals", f"F{number}")
        refused = only(self.create(api, {"field_label": "One more", "data_type": "text"}), "fields")
        assert (refused["code"], refused["details"]["limit"]) == ("FIELD_LIMIT_EXCEEDED", 10)
        api.box.zoho.switches.field_limit_code = "LIMIT_EXCEEDED"
        refused = only(self.create(api, {"field_label": "One more", "data_type": "text"}), "fields")
        assert refused["code"] == "LIMIT_EXCEEDED"
        assert api.field("Accounts", "Another module's")

    @pytest.mark.parametrize("module", [{"api_name": "Deals"}, "id"])
    def test_a_lookup_leads_to_a_module(self, api, module):
        if module == "id":
            module = {"id": api.get("settings/modules/Deals").json()["modules"][0]["id"]}
        api.field("Accounts", "Last Deal", "lookup", lookup={"module": module})
        assert fields(api, "Accounts")["Last_Deal"]["lookup"]["module"]["api_name"] == "Deals"

    def test_an_existing_field_becomes_unique_unless_it_holds_duplicates(self, api):
        name = api.field("Deals", "Number")
        field_id = fields(api, "Deals")[name]["id"]
        change = {"fields": [{"unique": UNIQUE}]}
        for _ in range(2):
            api.box.zoho.insert("Deals", {"Deal_Name": "a", "Stage": "Closed Won", name: "SAME"})
        refused = api.call("PATCH", f"settings/fields/{field_id}?module=Deals", json=change)
        assert only(refused, "fields")["code"] == "DUPLICATE_DATA"
        api.box.zoho.delete("Deals", api.box.zoho.records("Deals")[0]["id"])
        assert api.call("PATCH", f"settings/fields/{field_id}?module=Deals", json=change).status_code == 200
        assert fields(api, "Deals")[name]["unique"] == {"case_sensitive": False}

    @pytest.mark.parametrize("as_text", [False, True])
    def test_without_permission_nothing_is_made(self, api, as_text):
        api.box.zoho.forbid("customize")
        api.box.zoho.switches.permissions_as_text = as_text
        answer = self.create(api, {"field_label": "A", "data_type": "text"})
        assert (answer.status_code, answer.json()["code"]) == (403, "NO_PERMISSION")
        missing = "Crm_Implied_Customize_Zoho_CRM"
        assert answer.json()["details"] == {"permissions": missing if as_text else [missing]}
        api.box.zoho.permit()
        assert self.create(api, {"field_label": "A", "data_type": "text"}).status_code == 201


class TestCreatingPipelines:
    @pytest.fixture
    def layout(self, api):
        return api.get("settings/layouts", module="Deals").json()["layouts"][0]["id"]

    def stages(self, api, *names):
        choices = {each["display_value"]: each for each in fields(api, "Deals")["Stage"]["pick_list_values"]}
        return [
            {"display_value": name, "id": choices[name]["id"], "sequence_number": number}
            for number, name in enumerate(names, 1)
        ]

    def test_a_pipeline_is_made_of_stages_that_there_are(self, api, layout):
        wanted = {"display_value": "FreshBooks", "maps": self.stages(api, "Negotiation/Review", "Closed Won")}
        answer = api.post(f"settings/pipeline?layout_id={layout}", {"pipeline": [wanted]})
        assert (answer.status_code, only(answer, "pipeline")["code"]) == (201, "SUCCESS")
        shown = api.get("settings/pipeline", layout_id=layout).json()["pipeline"]
        assert [(each["display_value"], each["default"]) for each in shown] == [
            ("Standard (Standard)", True),
            ("FreshBooks", False),
        ]
        assert [each["display_value"] for each in shown[1]["maps"]] == ["Negotiation/Review", "Closed Won"]
        assert "FreshBooks" in [each["display_value"] for each in fields(api, "Deals")["Pipeline"]["pick_list_values"]]

    def test_what_it_refuses(self, api, layout):
        path, stages = f"settings/pipeline?layout_id={layout}", self.stages(api, "Closed Won")
        for wanted, code in (
            ({"maps": stages}, "MANDATORY_NOT_FOUND"),
            ({"display_value": "A"}, "MANDATORY_NOT_FOUND"),
            ({"display_value": "A", "maps": [{"id": "1", "sequence_number": 1}]}, "INVALID_DATA"),
            ({"display_value": "standard (standard)", "maps": stages}, "DUPLICATE_DATA"),
        ):
            answer = api.post(path, {"pipeline": [wanted]})
            assert (answer.status_code, only(answer, "pipeline")["code"]) == (400, code)

    def test_an_organization_may_use_none(self, api, layout):
        api.box.zoho.switch_pipelines_off()
        assert api.get("settings/pipeline", layout_id=layout).status_code == 204
        assert "Pipeline" not in fields(api, "Deals")
        result = only(api.insert("Deals", {"Deal_Name": "D", "Stage": "Closed Won", "Pipeline": "Nowhere"}))
        assert result["code"] == "SUCCESS"
        assert api.box.zoho.records("Deals")[0]["Probability"] == 100


class TestCreatingModules:
    @pytest.fixture
    def wanted(self, api):
        profiles = api.get("settings/modules/Deals").json()["modules"][0]["profiles"]
        return {
            "singular_label": "FreshBooksPayment",
            "plural_label": "FreshBooks Payments",
            "api_name": "FreshBooks_Payments",
            "profiles": [{"id": profiles[0]["id"]}],
            "display_field": {"field_label": "Payment Name", "data_type": "text"},
        }

    def test_a_module_is_made_with_a_name_and_costs_500_credits(self, api, wanted):
        before = api.box.zoho.credits_used
        answer = api.post("settings/modules", {"modules": [wanted]})
        assert (answer.status_code, only(answer, "modules")["message"]) == (201, "module created successfully")
        assert api.box.zoho.credits_used - before == 500
        name = fields(api, "FreshBooks_Payments")["Name"]
        assert (name["field_label"], name["system_mandatory"]) == ("Payment Name", True)
        (module,) = api.get("settings/modules/FreshBooks_Payments").json()["modules"]
        assert module["generated_type"] == "custom"

    def test_its_records_match_on_name_unless_told_otherwise(self, api, wanted):
        api.post("settings/modules", {"modules": [wanted]})
        key = api.field("FreshBooks_Payments", "FreshBooks ID", unique=UNIQUE)
        assert only(api.upsert("FreshBooks_Payments", {"Name": "1", key: "a:1"}))["action"] == "insert"
        assert only(api.upsert("FreshBooks_Payments", {"Name": "1"}))["duplicate_field"] == "Name"
        assert only(api.upsert("FreshBooks_Payments", {"Name": "2", key: "A:1"}, by=[key]))["duplicate_field"] == key

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"singular_label": "x" * 26}, "INVALID_DATA"),
            ({"plural_label": "Payments!"}, "INVALID_DATA"),
            ({"plural_label": None}, "MANDATORY_NOT_FOUND"),
            ({"profiles": None}, "MANDATORY_NOT_FOUND"),
            ({"profiles": [{"id": "1"}]}, "INVALID_DATA"),
            ({"api_name": "FreshBooks__Payments"}, "INVALID_DATA"),
            ({"api_name": "Payments_"}, "INVALID_DATA"),
            ({"api_name": "1st"}, "INVALID_DATA"),
            ({"api_name": "x" * 51}, "INVALID_DATA"),
            ({"api_name": "Deals"}, "DUPLICATE_DATA"),
            ({"plural_label": "deals"}, "DUPLICATE_DATA"),
        ],
    )
    def test_what_it_refuses(self, api, wanted, change, code):
        answer = api.post("settings/modules", {"modules": [{**wanted, **change}]})
        assert (answer.status_code, only(answer, "modules")["code"]) == (400, code)

    def test_a_taken_singular_label_is_refused_flat(self, api, wanted):
        answer = api.post("settings/modules", {"modules": [{**wanted, "singular_label": "deal"}]})
        assert answer.status_code == 400
        assert (answer.json()["code"], answer.json()["details"]["api_name"]) == ("DUPLICATE_DATA", "singular_label")

    @pytest.mark.parametrize("costs", [True, False])
    def test_a_refused_module_costs_as_much_as_one_that_is_made(self, api, wanted, costs):
        api.box.zoho.switches.refused_module_costs = costs
        before = api.box.zoho.credits_used
        for change in ({"singular_label": "deal"}, {"api_name": "Deals"}):  # refused flat and wrapped
            assert api.post("settings/modules", {"modules": [{**wanted, **change}]}).status_code == 400
        assert api.box.zoho.credits_used - before == (1000 if costs else 2)
        api.post("settings/modules", {"modules": [wanted]})
        assert api.box.zoho.credits_used - before == (1500 if costs else 502)

    def test_what_an_edition_may_have_is_apart_from_what_it_is_called(self, api, wanted):
        zoho = api.box.zoho
        zoho.edition = "professional"
        zoho.switches.custom_module_caps["professional"] = 1
        assert api.post("settings/modules", {"modules": [wanted]}).status_code == 201
        another = {**wanted, "singular_label": "B", "plural_label": "Bs", "api_name": "Bs"}
        refused = only(api.post("settings/modules", {"modules": [another]}), "modules")
        assert (refused["code"], refused["details"]) == ("LIMIT_EXCEEDED", {"limit": 1})
        assert api.get("org").json()["org"][0]["license_details"]["paid_type"] == "professional"

    @pytest.mark.parametrize(("code", "status"), [("NOT_SUPPORTED", 403), ("LIMIT_EXCEEDED", 400)])
    def test_an_edition_without_custom_modules_refuses(self, api, wanted, code, status):
        api.box.zoho.edition = "free"
        api.box.zoho.switches.custom_module_refusal = code
        answer = api.post("settings/modules", {"modules": [wanted]})
        assert answer.status_code == status
        assert code in answer.text
        assert api.get("settings/modules/FreshBooks_Payments").json()["code"] == "INVALID_MODULE"

    def test_one_a_call(self, api, wanted):
        assert api.post("settings/modules", {"modules": [wanted, wanted]}).status_code == 400


class TestCurrencies:
    def test_one_currency_has_no_list(self, api):
        answer = api.get("org/currencies")
        assert (answer.status_code, answer.json()) == (
            403,
            {
                "code": "CURRENCIES_NOT_ENABLED",
                "details": {},
                "message": "Multi currency is not enabled",
                "status": "error",
            },
        )

    @pytest.mark.parametrize("code", ["FEATURE_NOT_SUPPORTED", "FEATURE_NOT_ENABLED"])
    @pytest.mark.parametrize("status", [403, 400, 204])
    def test_other_sources_have_another_answer_to_that(self, api, code, status):
        switches = api.box.zoho.switches
        switches.currencies_without_feature, switches.currencies_without_feature_status = code, status
        answer = api.get("org/currencies")
        assert answer.status_code == status
        assert (answer.text == "") if status == 204 else (answer.json()["code"] == code)

    def test_several_are_listed_and_bring_fields(self, api):
        custom = api.box.zoho
        custom.add_custom_module("Receipts", "Receipt", "Receipts")
        custom.add_custom_module("Notebooks", "Notebook", "Notebooks")
        custom.add_custom_field("Receipts", "Total", "currency")
        custom.enable_multi_currency({"EUR": Decimal("0.92")})
        listed = {each["iso_code"]: each for each in api.get("org/currencies").json()["currencies"]}
        assert listed.keys() == {"USD", "EUR"}
        assert (listed["USD"]["is_base"], listed["EUR"]["exchange_rate"]) == (True, "0.920000000")
        for module in ("Accounts", "Deals", "Receipts"):
            assert {"Currency", "Exchange_Rate"} <= fields(api, module).keys()
        assert "Currency" not in fields(api, "Notebooks")

    def test_it_needs_the_edition(self, box):
        box.zoho.edition = "professional"
        with pytest.raises(ValueError, match="professional"):
            box.zoho.enable_multi_currency({"EUR": Decimal(1)})
