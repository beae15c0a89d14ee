"""A device whose reports pass through the remap program, in virtual time, on this machine."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pyloader import ObjectSpec
from pyloader.catalog import find_hid_remapper
from pyloader.dtypes import dtype_of
from pyloader.hid.descriptor import Descriptor
from pyloader.hid.parser import parse
from pyloader.hid.remap import build, read
from tests import hid_reports

ROOT = Path(__file__).resolve().parents[2]
NEVER = (1 << 64) - 1
REPORT_BYTES = 64
MS = 1_000_000


@cache
def table_dtype() -> np.dtype[Any]:
    """Of the rules' table, from the BPF object."""
    spec: ObjectSpec = find_hid_remapper().open()
    return dtype_of(spec.maps["tables"].value_type)


def compile_library(folder: Path) -> Path:
    """The program as a library; undefined behaviour ends the test."""
    made = folder / "remap.so"
    subprocess.run(
        [
            *("gcc", "-shared", "-fPIC", "-O1", "-g", "-Wall", "-Wextra", "-Werror"),
            *("-Wno-unused-parameter", "-Wno-sign-compare"),
            *("-fsanitize=undefined", "-fno-sanitize-recover"),
            *(f"-I{ROOT / 'hid' / 'include'}", f"-I{ROOT / 'hid' / 'remap'}"),
            *("-o", str(made), str(ROOT / "tests" / "native" / "remap.c")),
        ],
        check=True,
    )
    return made


class Remapped:
    """``now`` is in ns. ``states`` is what was pressed after each report that came out so far, as
    sets of names; ``moved`` what each axis moved by."""

    def __init__(self, library: ctypes.CDLL, rdesc: bytes, rules: str) -> None:
        self._library = library
        library.feed.argtypes = [ctypes.c_char_p, ctypes.c_uint32, ctypes.c_uint64]
        library.poke.argtypes = [ctypes.c_uint64]
        library.deadline.restype = ctypes.c_uint64
        self.descriptor: Descriptor = parse(rdesc)
        self.places = build.places_of(self.descriptor)
        self.now = 1_000 * MS
        self.states: list[frozenset[str]] = []
        self._by_report: dict[int, frozenset[str]] = {}
        self._raw: set[int] = set()
        self.last: bytes = b""
        library.start()
        self.set_rules(rules)

    def set_rules(self, rules: str) -> None:
        read_rules = read.read_bytes(rules.encode(), "test.toml")
        table = build.build(read_rules, self.places, table_dtype())
        raw = table.tobytes()
        assert self._library.set_table(raw, len(raw)) == 0

    def press(self, *names: str, after_ms: float = 1) -> list[frozenset[str]]:
        return self.change(press=names, after_ms=after_ms)

    def release(self, *names: str, after_ms: float = 1) -> list[frozenset[str]]:
        return self.change(release=names, after_ms=after_ms)

    def change(
        self, press: Iterable[str] = (), release: Iterable[str] = (), after_ms: float = 1
    ) -> list[frozenset[str]]:
        """A moment later, keys change; what is pressed after each report that comes of it."""
        self.wait(after_ms)
        changed: set[int] = set()
        for names, down in ((release, False), (press, True)):
            for name in names:
                code = self.places.code_for(name)
                changed.add(code)
                (self._raw.add if down else self._raw.discard)(code)
        begun = len(self.states)
        for index, (report_id, _) in enumerate(self.places.reports):
            if changed & self.places.owned[index]:
                self.send(self.report(report_id))
        return self.states[begun:]

    def wait(self, ms: float) -> None:
        """Time passes; the timer runs where one is set."""
        end = self.now + int(ms * MS)
        while (due := self._library.deadline()) <= end and due != NEVER:
            self.now = max(self.now, due)
            self._take(self._library.poke(self.now))
        self.now = end

    def report(self, report_id: int, axes: dict[int, int] | None = None) -> bytes:
        """What the device says of the keys that are pressed, and of axes by usage."""
        return hid_reports.make(self.descriptor, report_id, self._raw, axes)

    def send(self, report: bytes) -> None:
        self._take(self._library.feed(report, len(report), self.now))

    def _take(self, number: int) -> None:
        buffer = ctypes.create_string_buffer(REPORT_BYTES)
        for n in range(number):
            size = self._library.get_out(n, buffer)
            self.last = buffer.raw[:size]
            report_id = hid_reports.report_of(self.descriptor, self.last).id
            self._by_report[report_id] = hid_reports.pressed(self.descriptor, self.last)
            self.states.append(frozenset[str]().union(*self._by_report.values()))

    def axis(self, usage: int) -> int:
        """Its value in the report that came out last."""
        return hid_reports.axis(self.descriptor, self.last, usage)

    @property
    def pressed(self) -> set[str]:
        """What the system believes is pressed now."""
        return set(self.states[-1]) if self.states else set()

    @property
    def is_bypassed(self) -> bool:
        return bool(self._library.bypassed())
