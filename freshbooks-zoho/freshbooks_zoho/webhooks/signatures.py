"""FreshBooks' webhook signature: no I/O, just bytes in and a verdict out.

https://www.freshbooks.com/api/webhooks: a delivery is form data, and its header `HEADER` carries
``base64(HMAC-SHA256(verifier, message))``. The message is not the body but what FreshBooks' own Python makes of the
form: ``json.dumps`` with its defaults, all values strings, in the order of the form. The key is the verifier as it is,
not decoded.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HEADER = "X-FreshBooks-Hmac-SHA256"
MAX_FIELDS = 50


class FormError(ValueError):
    """A body that is not a form FreshBooks could have sent."""


def parse_form(body: bytes, *, max_fields: int = MAX_FIELDS) -> dict[str, str]:
    """Read an ``application/x-www-form-urlencoded`` body; blank values are kept, the order is that of the body.

    Raises:
        FormError: if it is not UTF-8 (percent-encoded or not), has too many fields, or has a field twice: which of the
            two was signed, and which would be used, must not be open to choice.
    """
    if body.count(b"&") >= max_fields:
        raise FormError(f"The form has more than {max_fields} fields.")
    form: dict[str, str] = {}
    try:
        for field in body.decode().split("&"):
            if not field:
                continue
            name, _, value = field.partition("=")
            name = _unquoted(name)
            if name in form:
                raise FormError("The form has a field twice.")
            form[name] = _unquoted(value)
    except UnicodeDecodeError:
        raise FormError("The form is not UTF-8.") from None
    return form


def _unquoted(text: str) -> str:
    # Most names and values are as they are.
    return unquote(text.replace("+", " "), errors="strict") if "%" in text or "+" in text else text


def message(form: Mapping[str, str]) -> bytes:
    """Return what is signed; `form` holds all fields, in the order received."""
    # What json.dumps gives for texts only, in half the time.
    quoted = [f"{encode_basestring_ascii(name)}: {encode_basestring_ascii(str(form[name]))}" for name in form]
    return f"{{{', '.join(quoted)}}}".encode()


def sign(form: Mapping[str, str], verifier: str) -> str:
    """Return the signature of a form under a verifier."""
    return _sign(message(form), verifier).decode()


def _sign(text: bytes, verifier: str) -> bytes:
    # Not hmac.digest: it lets other threads run meanwhile, which takes far longer than the hash of so short a text.
    code = _keyed(verifier).copy()
    code.update(text)
    return binascii.b2a_base64(code.digest(), newline=False)


@lru_cache(maxsize=64)
def _keyed(verifier: str) -> hmac.HMAC:
    """Return the beginning of every signature under a verifier; making it takes as long as all that follows."""
    return hmac.new(verifier.encode(), digestmod=hashlib.sha256)


def is_signed(form: Mapping[str, str], signature: bytes, verifiers: Iterable[str]) -> bool:
    """Return whether a signature is right under any of several verifiers; under none if there are none.

    The texts are compared, not what they decode to: base64 has several spellings of the same bytes, FreshBooks sends
    one. All verifiers are tried, so that the time taken tells nothing of which one fits.
    """
    text = message(form)
    fits = [hmac.compare_digest(_sign(text, verifier), signature) for verifier in verifiers]
    return any(fits)
