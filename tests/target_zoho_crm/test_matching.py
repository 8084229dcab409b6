"""Which account a client is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_zoho_crm.sync.matching import Ambiguous, Candidate, Link, Linked, New, Party, match_clients, same_name


def match(clients, candidates=(), linked=None, emails=None):
    return match_clients(clients, linked or {}, candidates, emails or {})


def test_the_freshbooks_id_comes_first():
    found = match([Party("f:1", "Acme")], [Candidate("20", "Acme")], linked={"f:1": "10"})
    assert found == {"f:1": Linked("10")}


def test_one_account_of_the_name_is_linked():
    assert match([Party("f:1", "Acme")], [Candidate("10", "Acme"), Candidate("11", "Other")]) == {"f:1": Link("10")}


@pytest.mark.parametrize("name", ["ACME corp", " Acme  Corp ", "Acme\tCorp"])
def test_case_and_white_space_make_no_difference(name):
    assert match([Party("f:1", "Acme Corp")], [Candidate("10", name)]) == {"f:1": Link("10")}


def test_composed_and_decomposed_letters_are_the_same():
    assert same_name("Cafe\u0301 STRASSE") == same_name("café strasse")


def test_a_part_of_the_name_is_not_the_name():
    assert match([Party("f:1", "Acme")], [Candidate("10", "Acme Corp")]) == {"f:1": New()}


def test_of_several_the_one_with_the_clients_email():
    accounts = [Candidate("10", "Smith", "other@example.com"), Candidate("11", "Smith", "Ann@Example.com")]
    assert match([Party("f:1", "Smith", "ann@example.com")], accounts) == {"f:1": Link("11")}


def test_a_contacts_email_counts_too():
    accounts = [Candidate("10", "Smith"), Candidate("11", "Smith")]
    found = match([Party("f:1", "Smith", "ann@example.com")], accounts, emails={"10": ["x@y.z", "ann@example.com"]})
    assert found == {"f:1": Link("10")}


@pytest.mark.parametrize("email", ["", "nobody@example.com", "both@example.com"])
def test_still_several_is_ambiguous_and_the_candidates_are_named(email):
    accounts = [Candidate("11", "Smith", "both@example.com"), Candidate("10", "Smith", "both@example.com")]
    assert match([Party("f:1", "Smith", email)], accounts) == {"f:1": Ambiguous(("10", "11"))}


def test_none_is_new():
    assert match([Party("f:1", "Acme")]) == {"f:1": New()}


def test_two_clients_of_one_name_without_an_account_are_both_new():
    assert match([Party("f:1", "Smith"), Party("f:2", "Smith")]) == {"f:1": New(), "f:2": New()}


def test_of_two_clients_who_claim_one_account_the_one_with_its_email_gets_it():
    clients = [Party("f:1", "Smith", "a@example.com"), Party("f:2", "Smith", "b@example.com")]
    assert match(clients, [Candidate("10", "Smith", "b@example.com")]) == {"f:1": New(), "f:2": Link("10")}


def test_two_clients_who_claim_one_account_wait_if_nothing_tells_them_apart():
    clients = [Party("f:1", "Smith", "a@example.com"), Party("f:2", "Smith", "a@example.com")]
    accounts = [Candidate("10", "Smith", "a@example.com")]
    assert match(clients, accounts) == {"f:1": Ambiguous(("10",)), "f:2": Ambiguous(("10",))}


def test_what_is_left_when_an_email_has_decided_is_matched_by_the_same_rule():
    clients = [Party("f:1", "Smith", "a@example.com"), Party("f:2", "Smith", "b@example.com")]
    accounts = [Candidate("10", "Smith", "a@example.com"), Candidate("11", "Smith")]
    assert match(clients, accounts) == {"f:1": Link("10"), "f:2": Link("11")}


@pytest.mark.parametrize("email", ["", "a@example.com"])
def test_a_deleted_client_takes_what_the_others_leave(email):
    clients = [Party("f:1", "Smith", email, deleted=True), Party("f:2", "Smith", email)]
    assert match(clients, [Candidate("10", "Smith", email)]) == {"f:1": New(), "f:2": Link("10")}
    accounts = [Candidate("10", "Smith", email), Candidate("11", "Smith")]
    both = Ambiguous(("10", "11"))
    left = {"f:1": Link("11"), "f:2": Link("10")}
    assert match(clients, accounts) == (left if email else {"f:1": both, "f:2": both})


def test_a_deleted_client_whose_email_an_account_has_gets_it():
    clients = [Party("f:1", "Smith", "a@example.com", deleted=True), Party("f:2", "Smith", "b@example.com")]
    assert match(clients, [Candidate("10", "Smith", "a@example.com")]) == {"f:1": Link("10"), "f:2": New()}


names = st.sampled_from(["Smith", "smith ", "Jones", "JONES", "Ng"])
emails = st.sampled_from(["", "a@example.com", "B@example.com", "b@example.com"])


@st.composite
def situations(draw):
    keys = draw(st.lists(st.integers(1, 9), unique=True, min_size=1, max_size=5))
    ids = draw(st.lists(st.integers(10, 19), unique=True, max_size=5))
    clients = [Party(f"f:{key}", draw(names), draw(emails), draw(st.booleans())) for key in keys]
    accounts = [Candidate(str(number), draw(names), draw(emails)) for number in ids]
    contacts = {account.id: [draw(emails)] for account in accounts}
    linked = {f"f:{key}": f"9{key}" for key in draw(st.lists(st.sampled_from(keys), unique=True))}
    return clients, linked, accounts, contacts


@given(situations())
def test_no_account_is_ever_given_to_two_clients_and_none_made_beside_the_only_one(situation):
    clients, linked, accounts, contacts = situation
    found = match_clients(clients, linked, accounts, contacts)

    assert found.keys() == {client.key for client in clients}
    taken = [one.id for one in found.values() if isinstance(one, (Link, Linked))]
    assert len(taken) == len(set(taken))
    names_of = {account.id: same_name(account.name) for account in accounts}
    for client in clients:
        one = found[client.key]
        if isinstance(one, Link):
            assert names_of[one.id] == same_name(client.name)
        if isinstance(one, New):
            free = [id_ for id_, name in names_of.items() if name == same_name(client.name) and id_ not in taken]
            assert not free
        if isinstance(one, Ambiguous):
            assert set(one.candidates) <= {id_ for id_, name in names_of.items() if name == same_name(client.name)}


@given(situations(), st.randoms())
def test_the_order_of_clients_and_accounts_makes_no_difference(situation, random):
    clients, linked, accounts, contacts = situation
    shuffled = random.sample(clients, len(clients)), linked, random.sample(accounts, len(accounts)), contacts
    assert match_clients(*shuffled) == match_clients(clients, linked, accounts, contacts)
