"""A device whose reports pass through the remap program, in virtual time, on this machine."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from pyloader import ObjectSpec
from pyloader.btf import Type
from pyloader.catalog import find_hid_remapper
from pyloader.hid.descriptor import Descriptor
from pyloader.hid.parser import parse
from pyloader.hid.remap import actions, build, read
from tests import hid_reports

ROOT = Path(__file__).resolve().parents[2]
NEVER = (1 << 64) - 1
REPORT_BYTES = 64
MS = 1_000_000
MOST_POKES = 10_000


@cache
def value_type(name: str) -> Type:
    """Of the values of a map, from the BPF object."""
    spec: ObjectSpec = find_hid_remapper().open()
    return spec.maps[name].value_type


def compile_library(folder: Path) -> Path:
    """The program as a library; undefined behaviour ends the test."""
    made = folder / "remap.so"
    subprocess.run(
        [
            *("gcc", "-shared", "-fPIC", "-O1", "-g", "-Wall", "-Wextra", "-Werror"),
            *("-Wno-unused-parameter", "-Wno-sign-compare", "-Wno-unused-variable"),
            *("-fsanitize=undefined", "-fno-sanitize-recover", "-fno-strict-aliasing"),
            *(f"-I{ROOT / 'hid' / 'include'}", f"-I{ROOT / 'hid' / 'remap'}"),
            *("-o", str(made), str(ROOT / "tests" / "native" / "remap.c")),
        ],
        check=True,
    )
    return made


class Interface:
    """One of a device: what it has, and what is pressed on it."""

    def __init__(self, rdesc: bytes) -> None:
        self.descriptor: Descriptor = parse(rdesc)
        self.places = build.places_of(self.descriptor)
        self.raw: set[int] = set()
        self.by_report: dict[int, frozenset[str]] = {}
        self._known: dict[bytes, frozenset[str]] = {}  # reading a report takes long

    def report(self, report_id: int, axes: dict[int, int] | None = None) -> bytes:
        """What it says of the keys that are pressed, and of axes by usage."""
        return hid_reports.make(self.descriptor, report_id, self.raw, axes)

    def take(self, raw: bytes) -> None:
        report_id = hid_reports.report_of(self.descriptor, raw).id
        if raw not in self._known:
            self._known[raw] = hid_reports.pressed(self.descriptor, raw)
        self.by_report[report_id] = self._known[raw]

    @property
    def pressed(self) -> frozenset[str]:
        return frozenset[str]().union(*self.by_report.values())


class Remapped:
    """``now`` is in ns. ``states`` is what was pressed after each report that came out so far, on
    all interfaces together, as sets of names. Other interfaces are poked at once, unless
    ``pokes`` is false."""

    def __init__(self, library: ctypes.CDLL, rdesc: bytes, rules: str, *others: bytes) -> None:
        self._library = library
        library.feed.argtypes = [
            *(ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_uint64)
        ]
        library.poke.argtypes = [ctypes.c_uint32, ctypes.c_uint64]
        library.leave.argtypes = [ctypes.c_uint32, ctypes.c_uint64]
        library.interrupt.argtypes = [
            *(ctypes.c_uint32, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_uint64)
        ]
        library.deadline.restype = ctypes.c_uint64
        library.bypassed.restype = library.is_left.restype = ctypes.c_bool
        self.interfaces = [Interface(each) for each in (rdesc, *others)]
        self.now = 1_000 * MS
        self.states: list[frozenset[str]] = []
        self.pokes = True
        self.last: bytes = b""
        library.start(len(self.interfaces))
        self.set_rules(rules)

    @property
    def descriptor(self) -> Descriptor:
        return self.interfaces[0].descriptor

    @property
    def places(self) -> build.Places:
        return self.interfaces[0].places

    def set_rules(self, rules: str) -> None:
        read_rules = read.read_bytes(rules.encode(), "test.toml")
        numbered = {n: each.places for n, each in enumerate(self.interfaces)}
        made = actions.build_rules(read_rules, numbered, value_type("all_rules"))
        assert self._library.set_rules(made, len(made)) == 0
        for n, places in numbered.items():
            raw = build.build_places(read_rules, places, value_type("all_places"))
            assert self._library.set_places(n, raw, len(raw)) == 0
        self._library.flip()

    def press(self, *names: str, after_ms: float = 1, on: int = 0) -> list[frozenset[str]]:
        return self.change(press=names, after_ms=after_ms, on=on)

    def release(self, *names: str, after_ms: float = 1, on: int = 0) -> list[frozenset[str]]:
        return self.change(release=names, after_ms=after_ms, on=on)

    def change(
        self,
        press: Iterable[str] = (),
        release: Iterable[str] = (),
        after_ms: float = 1,
        on: int = 0,
    ) -> list[frozenset[str]]:
        """A moment later, keys change; what is pressed after each report that comes of it."""
        self.wait(after_ms)
        begun = len(self.states)
        for report in self._changed(press, release, on):
            self.send(report, on)
        return self.states[begun:]

    def _changed(self, press: Iterable[str], release: Iterable[str], on: int) -> list[bytes]:
        interface = self.interfaces[on]
        changed: set[int] = set()
        for names, down in ((release, False), (press, True)):
            for name in names:
                code = interface.places.code_for(name)
                changed.add(code)
                (interface.raw.add if down else interface.raw.discard)(code)
        return [
            interface.report(report_id)
            for index, (report_id, _) in enumerate(interface.places.reports)
            if changed & interface.places.owned[index]
        ]

    def meanwhile(
        self, point: int, press: Iterable[str] = (), release: Iterable[str] = (), on: int = 1
    ) -> None:
        """During the next report of another interface keys change on this one as well."""
        for report in self._changed(press, release, on):
            self._library.interrupt(point, on, report, len(report), self.now)

    def finish_meanwhile(self, on: int = 1) -> None:
        """The same, now, where that report had no such point."""
        if self._library.is_left():
            for report_id, _ in self.interfaces[on].places.reports:
                self.send(self.interfaces[on].report(report_id), on)

    def wait(self, ms: float) -> None:
        """Time passes; timers run where they are set."""
        end = self.now + int(ms * MS)
        while True:
            due, n = min((self._library.deadline(n), n) for n in range(len(self.interfaces)))
            if due > end or due == NEVER:
                break
            self.now = max(self.now, due)
            self.poke(n)
        self.now = end

    def poke(self, n: int) -> None:
        self._take(self._library.poke(n, self.now))
        self.settle()

    def settle(self) -> None:
        """Interfaces that have something to do for others do it."""
        for _ in range(MOST_POKES):
            awaited = self._library.get_awaited()
            if not self.pokes or not awaited:
                return
            n = (awaited & -awaited).bit_length() - 1
            self._take(self._library.poke(n, self.now))
        raise AssertionError("the interfaces wait for each other")

    def report(self, report_id: int, axes: dict[int, int] | None = None) -> bytes:
        return self.interfaces[0].report(report_id, axes)

    def send(self, report: bytes, on: int = 0) -> None:
        self._take(self._library.feed(on, report, len(report), self.now))
        self.settle()

    def unplug(self, on: int) -> list[frozenset[str]]:
        """That interface is gone."""
        begun = len(self.states)
        self.interfaces[on].raw.clear()
        self.interfaces[on].by_report.clear()
        self._library.leave(on, self.now)
        self.settle()
        return self.states[begun:]

    def resume(self) -> None:
        """After a suspend."""
        self._library.resume()

    def _take(self, number: int) -> None:
        buffer = ctypes.create_string_buffer(REPORT_BYTES)
        on = ctypes.c_uint32()
        for n in range(number):
            size = self._library.get_out(n, buffer, ctypes.byref(on))
            self.last = buffer.raw[:size]
            self.interfaces[on.value].take(self.last)
            self.states.append(self._pressed())

    def _pressed(self) -> frozenset[str]:
        return frozenset[str]().union(*(each.pressed for each in self.interfaces))

    def axis(self, usage: int) -> int:
        """Its value in the report that came out last."""
        return hid_reports.axis(self.descriptor, self.last, usage)

    @property
    def pressed(self) -> set[str]:
        """What the system believes is pressed now."""
        return set(self._pressed())

    @property
    def is_bypassed(self) -> bool:
        return bool(self._library.bypassed())
