"""``scxhid hid record --both``: reports before and after the programs of a device, side by side."""

from __future__ import annotations

import json
import os
import select
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pyloader.cli.interrupt import until_interrupted
from pyloader.cli.output import destination, note
from pyloader.errors import ScxhidError, WrongUse
from pyloader.hid.hidraw import open_node
from pyloader.hid.pairs import Passage, leaving
from pyloader.hid.recording import Report, head, line, of_device
from pyloader.hid.sides import Sides
from pyloader.hid.tap import Tap

if TYPE_CHECKING:
    from pyloader.hid.device import Device

_LOOK_MS = 200
_GATHER_S = 0.01  # so many reports at a time, rather than a wake-up for each
_WORDS = {"dropped": "dropped", "injected": "sent by a program"}
_MARK, _UNMARK = "\x1b[1;33m", "\x1b[0m"

#: Takes what has passed; times count from the second argument, ns.
Sink = Callable[[list[Passage], int], None]


def record_both(
    device: Device, output: str | None, count: int | None, seconds: float | None, as_json: bool
) -> None:
    """Until ``count`` reports of the device, ``seconds`` from now, or Ctrl-C."""
    if output == "-":
        raise WrongUse("--both writes two files: give -o a name, or leave it out")
    sides = Sides(device)
    counted = dict.fromkeys(("before", "after", "changed", "dropped", "injected"), 0)
    with ExitStack() as stack:
        fd = open_node(device)
        stack.callback(os.close, fd)
        files = _files(output) if output else None
        show = _show(stack, files, device, sides, as_json)
        tap = stack.enter_context(Tap(device, sides.after))
        note(f"recording {device.name}" + ("" if seconds or count else "; Ctrl-C ends it"))

        def take(passages: list[Passage], began_ns: int) -> None:
            show(passages, began_ns)
            for passage in passages:
                counted["before"] += not passage.is_injected
                counted["after"] += passage.after is not None
                if passage.what in counted and not _is_nothing(passage):
                    counted[passage.what] += 1

        try:
            _follow(device, tap, fd, take, count, seconds)
        finally:
            _tell_end({**counted, "lost": tap.lost}, files, as_json)


def _follow(
    device: Device, tap: Tap, fd: int, take: Sink, count: int | None, seconds: float | None
) -> None:
    """Give to ``take`` what passes, until it is over; what is under way then as well."""
    began_ns = time.monotonic_ns()
    left, gone, first_ns = count, False, 0
    poll = select.poll()
    poll.register(tap.fileno(), select.POLLIN)
    poll.register(fd, 0)  # tells when it has been unplugged

    def hand_on(passages: list[Passage]) -> None:
        nonlocal left, first_ns
        if passages and not first_ns:
            first_ns = passages[0].at_ns
        if left is not None:
            passages, left = _first(passages, left)
        take(passages, first_ns)

    with until_interrupted() as is_over:
        while not gone and left != 0 and not is_over():
            wait_ms = _LOOK_MS
            if seconds is not None:
                over_ms = seconds * 1000 - (time.monotonic_ns() - began_ns) / 1e6
                if over_ms <= 0:
                    break
                wait_ms = min(wait_ms, over_ms)
            gone = any(each == fd for each, _ in poll.poll(wait_ms))
            time.sleep(_GATHER_S)
            hand_on(tap.read())
            for name in tap.newcomers() if not gone else ():
                when = (time.monotonic_ns() - began_ns) / 1e9
                note(f"{name} has been attached: from {when:.3f} s on it is in the recording")
        hand_on(tap.stop())
    if gone:
        raise ScxhidError(_why_gone(device))


def _first(passages: list[Passage], count: int) -> tuple[list[Passage], int]:
    """Up to and with the ``count``-th of the device, and how many are wanted then."""
    for index, passage in enumerate(passages):
        if not passage.is_injected:
            if not count:
                return passages[:index], 0
            count -= 1
    return passages, count


def _why_gone(device: Device) -> str:
    from pyloader import sysfs

    who = f"{device.sysname} ({device.name})"
    if sysfs.hid_device(device.sysname):
        return f"{who} has been given another report descriptor or driver: record it anew"
    return f"{who} has been unplugged"


def _files(output: str) -> tuple[str, str]:
    """Of the reports before and after: ``mouse.before.hid`` and ``mouse.hid``."""
    path = Path(output)
    return str(path.with_name(f"{path.stem}.before{path.suffix}")), output


def _show(
    stack: ExitStack,
    files: tuple[str, str] | None,
    device: Device,
    sides: Sides,
    as_json: bool,
) -> Sink:
    if files:
        before, after = (stack.enter_context(destination(file)) for file in files)
        for file, rdesc in zip((before, after), sides.raw, strict=True):
            file.writelines(f"{text}\n" for text in head(of_device(device, rdesc)))
            file.flush()
        return lambda passages, began_ns: _write(passages, began_ns, before, after)
    if as_json:
        return lambda passages, began_ns: _put(_json_line(p, began_ns, sides) for p in passages)
    columns = Columns(sides)
    return lambda passages, began_ns: _put(columns.lines(p, began_ns) for p in passages)


def _write(passages: list[Passage], began_ns: int, before: TextIO, after: TextIO) -> None:
    for passage in passages:
        if not passage.is_injected:
            print(line(Report(passage.at_ns - began_ns, 0, passage.before)), file=before)
    for passage in leaving(passages):
        print(line(Report(passage.after_ns - began_ns, 0, passage.after or b"")), file=after)
    before.flush()
    after.flush()


def _put(lines: Any) -> None:
    sys.stdout.write("".join(lines))
    sys.stdout.flush()


def _is_nothing(passage: Passage) -> bool:
    """Whether a program dropped what another had sent: nobody has seen anything of it."""
    return passage.is_injected and passage.after is None


def _json_line(passage: Passage, began_ns: int, sides: Sides) -> str:
    if _is_nothing(passage):
        return ""
    said = {
        "at_ns": passage.at_ns - began_ns,
        "before": None if passage.is_injected else passage.before.hex(),
        "after": None if passage.after is None else passage.after.hex(),
        "what": passage.what,
        "changed": sides.changes(passage),
    }
    return json.dumps(said) + "\n"


class Columns:
    """Lines for a person: time, before, after, what became of it.

    Where two reports beside each other do not fit on the terminal, they stand one below the other.
    """

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        self._width = max(len("BEFORE"), 3 * sides.longest - 1)
        self._marks = sys.stdout.isatty()
        needed = 2 * (self._width + 2) + len("00000.000000  sent by a program")
        self._stacked = self._marks and needed > os.get_terminal_size(sys.stdout.fileno()).columns
        if not self._stacked:
            _put(f"{'TIME':>12}  {'BEFORE':<{self._width}}  AFTER\n")

    def lines(self, passage: Passage, began_ns: int) -> str:
        if _is_nothing(passage):
            return ""
        when = f"{(passage.at_ns - began_ns) / 1e9:12.6f}"
        before = "-" if passage.is_injected else passage.before.hex(" ")
        after = "-" if passage.after is None else self._marked(passage)
        words = _WORDS.get(passage.what, "")
        changed = self._sides.changes(passage)
        words += ", ".join(f"{name} {old} → {new}" for name, (old, new) in changed.items())
        if self._stacked:
            return f"{when}  {before}\n{'':12}  {after}  {words}".rstrip() + "\n"
        pad = " " * (self._width - len("-" if passage.after is None else passage.after.hex(" ")))
        return f"{when}  {before:<{self._width}}  {after}{pad}  {words}".rstrip() + "\n"

    def _marked(self, passage: Passage) -> str:
        """The report as it came out, on a terminal with the bytes marked that are others."""
        out = passage.after or b""
        if not self._marks or passage.what != "changed":
            return out.hex(" ")
        pairs = zip(out, passage.before.ljust(len(out), b"\0"), strict=False)
        return " ".join(
            f"{byte:02x}" if byte == was else f"{_MARK}{byte:02x}{_UNMARK}" for byte, was in pairs
        )


def _tell_end(counted: dict[str, int], files: tuple[str, str] | None, as_json: bool) -> None:
    if as_json:
        named = dict(zip(("before", "after"), files, strict=True)) if files else None
        print(json.dumps({"reports": counted, "files": named}), flush=True)
    c = counted
    note(
        f"{c['before']} report{'' if c['before'] == 1 else 's'} before, {c['after']} after:"
        f" {c['changed']} changed, {c['dropped']} dropped, {c['injected']} sent by programs"
    )
    if c["lost"]:
        note(f"{c['lost']} more could not be taken in: nobody read them in time")
