"""A mouse and a keyboard that send reports, and who reads them, in C (programs/report_path.c)."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pyloader.closing import Closing
from vm.bench.floor import Floor, compile_program
from vm.bench.hid_devices import KEYBOARD, MOUSE, VENDOR, bound, wait_for
from vm.bench.input.cells import DEVICES, LOADS, SHAPES, Cell
from vm.cache import cache_root

_PROGRAMS = ("report_path", "hogs")
_SPECS = {"mouse": MOUSE, "keyboard": KEYBOARD}
_MS = 1000
#: In the order of the answer's last two fours.
_QUANTILES = ("p50", "p99", "p999", "max")


def programs() -> Path:
    """The folder of the compiled programs: an installation's own is nothing to write into."""
    return cache_root() / "bench"


def prepare() -> None:
    """Compile them. Unsupported without a C compiler."""
    for name in _PROGRAMS:
        compile_program(name, programs())


def figures_of(answer: list[int], hz: int) -> dict[str, float]:
    """What an answer of ``run`` says, by name: times in ns, rates as parts of what was wanted.

    ``read_…`` is until the reader has the report, ``end_…`` until the last process has done its
    work; ``cpu`` is CPU time of all of them for a report.
    """
    sent, took, late, lost, used = answer[:5]
    found = {
        "reports": float(sent),
        "rate": (sent - 1) * 1e9 / took / hz,
        "late": late / sent,
        "lost": lost / sent,
        "cpu": used / sent,
    }
    for at, end in ((5, "read"), (9, "end")):
        values = answer[at : at + 4]
        found |= {f"{end}_{name}": float(v) for name, v in zip(_QUANTILES, values, strict=True)}
    return found


class ReportPath(Closing):
    """The devices, there until ``close``, which also ends whatever still runs for them."""

    def __init__(self) -> None:
        specs = [
            f"bench {kind}:{VENDOR:x}:{n:x}:{_SPECS[kind]}" for n, kind in enumerate(_SPECS, 1)
        ]
        self._program = Floor(programs() / "report_path", *specs)
        try:
            self._nodes = [self._node(n) for n in range(1, len(_SPECS) + 1)]
        except BaseException:
            self._program.close()
            raise

    @staticmethod
    def _node(product: int) -> str:
        device = wait_for(lambda: bound(product))
        return f"/dev/{device.node.inputs[0][2]}"

    def run(self, cell: Cell, seconds: float, *, is_fifo: bool, seed: int) -> dict[str, float]:
        """Send reports for so long; what came of them (``figures_of``)."""
        device, shape = DEVICES[cell.device], SHAPES[cell.shape]
        n = list(_SPECS).index(device.kind)
        ms = round(cell.seconds(seconds) * _MS)
        words = (n, self._nodes[n], device.kind, device.hz, ms, shape.length)
        work = (shape.reader_us, shape.others_us, int(is_fifo), seed)
        return figures_of(self._program.ask("run " + " ".join(map(str, words + work))), device.hz)

    def close(self) -> None:
        self._program.close()


class Beside:
    """A load that runs; nothing of it does where there is none."""

    def __init__(self, hogs: Floor | None, cpus: int, computes: bool) -> None:
        self._hogs, self._cpus, self._computes = hogs, cpus, computes

    def look(self) -> list[int]:
        return self._hogs.ask("now") if self._hogs else []

    def got(self, before: list[int], after: list[int]) -> dict[str, float]:
        """By name what it got between two looks; CPU time only of those that have no children."""
        if not before:
            return {}
        passed = [b - a for a, b in zip(before, after, strict=True)]
        got = {"work": sum(passed[2::2]) * 1e9 / passed[0]}
        if self._computes:
            got["share"] = sum(passed[1::2]) / passed[0] / self._cpus
        return got


@contextmanager
def beside(load: str, cpus: int) -> Generator[Beside]:
    """Let a load of ``cells.LOADS`` run inside the block."""
    what = LOADS[load]
    if not what.a_cpu:
        yield Beside(None, cpus, False)
        return
    with Floor(programs() / "hogs", str(what.a_cpu * cpus), *what.arguments) as hogs:
        hogs.ask("started")
        yield Beside(hogs, cpus, what.computes)
