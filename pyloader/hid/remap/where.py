"""Where in the text of a TOML file a key stands: tomllib does not say."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*=""")


def find(text: str, table: str, key: str | None) -> tuple[int, int] | None:
    """Line and column, from 1 on, of a key of a table, or of the table's header; None if it is
    written in some other way."""
    inside = table == ""
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            inside = _plain(header[1]) == table
            if inside and key is None:
                return number, line.index("[") + 1
            continue
        found = _KEY.match(line)
        if inside and key is not None and found and found[1].strip("\"'") == key:
            return number, found.start(1) + 1
    return None


def _plain(header: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in header.split("."))
