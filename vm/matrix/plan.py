"""What is measured: the cells of the matrix, and the order of the runs, which chance decides.

Runs of one cell must not stand together: whatever changes slowly on the host, its temperature or
another program's load, would look like a property of the cell. So all cells are measured once, in
random order, before any is measured again (a randomised block design; each repetition is a block).
A boot takes long, so runs of the same kernel and topology share a machine, and machines take turns.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pyloader.catalog import looks_like_file
from pyloader.errors import WrongUse
from vm.exact.subject import KERNEL, Subject, subject
from vm.kernels import choose
from vm.matrix import topology
from vm.matrix.request import Request
from vm.results.model import Cell
from vm.workloads import find
from vm.workloads.model import LOADS, Workload

#: Seconds that a run may take beside twenty times what it measures: emulated machines are slow.
_TIMEOUT_S, _TIMES = 60.0, 20.0


@dataclass(frozen=True)
class Planned:
    """One run to be made; ``scheduler`` and ``workload`` are as typed."""

    number: int
    cell: Cell
    scheduler: str
    workload: str
    repetition: int
    seed: int


@dataclass(frozen=True)
class Machine:
    """A kind of machine; ``kernel`` is what ``vm.kernels.choose`` takes for ``version``."""

    kernel: str
    version: str
    cpus: int
    topology: str


@dataclass(frozen=True)
class Batch:
    """The runs of one machine, in their order."""

    machine: Machine
    runs: tuple[Planned, ...]


@dataclass(frozen=True)
class Matrix:
    """All of it. ``workloads`` and ``subjects`` are by what was typed."""

    request: Request
    workloads: Mapping[str, Workload]
    subjects: Mapping[tuple[str, str], Subject]
    batches: tuple[Batch, ...]

    @property
    def runs(self) -> list[Planned]:
        """All runs in the order in which they are to be made."""
        return [run for batch in self.batches for run in batch.runs]

    def identity(self) -> dict[str, Any]:
        """What has to be the same for runs to belong together: the request and all programs."""
        return {
            "request": self.request.to_json(),
            "objects": {
                f"{text} {mode}": one.object_sha256 for (text, mode), one in self.subjects.items()
            },
        }


@dataclass(frozen=True)
class _Entry:
    cell: Cell
    scheduler: str
    workload: str


def matrix(request: Request, say: Callable[[str], None] | None = None) -> Matrix:
    """Check the whole request, and lay out its runs.

    Raises:
        WrongUse: something in it makes no sense.
        CompileError, BadObject, BadWorkload: a scheduler or workload cannot be used.
        VmError, KernelFetchError: there is no such kernel.
    """
    request = _settled(request, say)
    workloads = {text: find.find(text) for text in _refuse_twice("--workload", request.workloads)}
    _refuse_twice("--workload", [one.name for one in workloads.values()])
    subjects = _subjects(request)
    loads = {text: _loads(one, request.loads) for text, one in workloads.items()}
    machines = _machines(request)
    entries = {
        machine: [
            _Entry(
                Cell(
                    scheduler=one.name,
                    mode=one.mode,
                    knobs=tuple(sorted(one.knobs.items())),
                    workload=workloads[workload].name,
                    load=load,
                    kernel=machine.version,
                    cpus=machine.cpus,
                    topology=machine.topology,
                ),
                scheduler,
                workload,
            )
            for (scheduler, _), one in subjects.items()
            for workload in workloads
            for load in loads[workload]
        ]
        for machine in machines
    }
    return Matrix(request, workloads, subjects, _batches(entries, request))


def timeout_s(request: Request, seconds: float) -> float:
    """How long a run that measures for ``seconds`` may take."""
    return request.timeout_s if request.timeout_s is not None else _TIMEOUT_S + _TIMES * seconds


def _batches(entries: Mapping[Machine, Sequence[_Entry]], request: Request) -> tuple[Batch, ...]:
    draw = random.Random(request.seed)
    queues: dict[Machine, list[tuple[_Entry, int]]] = {machine: [] for machine in entries}
    for repetition in range(request.reps):
        for machine, of_it in entries.items():
            block = list(of_it)
            draw.shuffle(block)
            queues[machine] += [(entry, repetition) for entry in block]
    size = request.runs_per_machine
    batches: list[Batch] = []
    number = 0
    while any(queues.values()):
        turn = [machine for machine, queue in queues.items() if queue]
        draw.shuffle(turn)
        for machine in turn:
            taken, queues[machine] = queues[machine][:size], queues[machine][size:]
            runs: list[Planned] = []
            for entry, repetition in taken:
                # One seed a repetition, the same for each cell: the chance inside of a workload is
                # then none between those that are compared.
                seed = request.seed * 1000 + repetition
                runs.append(
                    Planned(number, entry.cell, entry.scheduler, entry.workload, repetition, seed)
                )
                number += 1
            batches.append(Batch(machine, tuple(runs)))
    return tuple(batches)


def _subjects(request: Request) -> dict[tuple[str, str], Subject]:
    found: dict[tuple[str, str], Subject] = {}
    for text in _refuse_twice("--sched", request.schedulers):
        usual = subject(text)
        if usual.mode == KERNEL or not request.modes:
            found[text, usual.mode] = usual
            continue
        if "hosted" in request.modes:
            if usual.mode != "hosted":
                raise WrongUse(
                    f"{text} cannot be hosted; leave --hosted out, and it is attached by itself"
                )
            found[text, "hosted"] = usual
        if "direct" in request.modes:
            found[text, "direct"] = subject(text, direct=True)
    _refuse_twice("--sched", [one.label for one in found.values()])
    return found


def _loads(workload: Workload, wanted: Sequence[str]) -> list[str]:
    """The loads under which it is measured: those named, its usual one by default."""
    for load in _refuse_twice("--load", wanted):
        if load not in LOADS:
            raise WrongUse(f"no load is called {load!r}; there are {', '.join(LOADS)}")
    if not wanted:
        return [workload.loads[0]]
    if len(workload.loads) == 1:
        return list(workload.loads)
    for load in wanted:
        if load not in workload.loads:
            raise WrongUse(
                f"the workload {workload.name} has no load {load}; it has"
                f" {', '.join(workload.loads)}"
            )
    return list(wanted)


def _machines(request: Request) -> list[Machine]:
    shapes = [(cpus, "") for cpus in request.cpus]
    for text in request.topologies:
        shape = topology.parse(text)
        shapes.append((shape.cpus, str(shape)))
    if not shapes:
        raise WrongUse("there is no machine to measure on: give --cpus or --topology")
    _refuse_twice("--cpus", [str(cpus) for cpus in request.cpus])
    _refuse_twice("--topology", [text for _, text in shapes if text])
    return [
        Machine(kernel, choose(kernel).version, cpus, text)
        for kernel in _refuse_twice("--kernel", request.kernels)
        for cpus, text in shapes
    ]


def _settled(request: Request, say: Callable[[str], None] | None) -> Request:
    """The request with kernels by version and files by their whole path, so that it means the same
    tomorrow and elsewhere."""
    kernels: list[str] = []
    for wish in request.kernels:
        by_path = wish == "host" or "/" in wish
        version = choose(wish, say=say).version
        kernels.append(str(Path(wish).absolute()) if "/" in wish else wish if by_path else version)
    return replace(
        request,
        kernels=tuple(kernels),
        schedulers=tuple(_whole(text, is_scheduler=True) for text in request.schedulers),
        workloads=tuple(_whole(text) for text in request.workloads),
        topologies=tuple(str(topology.parse(text)) for text in request.topologies),
    )


def _whole(text: str, *, is_scheduler: bool = False) -> str:
    name, colon, rest = text.partition(":")
    is_file = looks_like_file(name) if is_scheduler else "/" in name or name.endswith(".py")
    return f"{Path(name).absolute()}{colon}{rest}" if is_file else text


def _refuse_twice(option: str, words: Sequence[str]) -> Sequence[str]:
    for word in words:
        if words.count(word) > 1:
            raise WrongUse(f"{option} names {word} twice")
    return words
