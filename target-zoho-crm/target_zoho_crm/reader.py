"""Reading Singer messages without ever showing what is in them."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any

from singer_sdk.io_base import SingerReader

from target_zoho_crm.errors import ZohoError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


_DECODER = json.JSONDecoder(parse_float=Decimal)


class InputError(ZohoError):
    """The tap's output cannot be read."""


class PrivateReader(SingerReader):
    """Names a line that is no message by its number.

    The SDK's own reader would log the line, which is somebody's data.
    """

    def __init__(self) -> None:
        super().__init__()
        self._line = 0

    @override
    def deserialize_json(self, line: str) -> dict[str, Any]:
        self._line += 1
        try:
            message = _DECODER.decode(line)
        except ValueError:
            message = None
        if isinstance(message, dict):
            return message
        raise InputError(
            f"Line {self._line} of the input is no Singer message: the tap broke off within one, or wrote something "
            "else to its stdout."
        )
