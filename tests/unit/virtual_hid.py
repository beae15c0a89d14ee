"""A HID program's source as an ordinary program, on a device in virtual time (hid_device.c)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from pyloader import places as files
from pyloader.catalog import hid_programs
from pyloader.hid import places
from pyloader.hid.parser import parse

NATIVE = Path(__file__).resolve().parents[1] / "native"
START_NS = 1_000_000_000


class Out(NamedTuple):
    """A report that came out: when (ns from the start), and whether the program itself sent it."""

    ns: int
    report: bytes
    is_own: bool


class Sent(NamedTuple):
    """A report of the device: when (ns from the start), and what."""

    ns: int
    report: bytes


class Ran(NamedTuple):
    out: list[Out]
    stats: dict[str, int]


class VirtualDevice:
    """A device with that report descriptor, and the program on it."""

    def __init__(self, program: str, rdesc: bytes, folder: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if not compiler:
            pytest.skip("no C compiler")
        root = files.data_root("hid")
        self._program = str(folder / program)
        spec = hid_programs()[program].open()
        self._stats = list(spec.stats)
        self._places = places.fill(spec.places, parse(rdesc))
        command = [compiler, "-O1", "-w", "-rdynamic", "-o", self._program, f"-DOPS={program}"]
        command += [f'-DSOURCE="{root / program}.bpf.c"', "-include", str(NATIVE / "hid_standin.h")]
        command += ["-I", str(root / "include"), str(NATIVE / "hid_device.c"), "-ldl"]
        subprocess.run(command, check=True)

    def run(
        self,
        sent: Sequence[Sent],
        knobs: Mapping[str, int] | None = None,
        *,
        quiet_ns: int = 1_000_000_000,
        lag_ns: int = 0,
        refuse: int = 0,
    ) -> Ran:
        """What comes of the reports, and of the silence after them; knobs are 4 bytes wide."""
        lines = [f"set {n} 4 {' '.join(map(str, words))}" for n, words in self._places.items()]
        lines += [f"set {name} 4 {value}" for name, value in (knobs or {}).items()]
        lines += [f"lag {lag_ns}", f"refuse {refuse}"]
        lines += [f"at {START_NS + ns} {report.hex()}" for ns, report in sent]
        end = START_NS + (sent[-1].ns if sent else 0) + quiet_ns
        lines += [f"until {end}", *(f"stat {name}" for name in self._stats)]
        text = "\n".join(lines) + "\n"
        done = subprocess.run(
            [self._program], input=text, check=True, capture_output=True, text=True, timeout=30
        )
        rows = [line.split() for line in done.stdout.splitlines()]
        reports = rows[: len(rows) - len(self._stats)]
        return Ran(
            [Out(int(r[0]) - START_NS, bytes.fromhex(r[1]), r[-1] == "*") for r in reports],
            {name: int(value) for name, value in rows[len(reports) :]},
        )
