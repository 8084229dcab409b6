"""The signature of FreshBooks' webhooks, against vectors, an independent signer, and whoever would forge one."""

from __future__ import annotations

import ast
import base64
import hmac
import json
from pathlib import Path
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import freshbooks_zoho
from freshbooks_zoho.webhooks.signatures import FormError, is_signed, message, parse_form, sign

CLIENT_KEY = "UWQfd9zCzxmVwFZWKqqKwLxqz8gvzGdAn"
INVOICE_KEY = "scADVVi5QuKuj5qTjVkbJNYQe7V7USpGd"
CLIENT = b"name=client.update&object_id=177864&user_id=1&account_id=FrEsHb"
INVOICE = b"name=invoice.create&object_id=1234567&account_id=6BApk&business_id=6543&identity_id=1234&user_id=1"
HANDSHAKE = (
    b"name=callback.verify&object_id=2001&account_id=6BApk&business_id=6543&identity_id=1234&user_id=1"
    b"&verifier=scADVVi5QuKuj5qTjVkbJNYQe7V7USpGd"
)
ESCAPES = b"name=client.update&object_id=1&note=a%2C+b%3A+%22c%22+%C3%A9%2Fx"

GOOD = [
    pytest.param(CLIENT_KEY, CLIENT, "uQL7Cy82JtV4RlsEowUZ+hm4cziC6LYjxuKj1cqLqHM=", id="client"),
    pytest.param(INVOICE_KEY, INVOICE, "/S03vyYmI7CekM4YXBHUhs9o5rnMtqGLrW3aA8S9gPc=", id="invoice"),
    pytest.param(INVOICE_KEY, HANDSHAKE, "T1ZkHPbidjBQa+8h3vzLADpfVvUoZQ9PzjODJyAvvmE=", id="handshake"),
    pytest.param(CLIENT_KEY, ESCAPES, "xD1cKfPIOCRCYSu9cstBTGhPB3WJpe5qGCO/QR1Bjm4=", id="escapes"),
]
BAD = [
    pytest.param(CLIENT_KEY, CLIENT, "NH16Be3NVTm/EzQ+PibWL/FTmCKffhYpS2rOTEhPW3s=", id="client, compact JSON"),
    pytest.param(CLIENT_KEY, CLIENT, "rcxsLIqPZCQLtMJZLy6CmtZ/0pUapNOK/EHuGl+89vU=", id="client, raw body"),
    pytest.param(CLIENT_KEY, CLIENT, "zMmweKRit0LBztHuSdPkiMDatMx2233d6XPv37GKlyQ=", id="client, sorted keys"),
    pytest.param(INVOICE_KEY, INVOICE, "ENwe/8MKygI95fsgnoIq4e1NnxOVl/8jdAncDoXm2/k=", id="invoice, compact JSON"),
    pytest.param(INVOICE_KEY, INVOICE, "53P2UswGzbvlPS2+pFzhcWDdnV4/8rAO0PI1mWr7nhA=", id="invoice, raw body"),
    pytest.param(CLIENT_KEY, ESCAPES, "uVnc/pMjXZ/OAGX6zsd6I3i6iYaDpScotEB2EUuyLSk=", id="escapes, é as it is"),
]


@pytest.mark.parametrize(("verifier", "body", "signature"), GOOD)
def test_what_freshbooks_signs_is_taken(verifier, body, signature):
    form = parse_form(body)
    assert sign(form, verifier) == signature
    assert is_signed(form, signature.encode(), [verifier])
    assert is_signed(form, signature.encode(), ["another key", verifier])


@pytest.mark.parametrize(("verifier", "body", "signature"), GOOD)
def test_another_case_is_another_signature(verifier, body, signature):
    form = parse_form(body)
    for other in (signature.lower(), signature.upper(), signature.swapcase()):
        assert not is_signed(form, other.encode(), [verifier])


@pytest.mark.parametrize(("verifier", "body", "signature"), BAD)
def test_what_others_make_of_the_rule_is_refused(verifier, body, signature):
    assert not is_signed(parse_form(body), signature.encode(), [verifier])


def test_without_a_verifier_nothing_is_signed():
    assert not is_signed(parse_form(CLIENT), b"uQL7Cy82JtV4RlsEowUZ+hm4cziC6LYjxuKj1cqLqHM=", [])
    assert not is_signed(parse_form(CLIENT), b"", [])


def test_the_message_is_what_python_writes():
    assert message(parse_form(ESCAPES)) == (
        rb'{"name": "client.update", "object_id": "1", "note": "a, b: \"c\" \u00e9/x"}'
    )
    assert message({"object_id": 1, "blank": ""}) == b'{"object_id": "1", "blank": ""}'


def test_the_digits_of_a_signature_are_compared_not_their_value():
    signature = b"uQL7Cy82JtV4RlsEowUZ+hm4cziC6LYjxuKj1cqLqHM="
    respelled = b"uQL7Cy82JtV4RlsEowUZ+hm4cziC6LYjxuKj1cqLqHN="
    assert base64.b64decode(signature) == base64.b64decode(respelled)
    assert not is_signed(parse_form(CLIENT), respelled, [CLIENT_KEY])
    assert not is_signed(parse_form(CLIENT), signature + b"\n", [CLIENT_KEY])
    assert not is_signed(parse_form(CLIENT), b"\xff" * 44, [CLIENT_KEY])


@pytest.mark.parametrize(
    "body",
    [
        b"name=a&name=b",
        b"name=a&%6eame=b",
        b"name=a&name=a",
        b"name=\xff",
        b"name=%ff",
        b"%C3=1",
        b"&".join(b"f%d=1" % number for number in range(51)),
    ],
)
def test_a_form_that_can_be_read_in_two_ways_is_no_form(body):
    with pytest.raises(FormError):
        parse_form(body)


def test_blank_values_and_the_order_are_kept():
    assert list(parse_form(b"b=&a=1&c").items()) == [("b", ""), ("a", "1"), ("c", "")]


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def independently(form: dict[str, str], verifier: str) -> bytes:
    """Sign as the documentation describes it, without the json module."""

    def quoted(value: str) -> str:
        plain = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
        written = ""
        for unit in memoryview(value.encode("utf-16-le")).cast("H"):
            character = chr(unit)
            written += plain.get(character) or (character if 0x20 <= unit < 0x7F else f"\\u{unit:04x}")
        return f'"{written}"'

    written = "{" + ", ".join(f"{quoted(name)}: {quoted(value)}" for name, value in form.items()) + "}"
    return base64.b64encode(hmac.digest(verifier.encode(), written.encode("ascii"), "sha256"))


@given(st.dictionaries(text, text, max_size=8), text.filter(bool), st.sampled_from([quote, quote_plus]))
@example({"note": 'a":"b","c": "\\u00e9/\x7f'}, "key", quote_plus)
@example({"emoji": "😀", "": ""}, "clé", quote)
def test_any_form_is_verified_as_an_independent_signer_signs_it(form, verifier, quoting):
    received = parse_form(urlencode(form, quote_via=quoting).encode())
    # An empty name with an empty value is "=", which is a field too.
    assert received == form
    signature = independently(form, verifier)
    assert is_signed(received, signature, [verifier])
    assert not is_signed(received, signature, [verifier + "x"])
    assert not is_signed({**received, "more": "1"} if "more" not in form else {}, signature, [verifier])


@given(st.binary(max_size=200))
def test_any_body_is_a_form_or_is_refused(body):
    try:
        form = parse_form(body)
    except FormError:
        return
    assert not is_signed(form, b"", ["key"])
    message(form).decode("ascii")


fields = st.lists(st.text('ab=+%é&"\\ ', max_size=4), max_size=6).map("&".join)


@given(fields)
def test_forms_are_read_and_written_as_the_standard_library_does(body):
    try:
        expected = parse_qsl(body, keep_blank_values=True, errors="strict")
        form = parse_form(body.encode())
    except ValueError:
        return
    assert list(form.items()) == expected
    assert message(form) == json.dumps(form).encode()


SECRET_WORDS = ("signature", "verifier", "digest", "secret", "token", "hmac")


def _identifiers(node: ast.AST) -> set[str]:
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return names | {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}


def secret_comparisons(source: str) -> list[int]:
    """Give the lines that compare a secret by value with anything but hmac.compare_digest."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(
            isinstance(op, (ast.Eq, ast.NotEq, ast.In, ast.NotIn)) for op in node.ops
        ):
            named = {name.lower() for side in (node.left, *node.comparators) for name in _identifiers(side)}
            if any(word in name for name in named for word in SECRET_WORDS):
                lines.append(node.lineno)
    return lines


RECEIVER = [
    "webhooks/signatures",
    "freshbooks/subscriptions",
    "freshbooks/subscription_store",
    "freshbooks/callbacks",
    "webhooks/deliveries",
    "freshbooks/events_api",
    "webhooks/app",
    "webhooks/inbox",
    "webhooks/notifications",
    "webhooks/consent",
    "zoho/channels",
    "zoho/watch",
    "admin/access",
    "admin/page",
]


@pytest.mark.parametrize("module", RECEIVER)
def test_secrets_are_compared_in_constant_time_only(module):
    folder = Path(freshbooks_zoho.__file__).parent
    assert secret_comparisons((folder / f"{module}.py").read_text()) == []


def test_the_check_for_comparisons_finds_them():
    assert secret_comparisons("if sign(form) == signature: ...") == [1]
    assert secret_comparisons("ok = given in self.verifiers") == [1]
    assert secret_comparisons("ok = hmac.compare_digest(a, signature)") == []
