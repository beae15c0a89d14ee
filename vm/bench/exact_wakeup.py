"""Wake-up latency in exact runs: across gapless swaps, and of `interactive` under overload.

The workload is that of ``vm.exact``: a sleeper pinned to one CPU among two pinned hogs a CPU. One
figure a seed; the same seed gives the same figure, so the spread is that over seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from vm.bench.result import Result, Samples, compare

if TYPE_CHECKING:
    from vm.exact.plan import Phase

SWAPS = "gapless_wakeup_max"
OVERLOAD = "interactive_p99_overload"

CPUS = 4
SEEDS = range(1, 5)

_POLICY = "interactive"
_HOGS = 2
_SWAPS_OF_A_SEED = 200

Lateness = Mapping[str, Sequence[int]]
"""Lateness in ns, by phase."""


def measure_swaps(tell: Callable[[str], None]) -> list[Result]:
    """Two slots with the same policy take turns: whatever differs is the swap's."""
    from vm.exact.swaps import gapless

    runs: list[Lateness] = []
    for seed in SEEDS:
        tell(f"{_SWAPS_OF_A_SEED} swaps, seed {seed} of {len(SEEDS)}")
        swaps = gapless(_POLICY, _POLICY, swaps=_SWAPS_OF_A_SEED, cpus=CPUS, seed=seed, hogs=_HOGS)
        runs.append({"with": swaps.with_ns, "without": swaps.without_ns})
    return swap_results(runs)


def swap_results(runs: Sequence[Lateness]) -> list[Result]:
    """With swaps against without: the latest wake-up of a seed, and of a stretch between two swaps.

    ``runs`` has the latest wake-up of each stretch.
    """
    where = f"without swaps, {CPUS} CPUs, {_HOGS} hogs each"
    return [
        compare(
            id_,
            {way: [_of(run[way], share) for run in runs] for way in ("with", "without")},
            "with",
            "without",
            words=words,
            unit="ms",
            limit=limit,
            alike=limit is not None,
        )
        for id_, share, limit, words in (
            (SWAPS, 1.0, 1.0, f"the same {where}"),
            (f"{SWAPS}_median", 0.5, None, f"the same stretches {where}"),
        )
    ]


def overload_phases() -> tuple[Phase, ...]:
    """Among the hogs, and under SCHED_FIFO among the same hogs, which is the machine's floor."""
    from vm.exact.plan import Phase

    return Phase("loaded", 1500, _HOGS), Phase("floor", 500, _HOGS, fifo=True)


def measure_overload(tell: Callable[[str], None]) -> list[Result]:
    """Under `interactive` and under the kernel's own, on several CPUs and on one."""
    from vm.exact.run import cell
    from vm.exact.subject import subject

    schedulers = {"kernel": subject("kernel"), _POLICY: subject(_POLICY, direct=True)}
    phases = overload_phases()
    results: list[Result] = []
    for cpus in (CPUS, 1):
        runs: dict[str, list[Lateness]] = {name: [] for name in schedulers}
        for seed in SEEDS:
            for name, scheduler in schedulers.items():
                tell(f"{name}, {cpus} CPUs, seed {seed} of {len(SEEDS)}")
                # The identity gate doubles the time; the exact runner's own tests have it.
                runs[name].append(cell(scheduler, cpus=cpus, seed=seed, phases=phases).samples)
        results += overload_results(runs["kernel"], runs[_POLICY], cpus)
    return results


def overload_results(
    kernel: Sequence[Lateness], ours: Sequence[Lateness], cpus: int
) -> list[Result]:
    """Distances of the 99th percentile to the floor of the same run; and the percentiles."""
    several = cpus > 1
    name = OVERLOAD if several else f"{OVERLOAD}_1cpu"
    where = f", {cpus} CPUs" if several else ", 1 CPU"
    distances = {"ours": distances_ns(ours), "kernel": distances_ns(kernel)}
    values: Samples = {
        "ours": [_of(run["loaded"], 0.99) for run in ours],
        "kernel": [_of(run["loaded"], 0.99) for run in kernel],
    }
    of_kernel = f"the kernel's own scheduler{where}"
    words = f"{of_kernel}; both above the floor (SCHED_FIFO)"
    plain = f"{of_kernel}; both with the floor"
    limit = 0.2 if several else None
    return [
        compare(name, distances, "ours", "kernel", words=words, unit="ms", limit=limit),
        compare(f"{name}_whole", values, "ours", "kernel", words=plain, unit="ms", limit=None),
    ]


def distances_ns(runs: Sequence[Lateness]) -> list[float]:
    """By how much each run's 99th percentile is above that of the sleeper that nobody delays."""
    return [max(0.0, _of(run["loaded"], 0.99) - _of(run["floor"], 0.99)) for run in runs]


def _of(samples: Sequence[int], share: float) -> float:
    from vm.exact.metrics import percentile

    return float(percentile(samples, share))
