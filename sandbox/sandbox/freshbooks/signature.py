"""The signature of a webhook: HMAC-SHA256, keyed with the verifier as it is, over the form's fields as JSON.

Source: https://www.freshbooks.com/api/webhooks. The JSON is what Python's `json.dumps` makes of the fields in the order
in which they are sent, all values as strings: with a space after ``:`` and ``,``, and non-ASCII text escaped.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER = "X-FreshBooks-Hmac-SHA256"


def signature(verifier: str, fields: Mapping[str, object]) -> str:
    """Sign the fields of a delivery; gives the value of the header."""
    message = json.dumps({name: str(value) for name, value in fields.items()})
    return base64.b64encode(hmac.digest(verifier.encode(), message.encode(), hashlib.sha256)).decode()
