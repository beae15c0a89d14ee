"""Input latency under load, from a mouse's report to its reader, by stages."""

from __future__ import annotations

from collections.abc import Sequence

from vm.workloads.figures import median, quantile_metrics, quantiles
from vm.workloads.model import Case, Metric, Outcome, Workload
from vm.workloads.protocol import complete, parse
from vm.workloads.words import words

_PROGRAM = "input"

#: In the order of the path, with what each is until.
STAGES = {
    "kernel": "from before the write until the kernel has handed a report out",
    "scheduler": "from then until the reader runs",
    "reader": "from then until the reader has read the report",
}

METRICS = (
    *quantile_metrics("", "time from before a report's write until its reader has it"),
    *(
        Metric(f"stage_{name}_ns", "ns", "less", "latency", f"median of the time {about}")
        for name, about in STAGES.items()
    ),
    Metric("lost", "reports", "less", "count", "reports that the reader's full queue lost"),
)


def command(case: Case) -> Sequence[str]:
    return words(case, _PROGRAM)


def read(text: str, case: Case) -> Outcome:
    said = parse(text)
    for name in (*STAGES, "total"):
        if name not in said.samples:
            raise ValueError(f"the program printed no samples {name}")
    found = dict(said.metrics) | quantiles(said.samples["total"], "", "total")
    found |= {f"stage_{name}_ns": median(said.samples[name], name) for name in STAGES}
    return Outcome(complete(found, METRICS), said.samples, said.counts)


WORKLOAD = Workload(
    name="input",
    about="how long 250 reports a second of a mouse take to a reader among busy tasks",
    metrics=METRICS,
    command=command,
    read=read,
    programs=(_PROGRAM,),
    modules=("uhid", "hid-generic", "evdev"),
    exact=True,
    seconds=3.0,
)
