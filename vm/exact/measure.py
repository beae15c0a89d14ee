"""One run of a workload under one seed, and what became of it, as plain data for the journal."""

from __future__ import annotations

import datetime
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from vm.errors import VmError, VmLost
from vm.exact import machine
from vm.exact.modules import module_files
from vm.exact.report import Report
from vm.exact.request import valid_metrics
from vm.exact.run import session
from vm.exact.samples import arrays_of, difference, samples_sha256
from vm.exact.subject import Subject
from vm.kernels import Kernel
from vm.matrix.packing import pack_arrays
from vm.matrix.plan import Planned
from vm.matrix.worker import ended_so
from vm.workloads import calls, find
from vm.workloads.calls import Nonsense
from vm.workloads.model import Case, Outcome, Workload

Entry = dict[str, Any]

_FILES = Path("/files")


@dataclass(frozen=True)
class Task:
    """A run to be made, with all that it takes. ``seconds`` is what it measures; with ``gate`` it
    is made ``times`` times, which must be the same."""

    planned: Planned
    subject: Subject
    workload: Workload
    kernel: Kernel
    seconds: float
    timeout_s: float
    gate: bool
    times: int = 2
    metrics: Sequence[str] = ()

    @property
    def case(self) -> Case:
        cell = self.planned.cell
        return Case(cell.cpus, cell.load, self.seconds, self.planned.seed, _FILES, exact=True)


def measure(task: Task, is_stopped: Callable[[], bool]) -> Entry:
    """The run's entry: ``{"number", "status", "reason", "started", "seconds", "metrics", "arrays",
    "conditions", "samples_sha256", "identical_twice"}``; after a failure without the latter two.

    Raises:
        NotIdentical: the second run differs.
        Stopped: ``is_stopped`` said so.
        Unsupported: something that all runs need is missing.
    """
    started = time.monotonic()
    entry: Entry = {
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    try:
        entry["conditions"] = _conditions(task)
        entry |= _measured(task, is_stopped)
    except (VmError, VmLost, Nonsense) as error:
        entry |= ended_so(task.planned.number, _status(error), error)
    entry["seconds"] = round(time.monotonic() - started, 1)
    return entry


def _status(error: Exception) -> str:
    if isinstance(error, VmLost):
        return "lost"
    return "ejected" if isinstance(error, machine.Ejected) else "failed"


def _measured(task: Task, is_stopped: Callable[[], bool]) -> Entry:
    case, workload, cell = task.case, task.workload, task.planned.cell

    def read(text: str) -> Outcome:
        return calls.read(workload, text, case)

    def parting(one: Report, other: Report) -> str:
        return difference(read, one.said, other.said)

    result = session(
        [task.subject],
        calls.plan(workload, case),
        cpus=cell.cpus,
        seed=case.seed,
        kernel=task.kernel,
        gate=task.gate,
        times=task.times,
        files=programs(workload),
        modules=module_files(task.kernel, workload.modules),
        timeout_s=task.timeout_s,
        is_stopped=is_stopped,
        difference=parting,
    )
    outcome = read("\n".join(result.report.said))
    arrays = arrays_of(outcome)
    names = valid_metrics(workload, task.metrics)
    return {
        "number": task.planned.number,
        "status": "done",
        "reason": "",
        "metrics": {name: float(outcome.metrics[name]) for name in names},
        "arrays": pack_arrays(arrays),
        "samples_sha256": samples_sha256(arrays),
        "identical_twice": task.gate or None,
        "conditions": {
            **_conditions(task),
            "command": list(result.command),
            "report_sha256": result.report.sha256,
            "host_s": [round(host_s, 1) for host_s in result.all_host_s],
        },
    }


@cache
def programs(workload: Workload) -> Mapping[str, bytes]:
    """The compiled programs of a workload by name.

    Raises what ``vm.workloads.find.prepare`` raises.
    """
    folder = find.prepare(workload)
    return {name: (folder / name).read_bytes() for name in workload.programs}


def _conditions(task: Task) -> Entry:
    return {
        "exact": True,
        "qemu": machine.require_qemu(),
        "object_sha256": task.subject.object_sha256,
        "knobs": dict(task.subject.knobs),
        "workload_command": calls.plan(task.workload, task.case),
        "program_sha256": hashlib.sha256(b"".join(programs(task.workload).values())).hexdigest(),
    }
