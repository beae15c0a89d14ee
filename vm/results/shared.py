"""Conditions that runs have in common, such as QEMU's command line, written once.

A file's ``shared`` holds them by name; in their place a run's ``conditions`` have
``{"shared": NAME}``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from vm.results.entries import JsonObject, Malformed, mapping

_WORD = "shared"

#: Characters of JSON from which on it makes a file smaller, and no harder to read.
_LONG = 100


def fold(entries: Sequence[JsonObject]) -> JsonObject:
    """Take out of the entries' conditions what is long and there twice; the values by name."""
    times = Counter(text for conditions in _conditions(entries) for _, text in _long(conditions))
    names: dict[str, str] = {}
    values: JsonObject = {}
    for conditions in _conditions(entries):
        for key, text in _long(conditions):
            if times[text] < 2 and not _is_name(conditions[key]):
                continue
            if text not in names:
                names[text] = f"{key} {len(values) + 1}"
                values[names[text]] = conditions[key]
            conditions[key] = {_WORD: names[text]}
    return values


def unfold(entries: Sequence[Any], values: Mapping[str, Any]) -> None:
    """Put everything back. Malformed if something is not there."""
    for number, given in enumerate(entries):
        where = f"runs[{number}]"
        conditions = mapping(mapping(given, where).get("conditions"), f"{where}.conditions")
        for key, value in conditions.items():
            if not _is_name(value):
                continue
            name = value[_WORD]
            if not isinstance(name, str) or name not in values:
                raise Malformed(f"has nothing of that name in {_WORD}, for {where}: {name!r}")
            conditions[key] = values[name]


def _conditions(entries: Sequence[JsonObject]) -> Iterator[JsonObject]:
    for entry in entries:
        yield cast("JsonObject", entry["conditions"])


def _long(conditions: JsonObject) -> list[tuple[str, str]]:
    """Those worth it, with their JSON; and what would be taken for a name."""
    texts = ((key, json.dumps(value)) for key, value in conditions.items())
    return [(k, text) for k, text in texts if len(text) >= _LONG or _is_name(conditions[k])]


def _is_name(value: object) -> bool:
    return isinstance(value, dict) and set(cast("JsonObject", value)) == {_WORD}
