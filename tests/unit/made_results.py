"""Result documents for tests. Their figures are drawn from seeded distributions: nothing was
measured, and none of this may leave the tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vm.results.model import Cell, Document, Run
from vm.stats import histogram


def metric(unit: str, better: str, kind: str, about: str = "made up") -> dict[str, str]:
    return {"unit": unit, "better": better, "kind": kind, "about": about}


WORKLOADS: dict[str, Any] = {
    "wakeup": {
        "about": "how late a sleeper wakes up",
        "metrics": {
            "p99_ns": metric("ns", "less", "latency", "99 % of wake-ups are not later"),
            "p50_ns": metric("ns", "less", "latency"),
            "p999_ns": metric("ns", "less", "latency"),
            "max_ns": metric("ns", "less", "latency"),
            "fairness": metric("index", "more", "share", "Jain's index"),
        },
    },
    "requests": {
        "about": "wake-ups and requests",
        "metrics": {
            "p99_ns": metric("ns", "less", "latency"),
            "requests": metric("1/s", "more", "throughput", "requests a second"),
        },
    },
    "input": {
        "about": "from the device to the reader",
        "metrics": {
            "p99_ns": metric("ns", "less", "latency"),
            "stage_device_ns": metric("ns", "less", "latency", "from the write to the HID core"),
            "stage_queue_ns": metric("ns", "less", "latency", "until the reader is awake"),
            "stage_reader_ns": metric("ns", "less", "latency", "until it has read"),
        },
    },
}

#: How the made-up schedulers differ: latency and throughput, in times of the kernel's.
SUBJECTS: dict[str, tuple[float, float]] = {
    "kernel": (1.0, 1.0),
    "simple": (6.0, 1.04),
    "interactive": (0.6, 0.97),
    "layers": (0.98, 1.0),
    "cgfair": (1.3, 0.99),
    "nest": (2.0, 1.02),
    "central": (3.5, 0.9),
}
_LOADS = {"idle": 0.1, "light": 0.5, "full": 1.0, "over": 4.0}


def cell(
    scheduler: str = "kernel",
    workload: str = "wakeup",
    load: str = "full",
    cpus: int = 2,
    knobs: Mapping[str, Any] | None = None,
    kernel: str = "7.3.4",
    topology: str = "",
) -> Cell:
    mode = "kernel" if scheduler == "kernel" else "hosted"
    return Cell(
        scheduler, mode, tuple((knobs or {}).items()), workload, load, kernel, cpus, topology
    )


def run(of: Cell, repetition: int = 1, factor: float = 1.0, samples: int = 400) -> Run:
    """A run that is done, with metrics of the workload and arrays."""
    words = f"{of}{repetition}".encode()
    draw = np.random.default_rng(list(words))
    slow, fast = SUBJECTS.get(of.scheduler, (1.0, 1.0))
    slice_us = float(dict(of.knobs).get("slice_us", 1000))
    middle = 2e5 * slow * factor * _LOADS.get(of.load, 1.0) * (slice_us / 1000) ** 0.7
    late = draw.lognormal(np.log(middle), 0.9, samples) * draw.normal(1.0, 0.03)
    whole = np.sort(late).astype(np.int64)
    at = {name: float(np.quantile(whole, q)) for name, q in (("p50", 0.5), ("p99", 0.99))}
    figures: dict[str, float] = {
        "p99_ns": at["p99"],
        "p50_ns": at["p50"],
        "p999_ns": float(np.quantile(whole, 0.999)),
        "max_ns": float(whole[-1]),
        "fairness": float(min(1.0, draw.normal(0.97, 0.01))),
        "requests": 12_000 * fast * of.cpus * draw.normal(1, 0.01) / factor,
        "stage_device_ns": 4e4 * draw.normal(1, 0.02),
        "stage_queue_ns": at["p50"],
        "stage_reader_ns": 2e4 * draw.normal(1, 0.05),
    }
    wanted = WORKLOADS.get(of.workload, WORKLOADS["wakeup"])["metrics"]
    return Run(
        of,
        repetition,
        repetition,
        started=f"2026-01-01T00:{repetition:02}:00",
        seconds=2.0,
        metrics={name: figures[name] for name in wanted if name in figures},
        conditions={
            "object_sha256": None if of.scheduler == "kernel" else f"{of.scheduler:0<64}",
            "qemu": "QEMU emulator version 10.0.2",
            "command": ["qemu-system-x86_64", "-smp", str(of.cpus)],
            "host_load": 0.5,
        },
        arrays={"samples/late": late.astype(np.int64), "counts/late": histogram.of_samples(late)},
    )


def lost(of: Cell, repetition: int, status: str = "ejected", reason: str = "stalled") -> Run:
    done = run(of, repetition)
    return dataclasses.replace(
        done,
        status=status,  # pyright: ignore[reportArgumentType]
        reason=reason,
        metrics={},
        arrays={},
    )


def document(runs: Sequence[Run], kind: str = "vm", **fields: Any) -> Document:
    return dataclasses.replace(
        Document(
            kind=kind,
            created="2026-01-01T00:00:00",
            command=("scxhid", "bench", "run", "--sched", "kernel,simple", "-o", "a file.json"),
            seed=7,
            host={"cpu": "Test CPU 3000", "cpus": 2, "system": "Test Linux 1"},
            workloads=WORKLOADS,
            runs=tuple(runs),
        ),
        **fields,
    )


def runs_of(
    schedulers: Sequence[str] = ("kernel", "simple", "interactive"),
    workload: str = "wakeup",
    loads: Sequence[str] = ("full",),
    cpus: Sequence[int] = (2,),
    repetitions: int = 6,
    factor: float = 1.0,
    **fields: Any,
) -> list[Run]:
    """Interleaved, as they would be measured."""
    return [
        run(cell(scheduler, workload, load, count, **fields), repetition, factor)
        for repetition in range(1, repetitions + 1)
        for load in loads
        for count in cpus
        for scheduler in schedulers
    ]


def everything(repetitions: int = 10, schedulers: int = 7) -> Document:
    """A document that makes every plot there is."""
    names = tuple(SUBJECTS)[:schedulers]
    knob = [
        run(cell("interactive", "wakeup", "full", 2, {"slice_us": value}), repetition)
        for value in (500, 1000, 2000, 5000, 20000)
        for repetition in range(1, repetitions + 1)
    ]
    return document(
        [
            *runs_of(names, "wakeup", ("full", "over"), (1, 2, 4), repetitions),
            *runs_of(names, "requests", ("light", "full"), (2,), repetitions),
            *runs_of(names, "input", ("idle", "over"), (2,), repetitions),
            *knob,
            lost(cell("simple"), 99),
            lost(cell("simple", "requests"), 99, "lost", "the machine hung after 30 s"),
        ]
    )
