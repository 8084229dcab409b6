"""Zoho's own SDK against the sandbox: a reading of the API that is not ours."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, Initializer, ParameterMap, SDKConfig
from zohocrmsdk.src.com.zoho.crm.api.coql import BodyWrapper as CoqlBody
from zohocrmsdk.src.com.zoho.crm.api.coql import CoqlOperations
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.fields import (
    BodyWrapper as FieldsBody,
)
from zohocrmsdk.src.com.zoho.crm.api.fields import (
    CreateFieldParam,
    Fields,
    FieldsOperations,
    GetFieldsParam,
)
from zohocrmsdk.src.com.zoho.crm.api.fields import (
    SuccessResponse as FieldMade,
)
from zohocrmsdk.src.com.zoho.crm.api.modules import ModulesOperations
from zohocrmsdk.src.com.zoho.crm.api.notifications import BodyWrapper as WatchBody
from zohocrmsdk.src.com.zoho.crm.api.notifications import Notification, NotificationsOperations
from zohocrmsdk.src.com.zoho.crm.api.notifications import SuccessResponse as Watched
from zohocrmsdk.src.com.zoho.crm.api.org import OrgOperations
from zohocrmsdk.src.com.zoho.crm.api.pipeline import PipelineOperations
from zohocrmsdk.src.com.zoho.crm.api.record import (
    APIException,
    BodyWrapper,
    GetRecordsParam,
    Record,
    RecordOperations,
    SuccessResponse,
)
from zohocrmsdk.src.com.zoho.crm.api.record import Field as RecordField
from zohocrmsdk.src.com.zoho.crm.api.util import Choice

from sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

# the SDK leaves its files to the garbage collector
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def box(tmp_path) -> Iterator[Sandbox]:
    with Sandbox() as running:
        zoho = running.zoho
        Initializer.initialize(
            environment=DataCenter.Environment(zoho.api_domain, f"{zoho.accounts_url}/oauth/v2/token", None),
            token=OAuthToken(
                client_id=zoho.app.client_id,
                client_secret=zoho.app.client_secret,
                refresh_token=zoho.grant(),
                find_user=False,
            ),
            store=FileStore(str(tmp_path / "tokens.csv")),
            sdk_config=SDKConfig(auto_refresh_fields=False, pick_list_validation=False),
            resource_path=str(tmp_path),
        )
        yield running


def account(name: str, **values) -> Record:
    """An account as the SDK has it."""
    record = Record()
    record.add_field_value(RecordField.Accounts.account_name(), name)
    for field, value in values.items():
        record.add_key_value(field, value)
    return record


def upsert(*records: Record, keys: list[str] | None = None):
    body = BodyWrapper()
    body.set_data(list(records))
    body.set_trigger([])
    if keys:
        body.set_duplicate_check_fields(keys)
    return RecordOperations("Accounts").upsert_records(body, HeaderMap())


def test_it_reads_the_organization(box):
    (org,) = OrgOperations().get_organization().get_object().get_org()
    assert org.get_zgid() == box.zoho.organization.zgid
    assert org.get_license_details().get_paid_type() == "enterprise"


def test_it_reads_modules_fields_and_pipelines(box):
    modules = ModulesOperations().get_modules(ParameterMap(), HeaderMap()).get_object().get_modules()
    assert [each.get_api_name() for each in modules] == ["Leads", "Accounts", "Contacts", "Deals"]
    parameters = ParameterMap()
    parameters.add(GetFieldsParam.module, "Deals")
    fields = {each.get_api_name(): each for each in FieldsOperations().get_fields(parameters).get_object().get_fields()}
    assert fields["Account_Name"].get_lookup().get_module().get_api_name() == "Accounts"
    assert len(fields["Stage"].get_pick_list_values()) == 9
    layout = int(box.zoho.organization.modules["Deals"].layout_id)
    (pipeline,) = PipelineOperations(layout).get_pipelines().get_object().get_pipeline()
    assert (pipeline.get_display_value(), pipeline.get_default()) == ("Standard (Standard)", True)
    assert pipeline.get_maps()[6].get_forecast_category().get_name() == "Closed Won"


def test_it_creates_a_field(box):
    field = Fields()
    field.set_field_label("FreshBooks Email")
    field.set_data_type("email")
    body = FieldsBody()
    body.set_fields([field])
    parameters = ParameterMap()
    parameters.add(CreateFieldParam.module, "Accounts")
    answer = FieldsOperations().create_field(body, parameters)
    (made,) = answer.get_object().get_fields()
    assert answer.get_status_code() == 201
    assert isinstance(made, FieldMade)
    assert "FreshBooks_Email" in box.zoho.fields("Accounts")


def test_it_upserts_and_reads_the_result_of_each_record(box):
    key = box.zoho.add_custom_field("Accounts", "FreshBooks ID", unique=True)
    first = upsert(account("Acme", **{key: "a:1"}), keys=[key])
    (made,) = first.get_object().get_data()
    assert (made.get_action().get_value(), made.get_status().get_value()) == ("insert", "success")
    second = upsert(account("Acme Inc", **{key: "A:1"}), account("x" * 201, **{key: "a:2"}), keys=[key])
    updated, refused = second.get_object().get_data()
    assert second.get_status_code() == 207
    assert isinstance(updated, SuccessResponse)
    assert updated.get_action().get_value() == "update"
    assert updated.get_duplicate_field() == key
    assert updated.get_details()["id"] == made.get_details()["id"]
    assert isinstance(refused, APIException)
    assert refused.get_code().get_value() == "INVALID_DATA"
    assert refused.get_details()["maximum_length"] == "200"  # the SDK reads details as text
    assert [row["Account_Name"] for row in box.zoho.records("Accounts")] == ["Acme Inc"]


def test_it_creates_a_deal_with_what_a_deal_is_made_of(box):
    customer = box.zoho.insert("Accounts", {"Account_Name": "Acme"})
    deal, of = Record(), Record()
    of.set_id(int(customer))
    deal.add_field_value(RecordField.Deals.deal_name(), "Invoice 1")
    deal.add_field_value(RecordField.Deals.stage(), Choice("Closed Won"))
    deal.add_field_value(RecordField.Deals.amount(), 1200.5)
    deal.add_field_value(RecordField.Deals.closing_date(), dt.date(2026, 2, 1))
    deal.add_field_value(RecordField.Deals.account_name(), of)
    body = BodyWrapper()
    body.set_data([deal])
    answer = RecordOperations("Deals").create_records(body, HeaderMap())
    assert answer.get_status_code() == 201, answer.get_object().get_data()[0].get_details()
    (row,) = box.zoho.records("Deals")
    assert (row["Account_Name"]["id"], row["Closing_Date"], float(row["Amount"])) == (customer, "2026-02-01", 1200.5)


def test_it_lists_records_and_queries_them(box):
    for number in range(3):
        box.zoho.insert("Accounts", {"Account_Name": f"A{number}"})
    parameters = ParameterMap()
    parameters.add(GetRecordsParam.fields, "Account_Name,Modified_Time,Owner")
    parameters.add(GetRecordsParam.per_page, 2)
    listed = RecordOperations("Accounts").get_records(parameters, HeaderMap()).get_object()
    assert [each.get_key_value("Account_Name") for each in listed.get_data()] == ["A2", "A1"]
    assert listed.get_info().get_more_records() is True
    assert listed.get_data()[0].get_modified_time().tzinfo is not None
    body = CoqlBody()
    body.set_select_query("select Account_Name from Accounts where Account_Name in ('a0', 'A2') limit 2000")
    found = CoqlOperations().get_records(body).get_object()
    assert [each.get_key_value("Account_Name") for each in found.get_data()] == ["A0", "A2"]
    body.set_select_query("select Account_Name from Accounts where Account_Name = 'none'")
    assert CoqlOperations().get_records(body).get_status_code() == 204
    body.set_select_query("select Account_Name from Accounts")
    assert CoqlOperations().get_records(body).get_object().get_code().get_value() == "SYNTAX_ERROR"


def test_it_enables_shows_and_disables_notifications(box):
    channel = Notification()
    channel.set_channel_id("1000000068001")
    channel.set_events(["Deals.all", "Accounts.all"])
    channel.set_notify_url("https://hooks.example.com/zoho")
    channel.set_token("opaque")
    wanted = (box.clock.now() + dt.timedelta(days=6)).replace(microsecond=0)
    channel.set_channel_expiry(wanted)
    body = WatchBody()
    body.set_watch([channel])
    (enabled,) = NotificationsOperations().enable_notifications(body).get_object().get_watch()
    assert isinstance(enabled, Watched)
    assert [each.get_resource_name() for each in enabled.get_details()["events"]] == ["Deals", "Accounts"]
    shown = NotificationsOperations().get_notifications(ParameterMap()).get_object().get_watch()
    assert {each.get_channel_expiry() for each in shown} == {wanted}
