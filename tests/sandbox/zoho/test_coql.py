"""COQL over HTTP: what it finds, and everything it refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.zoho_api import ZohoApi


@pytest.fixture
def firm(api: ZohoApi) -> ZohoApi:
    zoho = api.box.zoho
    zoho.add_custom_field("Accounts", "Key", unique=True)
    for number, (name, revenue, employees) in enumerate(
        [("Acme", 100, 5), ("O'Neil", 250, None), ("acme west", None, 7), ("Zeta", 250, 7)]
    ):
        values = {"Account_Name": name, "Annual_Revenue": revenue, "Employees": employees, "Key": f"fb:{number}"}
        account = zoho.insert("Accounts", values)
        zoho.insert("Deals", {"Deal_Name": f"D{number}", "Stage": "Closed Won", "Account_Name": {"id": account}})
    return api


def names(api: ZohoApi, condition: str, rest: str = "") -> list[str]:
    return [row["Account_Name"] for row in api.query(f"select Account_Name from Accounts where {condition} {rest}")]


class TestFinding:
    @pytest.mark.parametrize(
        ("condition", "found"),
        [
            ("Key = 'FB:1'", ["O'Neil"]),
            ("Account_Name = 'acme'", ["Acme"]),
            ("Account_Name = 'O''Neil'", ["O'Neil"]),
            ("Key in ('fb:0', 'fb:3', 'fb:9')", ["Acme", "Zeta"]),
            ("Key not in ('fb:0', 'fb:3')", ["O'Neil", "acme west"]),
            ("Account_Name like 'acme%'", ["Acme", "acme west"]),
            ("Account_Name like '%e%'", ["Acme", "O'Neil", "acme west", "Zeta"]),
            ("Account_Name like '%west'", ["acme west"]),
            ("Account_Name not like '%acme%'", ["O'Neil", "Zeta"]),
            ("Annual_Revenue is null", ["acme west"]),
            ("Employees is not null", ["Acme", "acme west", "Zeta"]),
            ("Annual_Revenue > 100", ["O'Neil", "Zeta"]),
            ("Annual_Revenue >= 100", ["Acme", "O'Neil", "Zeta"]),
            ("Annual_Revenue != 250", ["Acme"]),
            ("Annual_Revenue between 50 and 150", ["Acme"]),
            ("(Annual_Revenue = 250 and Employees = 7)", ["Zeta"]),
            ("Annual_Revenue = 250 or Employees = 7", ["O'Neil", "acme west", "Zeta"]),
            ("((Employees = 7 and Annual_Revenue is null) or Key = 'fb:0')", ["Acme", "acme west"]),
            ("Modified_Time > '2020-01-01T00:00:00+00:00'", ["Acme", "O'Neil", "acme west", "Zeta"]),
            ("Created_Time < '2020-01-01T00:00:00-08:00'", []),
        ],
    )
    def test_conditions(self, firm, condition, found):
        assert names(firm, condition) == found

    def test_ids_with_and_without_quotes(self, firm):
        first, second, *_ = (each["id"] for each in firm.box.zoho.records("Accounts"))
        assert names(firm, f"id = '{first}'") == names(firm, f"id in ({first})") == ["Acme"]
        assert names(firm, f"id > '{second}'") == ["acme west", "Zeta"]
        assert names(firm, f"(id > '{first}' and Employees = 7)", "limit 1") == ["acme west"]
        assert names(firm, f"(id > '{second}' or Employees = 5)") == ["Acme", "acme west", "Zeta"]

    def test_joins_through_lookups(self, firm):
        rows = firm.query("select Deal_Name, Account_Name.Key from Deals where Account_Name.Employees = 7")
        assert [(row["Deal_Name"], row["Account_Name.Key"]) for row in rows] == [("D2", "fb:2"), ("D3", "fb:3")]
        account = firm.box.zoho.find("Accounts", Key="fb:1")[0]["id"]
        for column in ("Account_Name", "Account_Name.id"):
            (row,) = firm.query(f"select Account_Name from Deals where {column} in ('{account}')")
            assert row["Account_Name"] == {"name": "O'Neil", "id": account}

    def test_order_limit_and_offset(self, firm):
        everything = "id is not null"
        assert names(firm, everything, "order by Annual_Revenue desc, Account_Name asc")[:2] == ["O'Neil", "Zeta"]
        assert names(firm, everything, "order by id desc limit 2") == ["Zeta", "acme west"]
        assert names(firm, everything, "limit 1, 2") == ["O'Neil", "acme west"]
        assert names(firm, everything, "limit 2 offset 3") == ["Zeta"]

    def test_the_answer_counts_and_says_whether_there_is_more(self, firm):
        answer = firm.coql("select Key from Accounts where id is not null limit 3")
        assert answer.json()["info"] == {"count": 3, "more_records": True}
        assert answer.json()["data"][0].keys() == {"Key", "id"}
        answer = firm.coql("select Key from Accounts where id is not null limit 4")
        assert answer.json()["info"] == {"count": 4, "more_records": False}

    def test_nothing_found_is_204_without_a_body(self, firm):
        answer = firm.coql("select id from Accounts where Key = 'none'")
        assert (answer.status_code, answer.content) == (204, b"")

    def test_200_rows_unless_said(self, api):
        for start in range(0, 300, 100):
            api.insert("Accounts", *({"Account_Name": f"A{start + number}"} for number in range(100)))
        assert len(api.query("select id from Accounts where id is not null")) == 200
        assert len(api.query("select id from Accounts where id is not null limit 2000")) == 300

    def test_a_write_is_found_at_once(self, api):
        api.box.zoho.switches.search_delay = 60
        api.upsert("Accounts", {"Account_Name": "Just now"})
        assert names(api, "Account_Name = 'Just now'") == ["Just now"]

    def test_metadata_may_be_included(self, firm):
        answer = firm.coql("select Key from Accounts where Key = 'fb:0'", include_meta=["fields"]).json()
        assert answer["fields"]["Key"]["data_type"] == "text"


class TestAggregates:
    @pytest.mark.parametrize(
        ("columns", "row"),
        [
            ("COUNT(id)", {"COUNT(id)": 4}),
            ("sum(Annual_Revenue) as total", {"total": 600}),
            ("SUM(Annual_Revenue), MIN(Annual_Revenue)", {"SUM(Annual_Revenue)": 600, "MIN(Annual_Revenue)": 100}),
            ("MAX(Annual_Revenue) AS most, AVG(Annual_Revenue) AS mean", {"most": 250, "mean": 200}),
            ("COUNT(Annual_Revenue) known", {"known": 3}),
        ],
    )
    def test_over_everything(self, firm, columns, row):
        assert firm.query(f"select {columns} from Accounts where id is not null") == [row]

    def test_by_group(self, firm):
        query = "select Employees, COUNT(id) as n from Accounts where id is not null group by Employees order by n desc"
        first, *_ = firm.query(query)
        assert (first["Employees"], first["n"]) == (7, 2)

    def test_sums_are_exact(self, api):
        for amount in (0.1, 0.2, 0.3):
            api.insert("Deals", {"Deal_Name": "D", "Stage": "Closed Won", "Amount": amount})
        answer = api.coql("select SUM(Amount) as total from Deals where Stage = 'Closed Won'")
        assert answer.json(parse_float=Decimal)["data"] == [{"total": Decimal("0.6")}]

    def test_nothing_counts_as_none(self, firm):
        assert firm.query("select COUNT(id) as n from Accounts where Key = 'none'") == [{"n": 0}]

    def test_a_column_beside_an_aggregate_is_grouped(self, firm):
        answer = firm.coql("select Key, COUNT(id) from Accounts where id is not null")
        assert answer.json()["code"] == "INVALID_QUERY"


class TestRefusals:
    @pytest.mark.parametrize(
        "query",
        [
            "",
            "select",
            "select id from",
            "select id from Accounts",
            "select * from Accounts where id is not null",
            "update Accounts set Key = '1'",
            "select id from Accounts where",
            "select id from Accounts where Key",
            "select id from Accounts where Key =",
            "select id from Accounts where Key = 'a",
            "select id from Accounts where Key = 'O'Neil'",
            "select id from Accounts where Key = 'Acme Inc\\'",
            "select id from Accounts where Key in ('a', 'Acme Inc\\')",
            'select id from Accounts where Key = "a"',
            "select id from Accounts where Key = null",
            "select id from Accounts where Key in ()",
            "select id from Accounts where Key in ('a'",
            "select id from Accounts where (Key = 'a'",
            "select id from Accounts where Key = 'a' and Fax = 'b' and Phone = 'c'",
            "select id from Accounts where (Key = 'a' or Fax = 'b' or Phone = 'c')",
            "select id from Accounts where Key = 'a' and Fax = 'b' or Phone = 'c'",
            "select id from Accounts where (Key = 'a' and Fax = 'b') or Phone = 'c' or Website = 'd'",
            "select id from Accounts where Key = 'a' limit",
            "select id from Accounts where Key = 'a' limit -1",
            "select id from Accounts where Key = 'a' order Key",
            "select id from Accounts where Key = 'a'; drop",
            "select id from Accounts where Key = 'a' limit 10 extra",
        ],
        ids=range(27),
    )
    def test_what_is_no_query(self, firm, query):
        answer = firm.coql(query)
        assert (answer.status_code, answer.json()["code"]) == (400, "SYNTAX_ERROR")

    def test_an_error_says_where(self, firm):
        details = firm.coql("select id from Accounts where Key ~ 'a'").json()["details"]
        assert (details["line"], details["column"], details["near"]) == (1, 35, "~ 'a'")
        assert firm.coql("select id from Accounts").json()["details"] == {"clause": "where"}

    def test_a_backslash_takes_the_next_character_as_it_is(self, firm):
        key = "Key in ('x', 'Acme Inc\\\\', 'O\\'Neil''s')"
        firm.box.zoho.insert("Accounts", {"Account_Name": "B", "Key": "Acme Inc\\"})
        firm.box.zoho.insert("Accounts", {"Account_Name": "Q", "Key": "O'Neil's"})
        assert names(firm, key) == ["B", "Q"]
        assert names(firm, "Key = 'Acme Inc\\\\'") == ["B"]

    def test_a_backslash_is_a_character_like_others_where_switched_off(self, firm):
        firm.box.zoho.switches.coql_backslash = False
        firm.box.zoho.insert("Accounts", {"Account_Name": "B", "Key": "Acme Inc\\"})
        assert names(firm, "Key in ('x', 'Acme Inc\\')") == names(firm, "Key = 'Acme Inc\\'") == ["B"]
        assert firm.coql("select id from Accounts where Key = 'O\\'Neil'").json()["code"] == "SYNTAX_ERROR"

    @pytest.mark.parametrize("column", ["MIN(Closing_Date)", "MAX(Modified_Time)", "COUNT(id)", "COUNT(Deal_Name)"])
    def test_functions_are_known_of_documented_fields_only_where_switched_on(self, api, column):
        api.box.zoho.insert("Deals", {"Deal_Name": "D", "Stage": "Closed Won"})
        query = f"select {column} a from Deals where id is not null"
        assert api.coql(query).status_code == 200
        api.box.zoho.switches.coql_aggregates = "documented"
        answer = api.coql(query)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")
        documented = "select MAX(Amount) a, SUM(Amount) b, COUNT(Account_Name) c, COUNT(Stage) d from Deals"
        assert api.coql(f"{documented} where id is not null").status_code == 200

    @pytest.mark.parametrize(
        "query",
        [
            "select Nothing from Accounts where id is not null",
            "select id from Accounts where Nothing = 'a'",
            "select id from Accounts where id is not null order by Nothing",
            "select Key.Name from Accounts where id is not null",
            "select Account_Name.Nothing from Deals where id is not null",
            "select id from Nowhere where id is not null",
            "select id from Accounts where Annual_Revenue = 'much'",
            "select id from Accounts where Modified_Time > '2026-01-01'",
            "select id from Accounts where Key = true",
            "select id from Accounts where Account_Name like 'a%b'",
            "select SUM(Key) from Accounts where id is not null",
        ],
    )
    def test_what_does_not_fit_the_module(self, firm, query):
        answer = firm.coql(query)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")

    def test_an_unknown_column_is_named(self, firm):
        answer = firm.coql("select Nothing from Accounts where id is not null").json()
        assert answer["details"]["column_name"] == "Nothing"

    @pytest.mark.parametrize(
        ("query", "allowed"),
        [
            (lambda n: f"select id from Accounts where Key in ({','.join(['1'] * n)})", 50),
            (lambda n: f"select {','.join(['Key'] * n)} from Accounts where id is not null", 50),
            (lambda n: f"select id from Accounts where id is not null limit {n}", 2000),
            (lambda n: f"select id from Accounts where id is not null limit {n - 10}, 10", 100_000),
            (lambda n: f"select id from Accounts where id is not null order by {','.join(['Key'] * n)}", 10),
            (lambda n: f"select id from Accounts where {nested(n)}", 25),
            (lambda n: f"select {','.join(f'COUNT(id) a{i}' for i in range(n))} from Accounts where id is not null", 5),
        ],
        ids=["in", "select", "limit", "offset", "order by", "criteria", "aggregates"],
    )
    def test_limits(self, firm, query, allowed):
        assert firm.coql(query(allowed)).status_code in (200, 204)
        refused = firm.coql(query(allowed + 1))
        assert (refused.status_code, refused.json()["code"]) == (400, "LIMIT_EXCEEDED")

    def test_two_steps_are_the_most(self, api):
        path = "Contact_Name.Account_Name.Account_Name"
        assert api.coql(f"select {path} from Deals where id is not null").status_code == 204
        refused = api.coql("select Contact_Name.Account_Name.Parent_Account.Phone from Deals where id is not null")
        assert refused.json()["code"] == "LIMIT_EXCEEDED"


def nested(number: int) -> str:
    """Give a condition of so many criteria, bracketed pairwise."""
    condition = "Key = 'a'"
    for _ in range(number - 1):
        condition = f"({condition} or Key = 'a')"
    return condition


@pytest.mark.parametrize(("limit", "credits_"), [(200, 1), (201, 2), (1000, 2), (1001, 3), (2000, 3)])
def test_a_query_costs_by_its_limit(api, limit, credits_):
    before = api.box.zoho.credits_used
    api.coql(f"select id from Accounts where id is not null limit {limit}")
    assert api.box.zoho.credits_used - before == credits_
