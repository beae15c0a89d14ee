"""Parts of a remap file as text: what ``read`` reads."""

from __future__ import annotations

import json
import re

from pyloader.hid.remap.model import (
    Action,
    Combo,
    Keys,
    Layer,
    Macro,
    Match,
    Nothing,
    Pass,
    Simple,
    TapHold,
)
from pyloader.hid.remap.read import BUSES

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BUSES = {number: name for name, number in BUSES.items()}


def key(name: str) -> str:
    """The name of a key or of a table, in quotes where TOML wants them."""
    return name if _BARE.fullmatch(name) else text(name)


def text(value: str) -> str:
    """A string; JSON's escapes are TOML's as well, but for U+007F."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def action(value: Action) -> str:
    """What a key does."""
    if not isinstance(value, TapHold):
        return _simple(value)
    return (
        f"{{ hold = {_simple(value.hold)}, tap = {_simple(value.tap)},"
        f' timeout_ms = {value.timeout_ms}, resolve = "{value.resolve}" }}'
    )


def combo(value: Combo) -> str:
    """The line for a combo."""
    names = "+".join(value.names)
    return f"{text(names)} = {{ to = {_simple(value.action)}, within_ms = {value.within_ms} }}"


def device(match: Match) -> list[str]:
    """The lines of the table ``device``."""
    lines: list[str] = []
    if match.name is not None:
        lines.append(f"name = {text(match.name)}")
    for name, number in (("vid", match.vendor), ("pid", match.product)):
        if number is not None:
            lines.append(f"{name} = {number:#06x}")
    if match.bus is not None:
        lines.append(f'bus = "{_BUSES[match.bus]}"')
    return lines


def comment(line: str) -> str:
    """A comment; what TOML does not allow there is a question mark."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in line)
    return f"# {shown}".rstrip()


def _simple(value: Simple) -> str:
    if isinstance(value, Keys):
        return text("+".join(value.names))
    if isinstance(value, Layer):
        return f"{{ {value.how} = {text(value.name)} }}"
    if isinstance(value, Macro):
        steps = ", ".join(text("+".join(step.names)) for step in value.steps)
        return f"{{ macro = [{steps}] }}"
    return {Nothing: '"none"', Pass: '"pass"'}[type(value)]
