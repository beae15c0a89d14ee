"""What is measured of input: loads, devices, and the processes that a report goes through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from pyloader.errors import UnknownName
from pyloader.names import nearest

_T = TypeVar("_T")

#: Reports of a run at least, however short it is to be: a 99th percentile of fewer says nothing.
FEWEST_REPORTS = 100


@dataclass(frozen=True)
class Device:
    """``kind`` is that of programs/report_path.c; reports a second on average."""

    kind: str
    hz: int
    words: str


@dataclass(frozen=True)
class Shape:
    """Processes in a row, and what each computes: the reader for each report, the others for
    each message."""

    length: int
    reader_us: int
    others_us: int
    words: str


@dataclass(frozen=True)
class Load:
    """``a_cpu`` processes a CPU of programs/hogs.c, with its further arguments."""

    a_cpu: int
    arguments: tuple[str, ...]
    words: str

    @property
    def computes(self) -> bool:
        """Whether its processes only compute, so that their CPU time tells their share."""
        return self.a_cpu > 0 and not self.arguments


DEVICES: Mapping[str, Device] = {
    "mouse125": Device("mouse", 125, "a mouse, 125 reports a second"),
    "mouse1000": Device("mouse", 1000, "a mouse, 1,000 reports a second"),
    "mouse8000": Device("mouse", 8000, "a mouse, 8,000 reports a second"),
    "keyboard": Device("keyboard", 30, "a keyboard, 15 keys a second pressed and released"),
}
SHAPES: Mapping[str, Shape] = {
    "alone": Shape(1, 20, 0, "a reader that computes 20 us for each report"),
    "chain": Shape(3, 20, 20, "three processes over unix sockets, 20 us each"),
    "heavy": Shape(1, 300, 0, "a reader that computes 300 us for each report"),
    "heavychain": Shape(3, 300, 300, "three processes over unix sockets, 300 us each"),
}
LOADS: Mapping[str, Load] = {
    "idle": Load(0, (), "nothing else"),
    "hogs2": Load(2, (), "two busy processes a CPU"),
    "hogs8": Load(8, (), "eight busy processes a CPU"),
    "forks": Load(4, ("forks",), "four processes a CPU whose children compute for a moment"),
}


@dataclass(frozen=True)
class Cell:
    """One combination, by names of the tables above."""

    load: str
    device: str
    shape: str

    @property
    def name(self) -> str:
        return f"{self.load}/{self.device}/{self.shape}"

    def seconds(self, wanted: float) -> float:
        """How long it is measured: longer where a slow device would say too little."""
        return max(wanted, FEWEST_REPORTS / DEVICES[self.device].hz)


def _cells(text: str) -> tuple[Cell, ...]:
    return tuple(Cell(*line.split()) for line in text.strip().splitlines())


#: What is measured without other wishes.
USUAL = _cells("""
    idle  mouse1000 alone
    idle  mouse1000 chain
    hogs2 mouse1000 alone
    hogs2 mouse1000 chain
    hogs2 mouse1000 heavy
    hogs2 mouse125  alone
    hogs2 mouse125  chain
    hogs2 mouse125  heavychain
    hogs2 mouse8000 alone
    hogs2 keyboard  alone
    hogs2 keyboard  chain
    hogs8 mouse1000 alone
    hogs8 mouse1000 chain
    hogs8 mouse125  heavychain
    forks mouse1000 alone
    forks mouse1000 chain
""")


def chosen(
    loads: Sequence[str] = (), devices: Sequence[str] = (), shapes: Sequence[str] = ()
) -> tuple[Cell, ...]:
    """All combinations of what is named; the usual cells of those names where there are some.

    Raises:
        UnknownName: a load, device or shape that there is not.
    """
    _check("load", loads, LOADS)
    _check("device", devices, DEVICES)
    _check("shape", shapes, SHAPES)
    usual = [
        cell
        for cell in USUAL
        if (not loads or cell.load in loads)
        and (not devices or cell.device in devices)
        and (not shapes or cell.shape in shapes)
    ]
    if not (loads and devices and shapes) and usual:
        return tuple(usual)
    every = product(loads or ("hogs2",), devices or ("mouse1000",), shapes or ("alone",))
    return tuple(Cell(*names) for names in every)


def _check(kind: str, names: Sequence[str], table: Mapping[str, _T]) -> None:
    for name in names:
        if name not in table:
            raise UnknownName(kind, name, nearest(name, table), f"there are {', '.join(table)}")
