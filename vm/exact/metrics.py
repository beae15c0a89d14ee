"""Figures from an exact run's samples, each with its formula. All times are ns."""

from __future__ import annotations

from collections.abc import Sequence

from vm.exact.report import PhaseReport, Report

Number = int | float


def percentile(samples: Sequence[int], share: float) -> int:
    """The smallest sample that at least ``share`` (0..1) of all do not exceed (nearest rank).

    ValueError without samples.
    """
    if not samples:
        raise ValueError("a percentile needs samples")
    ordered = sorted(samples)
    rank = -int(-share * len(ordered) // 1)
    return ordered[max(rank, 1) - 1]


def lateness(samples: Sequence[int], prefix: str = "") -> dict[str, Number]:
    """Count, percentiles and maximum, under names with ``prefix``."""
    shares = {"p50_ns": 0.5, "p99_ns": 0.99, "p999_ns": 0.999}
    return {
        f"{prefix}n": len(samples),
        **{prefix + name: percentile(samples, share) for name, share in shares.items()},
        f"{prefix}max_ns": max(samples),
    }


def hog_shares(phase: PhaseReport) -> list[list[float]]:
    """For each window, each hog's CPU time over its fair part of its CPU.

    Fair is what the sleeper leaves, evenly: with n hogs, 1/n of the time that all hogs of that CPU
    had. So 1.0 is exactly fair, and time that the kernel itself took counts for none of them.
    """
    shares: list[list[float]] = []
    for window in phase.windows:
        by_cpu: dict[int, list[int]] = {}
        for cpu, ran_ns in window.hogs:
            by_cpu.setdefault(cpu, []).append(ran_ns)
        shares.append(
            [ran * len(by_cpu[cpu]) / (sum(by_cpu[cpu]) or 1) for cpu, ran in window.hogs]
        )
    return shares


def metrics(report: Report) -> dict[str, Number]:
    """The figures of a run of the workload ``wakeup``.

    ``p50_ns`` … ``max_ns``, ``n``: lateness of the sleeper among the hogs; the same with ``idle_``
    and ``floor_`` (SCHED_FIFO among the same hogs). ``hog_share_least`` and ``_most``: the hog
    furthest from its fair part in any whole second. ``hogs_busy``: what all hogs had of the time
    of all CPUs.
    """
    found: dict[str, Number] = {}
    for name, prefix in (("loaded", ""), ("idle", "idle_"), ("floor", "floor_")):
        if name in report.phases and report.phases[name].late_ns:
            found |= lateness(report.phases[name].late_ns, prefix)
    loaded = report.phases.get("loaded")
    shares = [share for window in hog_shares(loaded) for share in window] if loaded else []
    if loaded and shares:
        cpus = {cpu for window in loaded.windows for cpu, _ in window.hogs}
        ran_ns = sum(ran for window in loaded.windows for _, ran in window.hogs)
        length_ns = sum(window.length_ns for window in loaded.windows)
        found |= {
            "hog_share_least": round(min(shares), 4),
            "hog_share_most": round(max(shares), 4),
            "hogs_busy": round(ran_ns / (length_ns * len(cpus)), 4),
        }
    return found
