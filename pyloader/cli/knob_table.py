"""Knobs as the commands show them."""

from __future__ import annotations

from typing import Any

from pyloader.cli.output import table, value


def knob_json(knob: Any, now: Any) -> dict[str, Any]:
    """One knob and the value that it has now."""
    return {
        "value": now,
        "default": knob.default,
        "min": knob.minimum,
        "max": knob.maximum,
        "unit": knob.unit,
        "live": not knob.at_load,
        "doc": knob.doc,
    }


def knob_table(knobs: Any, now: dict[str, Any]) -> None:
    """All knobs, a line each, with the values in ``now``."""
    table(
        ("KNOB", "VALUE", "UNIT", "DEFAULT", "RANGE", "CHANGE", "WHAT IT DOES"),
        [
            (
                k.name,
                value(now[k.name]),
                k.unit,
                value(k.default),
                "on, off" if isinstance(k.default, bool) else f"{k.minimum}-{k.maximum}",
                "by a swap" if k.at_load else "live",
                k.doc,
            )
            for k in knobs.values()
        ],
        right=(1, 3),
    )
