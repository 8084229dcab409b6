"""``/users/me``: who the person is, and the businesses the person belongs to."""

from __future__ import annotations

from support.freshbooks import Api, errno


def me(api):
    return api.request("GET", "/auth/api/v1/users/me").json()


def memberships(api):
    return me(api)["response"]["business_memberships"]


def test_the_envelope_has_no_result(api):
    assert list(me(api)) == ["response"]
    assert "result" not in me(api)["response"]


def test_a_business_tells_its_account(api, books):
    (membership,) = memberships(api)
    assert membership["business"]["account_id"] == books.account_id
    assert membership["id"] != membership["business"]["id"]
    assert me(api)["response"]["roles"][0]["accountid"] == books.account_id


def test_there_may_be_several_businesses_and_one_without_accounting(api, books):
    second = books.add_business("Second Ltd", "Europe/Berlin", "business_manager", currency="EUR")
    assert books.add_business("No books", accounting=False) is None
    accounts = [membership["business"]["account_id"] for membership in memberships(api)]
    assert accounts == [books.account_id, second, None]


def test_accounts_do_not_see_each_other(box, api, books):
    second = books.add_business("Second Ltd")
    client = books.create_client(fname="B", account=second)
    assert api.ids("clients") == []
    other = Api(box, account=second)
    assert other.ids("clients") == [client["id"]]
    assert errno(api.request("GET", api.path("clients", client["id"]))) == (404, 1012)
    other.close()


def test_an_unknown_account_is_404(api):
    api.account = "zzzzzz"
    assert errno(api.page("clients")) == (404, 1012)


def test_a_client_of_a_business_reads_and_does_not_write(box, books):
    account = books.add_business("Supplier", role="client")
    client = books.create_client(fname="A", account=account)
    api = Api(box, account=account)
    assert api.ids("clients") == [client["id"]]
    refused = api.update("clients", client["id"], fname="B")
    assert refused.status_code == 403
    assert "Permission Denied" in refused.text
    books.switches.unreadable_rows = True
    result = api.result("clients")
    assert (result["total"], result["clients"]) == (1, [])
    api.close()


def test_secrets_are_in_it_so_that_logging_it_shows(api):
    (membership,) = memberships(api)
    assert len(membership["fasttrack_token"]) > 40


def test_a_business_whose_subscription_has_ended_says_so_and_gives_nothing(api, books):
    books.change_business(status="suspended")
    assert memberships(api)[0]["business"]["status"] == "suspended"
    assert errno(api.page("clients")) == (403, 1042)
    books.change_business(status="active")
    assert api.ids("clients") == []


def test_a_business_may_go_on_under_another_account_with_the_same_records(api, books):
    number = books.create_client(organization="Larch and Sons")["id"]
    former = books.account_id
    account = books.change_business(role="business_accountant", moves=True)
    assert (memberships(api)[0]["business"]["account_id"], memberships(api)[0]["role"]) == (
        account,
        "business_accountant",
    )
    assert api.page("clients").status_code == 404
    api.account = account
    assert api.get("clients", number)["accounting_systemid"] == account != former
