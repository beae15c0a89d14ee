"""Machines of the matrix that are no machines: what they bring is known, and takes no time.

As a program, ``python -m tests.unit.fake_machines WORD …`` is ``scxhid bench WORD …`` with them.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vm.kernels import Kernel
from vm.matrix import plan, topology, worker

Entry = dict[str, Any]

METRICS = ("p50_ns", "p99_ns")


def kernel(wish: str = "", **_: object) -> Kernel:
    """Stands in for ``vm.kernels.choose``."""
    version = {"": "7.3.4", "7.3": "7.3.4", "6.16": "6.16.12"}.get(wish, wish)
    return Kernel(version, Path("/k"), Path("/m"), Path("/d"))


def value(run: Mapping[str, Any]) -> float:
    """What a run brings: of its scheduler, its load and its seed alone."""
    return 1000.0 * len(run["scheduler"]) + len(run["load"]) + run["seed"]


def entry(run: Mapping[str, Any], **changes: Any) -> Entry:
    """What the agent says of a run."""
    return {
        "number": run["number"],
        "status": "done",
        "reason": "",
        "started": "2026-01-01T00:00:00.000+00:00",
        "seconds": run["seconds"],
        "metrics": dict.fromkeys(METRICS, value(run)),
        "arrays": {},
        "conditions": {"object_sha256": run["object_sha256"]},
        **changes,
    }


class Machines:
    """Stands in for ``vm.matrix.boot.boot``. ``deaths``: before which runs, by number, a machine
    dies once, and of what; ``boots`` are the runs that each boot was given."""

    def __init__(self, deaths: Mapping[int, BaseException] | None = None, run_s: float = 0) -> None:
        self.deaths = dict(deaths or {})
        self.boots: list[list[Entry]] = []
        self.kinds: list[Mapping[str, Any]] = []
        self.changes: Callable[[Mapping[str, Any]], Entry] = lambda _: {}
        self._run_s = run_s

    def __call__(
        self, kind: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], hear: worker.Hear
    ) -> None:
        self.boots.append([dict(run) for run in runs])
        self.kinds.append(kind)
        hear({"qemu": ["qemu-system-x86_64", "-fake"], "accel": "tcg"})
        shape = topology.parse(kind["topology"]) if kind["topology"] else topology.Topology()
        hear({"hello": {"kernel": kind["version"], "topology_seen": shape.counts}})
        for run in runs:
            hear({"begin": run["number"]})
            time.sleep(self._run_s)
            if run["number"] in self.deaths:
                raise self.deaths.pop(run["number"])
            hear({"run": entry(run, **self.changes(run))})


def main() -> None:
    """``scxhid bench`` with machines that take ``FAKE_RUN_S`` for a run."""
    from pyloader.cli import cli

    plan.choose = kernel
    worker.boot = Machines(run_s=float(os.environ.get("FAKE_RUN_S", "0")))
    cli(["bench", *sys.argv[1:]], standalone_mode=False)


if __name__ == "__main__":
    main()
