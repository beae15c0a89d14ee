"""The same in exact runs: equal seeds give nothing but zeros, and more work is seen to the ns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vm.exact.plan import Phase
from vm.exact.report import Report, first_difference
from vm.exact.run import session
from vm.exact.subject import subject
from vm.selfcheck import fixed
from vm.selfcheck.measure import WORKLOADS
from vm.stats.compare import Difference, compare
from vm.workloads import find
from vm.workloads.model import Case


@dataclass(frozen=True)
class Exact:
    """``differing`` tells for each seed whose two runs were not the same where they part, and
    ``samples`` how many each run had. ``more`` is 5 % more work against the work."""

    seeds: int
    samples: int
    differing: tuple[str, ...]
    more: Difference


def measured(
    seeds: int, cpus: int, kernel: str = "", tell: Callable[[str], None] | None = None
) -> Exact:
    """Run every seed twice: wake-ups idle and among hogs, then the work, then 5 % more of it.

    Raises:
        Unsupported: no QEMU that can do it.
        VmError, VmLost: a machine gave up or was lost.
    """
    programs = find.prepare(find.find(WORKLOADS[0]))
    files = {"work": (programs / "work").read_bytes()}
    differing: list[str] = []
    figures: list[tuple[float, float]] = []
    samples = 0
    for seed in range(1, seeds + 1):
        reports: list[Report] = []
        for turn in ("first", "second"):
            if tell:
                tell(f"seed {seed} of {seeds}, {turn} run")
            # With the seed the programs begin at another place between two ticks.
            body = [*_phases(cpus), f"sleep {20 + seed}", *_works(cpus, seed)]
            done = session(
                [subject("kernel")], body, cpus=cpus, seed=seed, kernel=kernel, files=files
            )
            reports.append(done.report)
        parted = first_difference(*reports)
        if parted:
            differing.append(f"seed {seed}: {parted}")
        first = reports[0]
        figures.append(_figures(first))
        slices = [line.split()[2:] for line in first.said if line.startswith("samples ")]
        samples = sum(map(len, [*(phase.late_ns for phase in first.phases.values()), *slices]))
    work, more = zip(*figures, strict=True)
    return Exact(seeds, samples, tuple(differing), compare(more, work, "less"))


def _phases(cpus: int) -> list[str]:
    phases = (Phase("idle", 400), Phase("loaded", 1000, hogs=2))
    return [phase.line(cpus) for phase in phases]


def _works(cpus: int, seed: int) -> list[str]:
    """The lines of the plan that do the work, and then 5 % more."""
    case = Case(cpus=cpus, load="idle", seconds=1, seed=seed, programs=Path("/files"), exact=True)
    lines: list[str] = []
    for path in (WORKLOADS[0], WORKLOADS[2]):
        command = find.find(path).command
        assert command
        lines.append(" ".join(("run", *command(case))))
    return lines


def _figures(report: Report) -> tuple[float, float]:
    """The lower quartiles of a slice, in ns: of the work, and of 5 % more."""
    case = Case(cpus=1, load="idle", exact=True)
    half = len(report.said) // 2
    first, second = ("\n".join(part) for part in (report.said[:half], report.said[half:]))
    return tuple(fixed.read(text, case).metrics[fixed.ROBUST] for text in (first, second))  # type: ignore[return-value]
