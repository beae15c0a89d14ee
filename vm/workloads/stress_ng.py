"""stress-ng: switching, computing and futexes, a second each, one after the other."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vm.workloads.model import Case, Metric, Outcome, Workload
from vm.workloads.protocol import complete
from vm.workloads.words import BESIDE, beside

#: Stressor → its options and what one of its operations is. Without a method of its own `cpu` goes
#: through many, of which some take a hundred times as long as others.
_STRESSORS = {
    "switch": (("--switch-method", "pipe"), "context switches by a pipe"),
    "cpu": (("--cpu-method", "int64"), "rounds of arithmetic"),
    "futex": ((), "waits for a futex"),
}

_RATE = re.compile(
    r"stressor: ([a-z]+)\n(?: +[a-z-]+: .*\n)*? +bogo-ops-per-second-real-time: ([0-9.]+)\n"
)

METRICS = tuple(
    Metric(f"{name}_per_s", "1/s", "more", "throughput", f"bogo-ops of {name}: {about}")
    for name, (_, about) in _STRESSORS.items()
)


def command(case: Case) -> Sequence[str]:
    asked: list[str | int] = [
        "--quiet",
        "--metrics-brief",
        "--yaml",
        "/dev/stdout",
        "--seed",
        case.seed,
    ]
    for name, (options, _) in _STRESSORS.items():
        asked += [f"--{name}", case.cpus, *options]
    seconds = max(1, round(case.seconds))
    return beside(case, "stress-ng", *asked, "--sequential", case.cpus, "--timeout", seconds)


def read(text: str, case: Case) -> Outcome:
    found = {f"{name}_per_s": float(rate) for name, rate in _RATE.findall(text)}
    if not found:
        raise ValueError("stress-ng did not print its metrics")
    return Outcome(complete(found, METRICS))


WORKLOAD = Workload(
    name="stress-ng",
    about="stress-ng's switch, cpu and futex stressors, one a CPU of each, one after the other",
    metrics=METRICS,
    command=command,
    read=read,
    programs=(BESIDE,),
    tools=("stress-ng",),
    loads=("idle", "light", "full", "over"),
)
