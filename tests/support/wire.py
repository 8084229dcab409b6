"""How answers are made up, without what is in them: keys in their order, and of each value its form.

`python -m support.wire FOLDER` describes recorded answers; `tests/contract/freshbooks_wire.json` is such a description
of FreshBooks' own, so that the sandbox and the tap can be held against it anywhere.
"""

from __future__ import annotations

import json
import re
import sys
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

DESCRIBED = Path(__file__).parents[1] / "contract" / "freshbooks_wire.json"
FORMS = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "moment": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?"),
    "number": re.compile(r"-?\d+(\.\d+)?"),
    "text": re.compile(r".*", re.DOTALL),
}
"""Of texts, the first that fits."""
MAY_DIFFER = (".permissions", "_statuses")
"""What is in these depends on the account and its plan."""
_ACCOUNT, _NUMBER = re.compile(r"/account/\w+/"), re.compile(r"\d+$")


def form(value: Any) -> Any:
    """Give the form of a value: a name, or what an object or a list is made of."""
    if isinstance(value, dict):
        return {key: form(each) for key, each in value.items()}
    if isinstance(value, list):
        return [reduce(merged, map(form, value))] if value else []
    if isinstance(value, str):
        return next(name for name, pattern in FORMS.items() if pattern.fullmatch(value))
    return {type(None): "null", bool: "bool", int: "int"}.get(type(value), "float")


def merged(one: Any, other: Any) -> Any:
    """Give the form of values of which some have one form and some the other."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = dict.fromkeys([*one, *other])
        return {key: merged(one.get(key, "null"), other.get(key, "null")) for key in keys}
    if isinstance(one, list) and isinstance(other, list):
        return [reduce(merged, [*one, *other])] if one or other else []
    if isinstance(one, str) and isinstance(other, str):
        return "|".join(sorted({*one.split("|"), *other.split("|")}))
    return one if other == "null" else other


def described(folder: Path) -> dict[str, Any]:
    """Describe recorded answers, by the names of their files."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        (recorded,) = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        found[path.stem] = {
            "method": recorded["method"],
            "path": _ACCOUNT.sub("/account/{account}/", _NUMBER.sub("{id}", recorded["path"])),
            "params": recorded["request"].get("params"),
            "status": recorded["status"],
            "headers": sorted(recorded["headers"]),
            "content_type": recorded["headers"]["content-type"],
            "body": form(recorded["body"]),
        }
    return found


def calls() -> dict[str, Any]:
    """Give the description of FreshBooks' answers."""
    return dict(json.loads(DESCRIBED.read_text(encoding="utf-8")))


def disagreements(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Say where an answer's form is another one; null agrees with everything, and an empty list with any."""
    if path.endswith(MAY_DIFFER) or "null" in (ours, theirs) or [] in (ours, theirs):
        return []
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if list(ours) != list(theirs):
            return [f"{path}: {list(ours)} instead of {list(theirs)}"]
        return [one for key in theirs for one in disagreements(ours[key], theirs[key], f"{path}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list):
        return disagreements(ours[0], theirs[0], f"{path}[]")
    if isinstance(ours, str) and isinstance(theirs, str) and _json_types(ours) & _json_types(theirs):
        return []
    return [f"{path}: {ours} instead of {theirs}"]


def _json_types(names: str) -> set[str]:
    return {name if name in {"bool", "int", "float"} else "text" for name in names.split("|") if name != "null"}


def values(form: Any) -> st.SearchStrategy[Any]:
    """Give values of a form."""
    if isinstance(form, dict):
        return st.fixed_dictionaries({key: values(each) for key, each in form.items()})
    if isinstance(form, list):
        return st.lists(values(form[0]), max_size=3) if form else st.just([])
    return st.one_of([_OF[name] for name in form.split("|")])


_OF: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "bool": st.booleans(),
    "int": st.integers(0, 2**31),
    "float": st.floats(0, 1e6),
    "date": st.dates().map(str),
    "moment": st.builds("{} {:%H:%M:%S}".format, st.dates(), st.times()),
    "number": st.decimals(-(10**9), 10**9, places=2).map(str),
    "text": st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(described(Path(sys.argv[1])), indent=1) + "\n")
