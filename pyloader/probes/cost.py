"""What looking costs: this process, and the programs that it has attached."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

_RAN = re.compile(r"^run_time_ns:\s+(\d+)\nrun_cnt:\s+(\d+)$", re.ASCII | re.MULTILINE)


@dataclass(frozen=True)
class Cost:
    """Parts of one CPU's time: ``process`` is this process, all threads of it, in user space and in
    the kernel; ``programs`` are the attached ones, on whatever CPU, None where nobody has the
    kernel count that (``sysctl kernel.bpf_stats_enabled=1``, which makes each run slower)."""

    process: float
    programs: float | None


class CostReader:
    """Tells the cost since the last read. ``programs`` are descriptors that stay open meanwhile."""

    def __init__(self, programs: Iterable[int] = ()) -> None:
        self._programs = tuple(programs)
        self._before = self._sums()

    def read(self) -> Cost:
        """Since the last read, or since this was made."""
        before, now = self._before, self._sums()
        self._before = now
        passed_ns = max(now.at_ns - before.at_ns, 1)
        # What nobody counts stands still; whatever is attached to each switch does not.
        is_counted = now.runs > before.runs
        return Cost(
            process=(now.process_ns - before.process_ns) / passed_ns,
            programs=(now.programs_ns - before.programs_ns) / passed_ns if is_counted else None,
        )

    def _sums(self) -> _Sums:
        ran = [run_time(fd) for fd in self._programs]
        return _Sums(
            at_ns=time.monotonic_ns(),
            process_ns=time.process_time_ns(),
            programs_ns=sum(ns for ns, _ in ran),
            runs=sum(runs for _, runs in ran),
        )


def run_time(program: int) -> tuple[int, int]:
    """For how many ns a program has run, and how often, while that was counted; 0 if it is gone."""
    try:
        with open(f"/proc/self/fdinfo/{program}", encoding="ascii", errors="replace") as file:
            return parse_run_time(file.read())
    except OSError:
        return 0, 0


def parse_run_time(text: str) -> tuple[int, int]:
    """The same of the text that the kernel has for a program's descriptor (Linux 5.1)."""
    found = _RAN.search(text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


@dataclass(frozen=True)
class _Sums:
    at_ns: int
    process_ns: int
    programs_ns: int
    runs: int
