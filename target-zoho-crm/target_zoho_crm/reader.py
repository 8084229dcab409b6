"""Reading Singer messages without ever showing what is in them."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import IO, Any

from singer_sdk.io_base import SingerReader

from target_zoho_crm.errors import ZohoError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


READ_AT_ONCE = 256 * 1024
_DECODER = json.JSONDecoder(parse_float=Decimal)


class InputError(ZohoError):
    """The tap's output cannot be read."""


def standard_input() -> IO[Any]:
    """Give stdin, to be read in large pieces.

    After each read Python lets another thread have its turn, and who reads little at a time is kept waiting by those
    that write to Zoho.
    """
    return open(sys.stdin.fileno(), "rb", buffering=READ_AT_ONCE, closefd=False)


class PrivateReader(SingerReader):
    """Names a line that is no message by its number.

    The SDK's own reader would log the line, which is somebody's data.
    """

    def __init__(self) -> None:
        super().__init__()
        self._line = 0

    @override
    def deserialize_json(self, line: str | bytes) -> dict[str, Any]:
        self._line += 1
        try:
            message = _DECODER.decode(line if isinstance(line, str) else line.decode())
        except ValueError:
            message = None
        if isinstance(message, dict):
            return message
        raise InputError(
            f"Line {self._line} of the input is no Singer message: the tap broke off within one, or wrote something "
            "else to its stdout."
        )
