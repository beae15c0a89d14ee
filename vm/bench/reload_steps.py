"""What ``scxhid hid remap FILE`` does, step by step, with the time: a program of its own, since the
start of the interpreter is one of the steps.

    python reload_steps.py STARTED-NS FILE            on the device that the file is for
    python reload_steps.py STARTED-NS FILE DESCRIPTOR compiled for a descriptor (base 16); no kernel
    python reload_steps.py watch FILE DESCRIPTOR      the same at each save of FILE

Writes the ns of each step, by name, as JSON; STARTED-NS is the monotonic time before it was run.
With ``watch`` a line each time that the tables are ready: the monotonic time in ns.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyloader.hid.remap.model import Rules

STEPS = ("start", "imports", "read", "compile", "apply")


def main(started_ns: str, path: str, descriptor: str = "") -> None:
    """Take the steps, and write how long they took."""
    moments = [int(started_ns), time.monotonic_ns()]
    _import()
    moments.append(time.monotonic_ns())
    from pyloader.hid.remap.compose import read_compose

    composed = read_compose(path)
    moments.append(time.monotonic_ns())
    if descriptor:
        _compile(composed.sections[0], bytes.fromhex(descriptor))
        moments.append(time.monotonic_ns())
    else:
        from pyloader.hid.remap.apply import apply
        from pyloader.hid.remap.choose import chosen
        from pyloader.hid.remap.plan import plan

        plans = [plan(each.rules, each.interfaces) for each in chosen(composed, None)]
        moments.append(time.monotonic_ns())
        for planned in plans:
            apply(planned)
        moments.append(time.monotonic_ns())
    spent = [end - start for start, end in pairwise(moments)]
    json.dump(dict(zip(STEPS, spent, strict=False)), sys.stdout)


def watch(path: str, descriptor: str) -> None:
    """Until SIGINT: what ``hid remap --watch`` does but for the kernel, and a line each time."""
    _import()
    from pyloader import sysfs
    from pyloader.cli.watched import repeat
    from pyloader.errors import ScxhidError
    from pyloader.hid.remap.compose import read_compose

    def again() -> Mapping[str, bytes]:
        composed = read_compose(path)
        _compile(composed.sections[0], bytes.fromhex(descriptor))
        print(time.monotonic_ns(), flush=True)
        return composed.files

    def failed(error: ScxhidError) -> None:
        raise error

    repeat(again(), sysfs.hid_devices(), again, failed)


def _import() -> None:
    """As the command does."""
    for name in ("cli", "cli.hid", "cli.hid_remap", "hid.remap.choose", "hid.remap.apply"):
        import_module(f"pyloader.{name}")


def _compile(rules: Rules, descriptor: bytes) -> None:
    """The tables, from the types that the object has."""
    from pyloader.catalog import find_hid_remapper
    from pyloader.hid.parser import parse
    from pyloader.hid.remap.actions import build_rules
    from pyloader.hid.remap.build import build_places, places_of

    spec = find_hid_remapper().open()
    places = places_of(parse(descriptor))
    build_rules(rules, {0: places}, spec.maps["all_rules"].value_type)
    build_places(rules, places, spec.maps["all_places"].value_type)


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        watch(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
