"""What the companion logs: plain lines, or one JSON object a line; times are UTC."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import datetime, timezone

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

FORMATS = ("plain", "json")
_QUIET = ("urllib3", "asyncio", "singer_sdk")


class _Plain(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        text = f"{_time(record)} {record.levelname:<7} {record.getMessage()}"
        return "\n  ".join([text, *_origin(record)])


class _Json(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps({**line, "exception": origin} if (origin := _origin(record)) else line, default=str)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _origin(record: logging.LogRecord) -> list[str]:
    """Name an exception and where it came from; its text may hold what a service or a person wrote."""
    if not record.exc_info or record.exc_info[0] is None:
        return []
    places = traceback.extract_tb(record.exc_info[2])
    return [record.exc_info[0].__name__, *(f"{place.filename}:{place.lineno} in {place.name}" for place in places)]


def set_up(style: str = "plain", level: int = logging.INFO) -> None:
    """Log to stdout, which `meltano invoke` passes through untouched (it logs stderr anew, line by line)."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Json() if style == "json" else _Plain())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
