"""One odd record costs one record: calls that are refused as a whole, values that are refused, Zoho's own words."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.target import ACCOUNT, client, invoice, messages
from support.zoho import FAST, client_of

from sandbox import Sandbox
from sandbox.zoho import coql_syntax
from sandbox.zoho.errors import ApiError
from target_zoho_crm.errors import AllRefusedError, PermissionDeniedError, RequestError, UnavailableError
from target_zoho_crm.mapping.layout import Destination
from target_zoho_crm.sync.planning import Create, Rejection, Update
from target_zoho_crm.sync.writing import Writer

CALLS = 60
"""The most calls for the records of one call."""
LATER = "2026-06-30T00:00:00+00:00"
RULE = {
    "code": "INVALID_DATA",
    "details": {"api_name": "Closing_Date", "layout_rule": {"name": "Quarter", "id": "1"}},
    "message": "Closing date must be within\x1b[31m the current quarter",
}
NAME = {"code": "INVALID_DATA", "details": {"api_name": "Account_Name", "maximum_length": 30}}
PHONE = {"code": "INVALID_DATA", "details": {"api_name": "Phone", "maximum_length": 30}}
BREAKS = {"error": "INTERNAL_ERROR", "answered": "flat", "status": 500}
SHAPES = {
    "in its place": {"error": NAME},
    "flat": {"error": NAME, "answered": "flat"},
    "flat and unnamed": {"error": NAME, "answered": "unnamed"},
    "as the only item": {"error": NAME, "answered": "one_item"},
    "by breaking": BREAKS,
}


def key(number):
    return f"{ACCOUNT}:{number}"


def clients(numbers, **changes):
    return [("clients", client(number, **changes)) for number in numbers]


def landed(org, module="Accounts"):
    return sorted(int(row["FreshBooks_ID"].split(":")[1]) for row in org.records(module))


def is_one_of(*numbers):
    return lambda row: row.get("FreshBooks_ID") in {key(number) for number in numbers}


def warned(caplog, text):
    return [record.getMessage() for record in caplog.records if text in record.getMessage()]


# one record of a call


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_record_that_is_refused_in_whatever_shape_costs_no_other(org, shape):
    org.box.zoho.refuse("Accounts", when=is_one_of(7), **shape)
    result = org.run(*clients(range(1, 21)))
    assert (result.error, len(result.states)) == (None, 1)
    assert landed(org) == [number for number in range(1, 21) if number != 7]
    assert set(org.pending()) == {("clients", "7")}
    assert len(org.writes()) < 20


def test_an_update_that_is_refused_as_a_whole_is_narrowed_down_too(org):
    org.run(*clients(range(1, 11)))
    org.box.zoho.refuse("Accounts", NAME, when=lambda row: row.get("Account_Name") == "New 3", answered="unnamed")
    renamed = [("clients", client(n, organization=f"New {n}", updated=LATER)) for n in range(1, 11)]
    assert org.run(*renamed).error is None
    assert {row["Account_Name"] for row in org.records("Accounts")} == {
        "Client 3" if n == 3 else f"New {n}" for n in range(1, 11)
    }


@pytest.fixture
def accounts(shared_box, tmp_path, org):
    """Writes accounts with short pauses between attempts."""
    with client_of(shared_box, tmp_path) as api:
        yield Accounts(shared_box, api, "FreshBooks_ID", unique=True)


class Accounts:
    """A module's records, and what becomes of them."""

    def __init__(self, box, api, key, *, unique):
        self.box, self.api, self.key = box, api, key
        self.destination = Destination("clients", "Accounts", key, key_unique=unique)

    def write(self, numbers):
        """Create records; gives the outcomes by number, and how many calls it took."""
        before = len(self.calls())
        rows = [Create(str(n), {"Account_Name": f"Account {n}", self.key: str(n)}) for n in numbers]
        try:
            outcomes = Writer(self.api, self.destination, workflows=False).carry_out(rows)
        finally:
            self.made = len(self.calls()) - before
        return {int(number): outcome for number, outcome in outcomes.items()}

    def calls(self):
        return [call for call in self.box.calls("zoho") if call.method == "POST" and "/Accounts" in call.path]

    def refuse(self, numbers, **shape):
        chosen = {str(number) for number in numbers}
        self.box.zoho.refuse("Accounts", when=lambda row: row.get(self.key) in chosen, **shape)

    def landed(self):
        return sorted(int(row[self.key]) for row in self.box.zoho.records("Accounts"))

    def empty(self):
        self.box.zoho.allow()
        for row in self.box.zoho.records("Accounts"):
            self.box.zoho.delete("Accounts", row["id"])


def test_when_every_record_is_answered_with_500_zoho_is_down_and_that_is_found_out_in_few_calls(accounts):
    accounts.refuse(range(1000), **BREAKS)
    with pytest.raises(UnavailableError, match="500, INTERNAL_ERROR"):
        accounts.write(range(100))
    assert accounts.made == 2 + FAST.attempts
    with pytest.raises(UnavailableError):
        accounts.write(range(1000))
    # Each of the four calls that are made at a time is sent twice, and one of them looks further.
    assert accounts.made <= 2 * 4 + FAST.attempts


def test_a_record_that_breaks_zoho_alone_is_that_records_fault_only_where_zoho_has_taken_others(accounts):
    accounts.refuse([1], **BREAKS)
    with pytest.raises(UnavailableError):
        accounts.write([1])
    accounts.write([2])
    assert accounts.write([1])[1].cause == "INTERNAL_ERROR"


def test_a_moment_without_zoho_rejects_nothing(accounts):
    accounts.box.faults.add(service="zoho", path="/crm/v8/Accounts/upsert", kind="status", status=500, times=4)
    assert not any(isinstance(outcome, Rejection) for outcome in accounts.write(range(20)).values())
    assert accounts.landed() == list(range(20))


def test_an_answer_that_is_lost_is_no_refusal(accounts):
    accounts.box.faults.add(service="zoho", path="/crm/v8/Accounts/upsert", kind="reset", times=None)
    with pytest.raises(UnavailableError, match="gave no whole answer"):
        accounts.write(range(10))
    accounts.box.faults.clear()
    assert accounts.made == FAST.attempts


def test_what_is_undecided_after_so_many_calls_is_rejected_for_the_reason_met_last(accounts):
    accounts.refuse(range(0, 100, 2), error=NAME, answered="unnamed")
    outcomes = accounts.write(range(100))
    assert accounts.made <= CALLS
    refused = {number for number, outcome in outcomes.items() if isinstance(outcome, Rejection)}
    assert refused >= set(range(0, 100, 2))
    assert accounts.landed() == sorted(set(range(100)) - refused)
    assert {outcomes[number].code for number in refused} == {"INVALID_DATA"}


@pytest.mark.parametrize("answered", ["flat", "unnamed"])
def test_a_call_of_which_all_is_refused_for_one_reason_is_not_taken_apart(accounts, answered):
    accounts.refuse(range(100), error=NAME, answered=answered)
    outcomes = accounts.write(range(100))
    assert {outcome.cause for outcome in outcomes.values()} == {"INVALID_DATA in Account_Name"}
    assert accounts.made <= 21


@pytest.fixture(scope="module")
def both_kinds(tmp_path_factory):
    """Accounts that are told apart by a unique field, and by one that is not unique."""
    with Sandbox() as box, contextlib.ExitStack() as stack:
        kinds = []
        for label, unique in (("Key", True), ("Mark", False)):
            name = box.zoho.add_custom_field("Accounts", label, "text", unique=unique, length=50)
            api = stack.enter_context(client_of(box, tmp_path_factory.mktemp(label)))
            kinds.append(Accounts(box, api, getattr(name, "api_name", name), unique=unique))
        yield kinds


@settings(max_examples=60, deadline=None)
@given(
    unique=st.booleans(),
    number=st.integers(6, 100),
    broken=st.sets(st.integers(0, 99), max_size=3),
    others=st.dictionaries(st.integers(0, 99), st.sampled_from(["row", "flat", "unnamed", "one_item"]), max_size=2),
)
def test_whatever_records_are_refused_they_alone_are_and_all_others_land_once(
    both_kinds, unique, number, broken, others
):
    accounts = next(one for one in both_kinds if one.destination.key_unique is unique)
    accounts.empty()
    accounts.refuse(broken, **BREAKS)
    for chosen, answered in others.items():
        accounts.refuse([chosen], error=NAME, answered=answered)
    outcomes = accounts.write(range(number))
    refused = {chosen for chosen, outcome in outcomes.items() if isinstance(outcome, Rejection)}
    assert refused == (broken | others.keys()) & set(range(number))
    assert accounts.landed() == sorted(set(range(number)) - refused)
    assert accounts.made <= CALLS


def test_without_a_unique_key_what_was_written_before_a_500_is_looked_for_and_not_written_again(both_kinds):
    accounts = next(one for one in both_kinds if not one.destination.key_unique)
    accounts.empty()
    accounts.refuse([15], **BREAKS)
    # The first half is written, its answer lost.
    accounts.box.faults.add(service="zoho", path="/crm/v8/Accounts", method="POST", kind="reset_after", after=2)
    accounts.write(range(20))
    assert accounts.landed() == [number for number in range(20) if number != 15]


def test_without_a_unique_key_what_a_lost_answer_left_is_not_written_again_with_a_record_that_breaks_zoho(both_kinds):
    accounts = next(one for one in both_kinds if not one.destination.key_unique)
    accounts.empty()
    sent = []
    accounts.refuse([15], error=NAME)
    accounts.box.zoho.refuse(
        "Accounts",
        # All others are written with the first call, whose answer is lost; with the second one it breaks.
        when=lambda row: row["Mark"] == "15" and (sent.append(row) or len(sent) > 1),
        **BREAKS,
    )
    accounts.box.faults.add(service="zoho", path="/crm/v8/Accounts", method="POST", kind="reset_after")
    accounts.write(range(20))
    assert accounts.landed() == [number for number in range(20) if number != 15]


# refusals of the request


@pytest.mark.parametrize("answered", ["one_item", "unnamed"])
@pytest.mark.parametrize("number", [1, 3])
def test_a_refusal_of_the_request_is_said_in_zohos_words(org, answered, number):
    error = {"code": "LIMIT_EXCEEDED", "message": "The storage\r\n of this\x07 edition is full"}
    org.box.zoho.refuse("Accounts", error, answered=answered)
    result = org.run(*clients(range(number)))
    assert isinstance(result.error, RequestError)
    assert "Zoho refused POST Accounts/upsert with LIMIT_EXCEEDED (400)." in str(result.error)
    assert "“The storage of this edition is full”" in str(result.error)
    assert (len(org.writes()), result.states, org.pending()) == (1, [], {})


@pytest.mark.parametrize("answered", ["one_item", "unnamed"])
@pytest.mark.parametrize("permissions", ["Crm_Implied_Create_Accounts", ["Crm_Implied_Create_Accounts"]])
def test_a_permission_that_is_missing_is_named_in_whatever_shape_zoho_names_it(org, answered, permissions):
    error = {"code": "NO_PERMISSION", "details": {"permissions": permissions}, "message": "permission denied"}
    org.box.zoho.refuse("Accounts", error, answered=answered, status=403)
    result = org.run(*clients([1, 2, 3]))
    assert isinstance(result.error, PermissionDeniedError)
    assert "lacks the permission Crm_Implied_Create_Accounts;" in str(result.error)


def test_the_one_item_about_the_only_record_is_that_records(org):
    org.box.zoho.refuse("Accounts", NAME, answered="one_item")
    assert org.run(*clients([1])).error is None
    assert org.pending()["clients", "1"].error["field"] == "Account_Name"


def test_fewer_results_than_records_are_no_refusal_where_one_is_a_success(org, monkeypatch):
    body = {"data": [{"code": "SUCCESS", "details": {"id": "1"}, "status": "success"}]}
    org.box.faults.add(service="zoho", path="/crm/v8/Accounts/upsert", kind="status", status=200, body=body)
    result = org.run(*clients([1, 2]))
    assert "without a result for each of its 2 records" in str(result.error)


# values that a record can do without

CODES = ("INVALID_DATA", "DEPENDENT_FIELD_MISSING", "DEPENDENT_MISMATCH", "PATTERN_NOT_MATCHED", "MAPPING_MISMATCH")
LIVES = {"p_street": "1 Main St", "p_city": "Graz", "p_province": "Styria", "p_country": "Austria", "fax": "+43 1"}


@pytest.mark.parametrize("answered", ["row", "flat"])
@pytest.mark.parametrize("code", CODES)
def test_an_optional_value_gives_way_whatever_the_code_and_the_record_lands(org, caplog, code, answered):
    caplog.set_level("INFO")
    error = {"code": code, "details": {"api_name": "Billing_State"}, "message": "not in our list"}
    org.box.zoho.refuse("Accounts", error, when=lambda row: row.get("Billing_State"), answered=answered)
    org.run(*clients([1, 2]), ("clients", client(3, **LIVES)))
    account = org.one("Accounts", key(3))
    assert (account["Billing_State"], account["Billing_City"]) == (None, "Graz")
    assert (landed(org), org.pending()) == ([1, 2, 3], {})
    why = f"clients 3 landed without Billing_State, which Zoho refused: {code} in Billing_State (“not in our list”)"
    assert warned(caplog, "landed without") == [why]
    assert "Styria" not in caplog.text
    assert warned(caplog, "3 created (1 values shortened, rounded or left out)")


def test_several_values_give_way_one_after_the_other_or_named_at_once(org):
    def errors(*names):
        return [{"code": "INVALID_DATA", "details": {"api_name": name}} for name in names]

    several = {
        "code": "MULTIPLE_OR_MULTI_ERRORS",
        "details": {"errors": errors("Billing_State", "Billing_Country")},
    }
    org.box.zoho.refuse("Accounts", several, when=lambda row: row.get("Billing_State"))
    for name in ("Fax", "FreshBooks_Email"):
        org.box.zoho.refuse("Accounts", *errors(name), when=lambda row, name=name: row.get(name))
    org.run(("clients", client(1, **LIVES)))
    account = org.one("Accounts")
    names = ("Billing_State", "Billing_Country", "Fax", "FreshBooks_Email")
    assert {account[name] for name in names} == {None}
    assert account["Billing_Street"] == "1 Main St"
    assert len(org.writes()) == 4


def test_of_an_address_that_is_named_as_a_whole_all_parts_give_way(org):
    org.box.zoho.refuse(
        "Accounts",
        {"code": "INVALID_DATA", "details": {"api_name": "Billing_Address"}},
        when=lambda row: row.get("Billing_City"),
    )
    org.run(("clients", client(1, **LIVES)))
    assert (org.one("Accounts")["Billing_City"], org.one("Accounts")["Fax"]) == (None, "+43 1")


def test_a_field_of_the_users_own_gives_way(org):
    error = {"code": "NOT_ALLOWED", "details": {"api_name": "Account_Site"}}
    org.box.zoho.refuse("Accounts", error, when=lambda row: row.get("Account_Site"))
    org.run(("clients", client(1, vat_number="AT1")), extra_fields={"clients": {"Account Site": "vat_number"}})
    assert (landed(org), org.one("Accounts")["Account_Site"]) == ([1], None)


def test_what_a_record_cannot_do_without_does_not_give_way(org):
    several = [NAME, {"code": "INVALID_DATA", "details": {"api_name": "Fax"}}]
    error = {"code": "MULTIPLE_OR_MULTI_ERRORS", "details": {"errors": several}}
    org.box.zoho.refuse("Accounts", error)
    org.run(("clients", client(1, **LIVES)))
    assert (landed(org), len(org.writes())) == ([], 1)


def test_an_update_of_nothing_but_a_refused_value_leaves_the_record_and_is_told(org, caplog):
    caplog.set_level("INFO")
    org.run(("clients", client(1, fax="1", updated=None)))
    org.box.zoho.refuse("Accounts", {"code": "INVALID_DATA", "details": {"api_name": "Fax"}}, when={"Fax": "2"})
    org.run(("clients", client(1, fax="2", updated=None)))
    assert warned(caplog, "clients: 1 unchanged (1 values shortened, rounded or left out)")
    assert (len(org.writes()), org.one("Accounts")["Fax"], org.pending()) == (2, "1", {})


def test_a_record_that_is_not_taken_without_the_value_either_is_rejected_for_the_value(org):
    org.box.zoho.refuse("Accounts", {"code": "PATTERN_NOT_MATCHED", "details": {"api_name": "Fax"}, "message": "+00"},
                        when=lambda row: row.get("Fax"))  # fmt: skip
    org.box.zoho.refuse("Accounts", {"code": "MANDATORY_NOT_FOUND", "details": {"api_name": "Fax"}},
                        when=lambda row: not row.get("Fax"))  # fmt: skip
    org.run(("clients", client(1, fax="1")))
    error = org.pending()["clients", "1"].error
    assert (error["code"], error["message"]) == ("PATTERN_NOT_MATCHED", "+00")


# Zoho's own words


def test_zohos_words_and_the_rule_are_in_the_log_and_in_the_store_without_control_characters(org, caplog):
    org.box.zoho.refuse("Deals", RULE)
    org.run(*clients([1]), ("invoices", invoice()))
    words = "Closing date must be within [31m the current quarter (rule “Quarter”)"
    assert org.pending()["invoices", "1"].error == {
        "code": "INVALID_DATA", "field": "Closing_Date", "expected": "", "message": words,
    }  # fmt: skip
    assert warned(caplog, "rejected") == [f"invoices 1 was rejected: INVALID_DATA in Closing_Date (“{words}”)"]


def test_all_errors_of_a_record_are_in_the_log_and_in_the_store(org, caplog):
    several = [
        {"code": "MANDATORY_NOT_FOUND", "details": {"api_name": "Cost_Centre"}, "message": "required field not found"},
        {"code": "CANNOT_PROCESS", "details": {}, "message": "Credit limit exceeded"},
    ]
    org.box.zoho.refuse("Deals", {"code": "MULTIPLE_OR_MULTI_ERRORS", "details": {"errors": several}})
    org.run(*clients([1]), ("invoices", invoice()))
    error = org.pending()["invoices", "1"].error
    assert (error["code"], error["field"], error["expected"]) == ("MANDATORY_NOT_FOUND", "Cost_Centre", "a value")
    assert error["message"] == (
        "MANDATORY_NOT_FOUND in Cost_Centre: required field not found; CANNOT_PROCESS: Credit limit exceeded"
    )
    [said] = warned(caplog, "invoices 1 was rejected")
    assert "MANDATORY_NOT_FOUND in Cost_Centre, expected: a value; CANNOT_PROCESS (“Credit limit exceeded”)" in said


def test_words_without_end_are_cut(org):
    org.box.zoho.refuse("Accounts", {"code": "CANNOT_PROCESS", "message": "no " * 1000})
    org.run(*clients([1]))
    assert 200 < len(org.pending()["clients", "1"].error["message"]) <= 300


# all refused


def test_when_all_is_refused_for_one_reason_it_is_said_once_and_the_run_stops(org, caplog):
    error = {"code": "MANDATORY_NOT_FOUND", "details": {"api_name": "Cost_Centre"}, "message": "Which cost centre?"}
    org.box.zoho.refuse("Accounts", error)
    result = org.run(*clients(range(250)))
    assert isinstance(result.error, AllRefusedError)
    assert "all 250 records of clients" in str(result.error)
    assert "MANDATORY_NOT_FOUND in Cost_Centre, expected: a value (“Which cost centre?”)" in str(result.error)
    assert (warned(caplog, "rejected"), org.pending(), result.states) == ([], {}, [])


def test_words_that_differ_may_be_about_values_and_are_not_in_what_stops_a_run(org):
    for n in range(20):
        error = {"code": "INVALID_DATA", "details": {"api_name": "Account_Name"}, "message": f"Client {n}: not wanted"}
        org.box.zoho.refuse("Accounts", error, when=is_one_of(n))
    result = org.run(*clients(range(20)))
    assert "INVALID_DATA in Account_Name." in str(result.error)
    assert "not wanted" not in str(result.error)


@pytest.mark.parametrize("other", ["landed before", "another reason", "fewer than ten"])
def test_refusals_that_are_not_all_alike_are_noted_one_by_one_and_logged_for_the_first_few(org, caplog, other):
    caplog.set_level("INFO")
    refused = range(1, 9) if other == "fewer than ten" else range(1, 31)
    org.box.zoho.refuse("Accounts", NAME, when=is_one_of(*refused))
    if other == "landed before":
        org.run(*clients([31]))
    elif other == "another reason":
        org.box.zoho.refuse("Accounts", "RECORD_LOCKED", when=is_one_of(31))
    records = clients([*refused] if other == "fewer than ten" else [*refused, 31])
    assert org.run(*records).error is None
    assert set(org.pending()) >= {("clients", str(number)) for number in refused}
    named = warned(caplog, "was rejected: INVALID_DATA in Account_Name")
    assert len(named) == 5
    assert warned(caplog, f"clients: {len(refused) - 5} more rejected: INVALID_DATA in Account_Name")


def test_a_run_of_which_nothing_of_a_stream_landed_ends_with_its_state_a_sentence_and_one(org):
    org.box.zoho.refuse("Deals", RULE)
    sent = messages(*clients([1]), ("invoices", invoice()), state={"bookmarks": {"invoices": {"v": 7}}})
    result = org.process(sent)
    assert (result.returncode, result.states) == (1, [{"bookmarks": {"invoices": {"v": 7}}}])
    *_, summary, last = result.stderr.splitlines()
    assert "total: 1 created, 1 rejected" in summary
    assert "Nothing of invoices (1 rejected) has landed in Zoho" in last
    assert set(org.pending()) == {("invoices", "1")}
    with org.store() as store:
        assert store.runs.latest("target-zoho-crm")[0].summary["refused"] == ["invoices"]


@pytest.mark.parametrize("other", ["landed", "waits"])
def test_a_run_of_which_something_of_each_stream_landed_or_waits_ends_with_zero(org, other):
    org.box.zoho.refuse("Deals", RULE, when=is_one_of(1))
    if other == "waits":
        for _ in range(2):
            org.box.zoho.insert("Accounts", {"Account_Name": "Client 2"})
    done = org.process(messages(*clients([1, 2]), ("invoices", invoice(1, 1)), ("invoices", invoice(2, 2))))
    assert done.returncode == 0
    assert f"1 {'created' if other == 'landed' else 'waiting'}, 1 rejected" in done.stderr


def test_a_dry_run_ends_with_zero_whatever_would_be_rejected(org):
    done = org.process(messages(*clients([1], outstanding_balance=[{"amount": "no", "code": "USD"}])), dry_run=True)
    assert done.returncode == 0
    assert "1 rejected" in done.stderr


# names that a query cannot hold

BACKSLASHED = ["Acme Inc\\", "\\Acme", "Acme\\' or id is not null", "50% off\\", "\\", "Acme\\\\Inc"]


@pytest.mark.parametrize("escapes", [False, True])
def test_a_backslash_neither_breaks_nor_changes_a_query(org, escapes):
    org.box.zoho.switches.coql_backslash = escapes
    try:
        named = [("clients", client(n, organization=name)) for n, name in enumerate(BACKSLASHED, 1)]
        theirs = org.box.zoho.insert("Accounts", {"Account_Name": BACKSLASHED[0]})
        org.box.zoho.insert("Accounts", {"Account_Name": "Acme Inc"})
        result = org.run(*named, *clients([20, 21]))
        assert (result.error, org.pending()) == (None, {})
        assert org.one("Accounts", key(1))["id"] == theirs
        assert len(org.records("Accounts")) == len(BACKSLASHED) + 3
    finally:
        org.box.zoho.switches.coql_backslash = False


@pytest.fixture
def unaskable(monkeypatch):
    """Makes the sandbox refuse each query that has one of some texts in it; gives those that it refuses."""
    parse = coql_syntax.parse

    def refuse(*texts):
        refused = []

        def parsed(query, **options):
            if any(text in query for text in texts):
                refused.append(query)
                raise ApiError(400, "SYNTAX_ERROR", {"near": query[:20]}, "unexpected token near\x07 it")
            return parse(query, **options)

        monkeypatch.setattr(coql_syntax, "parse", parsed)
        return refused

    return refuse


def test_a_name_that_zoho_cannot_be_asked_for_costs_its_client_alone(org, unaskable, caplog):
    queries = unaskable("Odd & Sons", "Even & Sons")
    names = {7: "Odd & Sons", 61: "Even & Sons"}
    records = [("clients", client(n, organization=names.get(n, f"Client {n}"))) for n in range(1, 81)]
    result = org.run(*records, ("invoices", invoice(1, 7, organization=names[7], current_organization=names[7])))
    assert result.error is None
    assert landed(org) == [n for n in range(1, 81) if n not in names]
    assert org.pending()["clients", "7"].error == {
        "code": "SYNTAX_ERROR", "field": "Account_Name", "expected": "a name that Zoho can be asked for",
        "message": "unexpected token near it",
    }  # fmt: skip
    assert org.pending()["invoices", "1"].waits_for == "clients:7"
    assert len(queries) < 20
    assert "Odd" not in caplog.text


def test_a_query_that_is_refused_whatever_names_are_in_it_is_a_refusal_of_the_request(org, unaskable):
    org.run(*clients([90]))
    queries = unaskable("Account_Name in")
    result = org.run(*clients(range(1, 81)))
    assert isinstance(result.error, RequestError)
    assert "SYNTAX_ERROR" in str(result.error)
    # The names, and one that breaks nothing; then the same once more, with what the organization has by then.
    assert len(queries) == 2 * 2
    assert org.pending() == {}


# upserts


def test_an_inserted_record_is_an_insert_whatever_field_was_compared(org, caplog):
    caplog.set_level("INFO")
    result = {
        "code": "SUCCESS",
        "action": "insert",
        "duplicate_field": "Phone",
        "details": {"id": "5725767000000999999"},
    }
    body = {"data": [{**result, "message": "record added", "status": "success"}]}
    org.box.faults.add(service="zoho", path="/crm/v8/Accounts/upsert", kind="status", status=200, body=body)
    org.run(*clients([1]))
    assert warned(caplog, "clients: 1 created")
    assert org.pending() == {}


# streams of other taps


def test_records_of_other_streams_are_narrowed_down_too_and_never_named_by_their_key(org, caplog):
    contacts = [("Contacts", {"Last_Name": f"Lee {n}", "Email": f"lee{n}@example.com"}) for n in range(20)]
    org.box.zoho.refuse("Contacts", when={"Last_Name": "Lee 7"}, **SHAPES["flat and unnamed"])
    result = org.run(*contacts, modules={"Contacts": "Email"})
    assert result.error is None
    assert len(org.records("Contacts")) == 19
    assert warned(caplog, "rejected") == [
        "Contacts: a record was rejected: INVALID_DATA in Account_Name, expected: maximum_length 30"
    ]
    assert "lee7" not in caplog.text


def test_other_streams_stop_too_when_all_is_refused_for_one_reason(org):
    org.box.zoho.refuse("Contacts", PHONE)
    contacts = [("Contacts", {"Last_Name": f"Lee {n}", "Email": f"lee{n}@example.com"}) for n in range(20)]
    result = org.run(*contacts, modules={"Contacts": "Email"})
    assert isinstance(result.error, AllRefusedError)
    assert result.states == []


def test_a_change_of_a_deal_that_breaks_zoho_does_not_cost_the_other_deals(accounts):
    made = accounts.write(range(10))
    accounts.box.zoho.refuse("Accounts", when={"Account_Name": "Renamed 3"}, **BREAKS)
    changes = [Update(str(n), one.id, {"Account_Name": f"Renamed {n}"}, {}) for n, one in made.items()]
    outcomes = Writer(accounts.api, accounts.destination, workflows=False).carry_out(changes)
    assert [key for key, outcome in outcomes.items() if isinstance(outcome, Rejection)] == ["3"]
