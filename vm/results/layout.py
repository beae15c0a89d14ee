"""JSON that can be read by hand: one run an entry, one field of it a line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

#: How many levels of each part get lines of their own.
_LEVELS = {"runs": 2, "shared": 1, "workloads": 3, "host": 1}


def laid_out(content: Mapping[str, Any]) -> str:
    """The text of a file. ``content`` holds nothing but what JSON has."""
    lines = [
        f"  {json.dumps(key)}: {_spread(value, _LEVELS.get(key, 0), 2)}"
        for key, value in content.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of everything but ``sha256`` itself: of the shortest JSON with sorted keys,
    so that spaces and the order of keys do not count."""
    signed = {key: value for key, value in content.items() if key != "sha256"}
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _spread(value: object, levels: int, indent: int) -> str:
    """``value``, its outer ``levels`` with one line for each of their parts."""
    if not levels or not value or not isinstance(value, dict | list):
        return json.dumps(value, allow_nan=False)
    inner, outer = " " * (indent + 2), " " * indent
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        parts = [f"{json.dumps(k)}: {_spread(v, levels - 1, indent + 2)}" for k, v in pairs]
        opened, closed = "{", "}"
    else:
        parts = [_spread(v, levels - 1, indent + 2) for v in cast("list[object]", value)]
        opened, closed = "[", "]"
    lines = ",\n".join(inner + part for part in parts)
    return f"{opened}\n{lines}\n{outer}{closed}"
