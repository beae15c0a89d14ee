"""Whether a gapless swap can be felt: a pinned sleeper's wake-ups across swaps and without any."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from vm.exact.machine import ROUND_US
from vm.exact.metrics import percentile
from vm.exact.plan import Phase
from vm.exact.report import PhaseReport
from vm.exact.run import Result, session
from vm.exact.subject import Subject, subject
from vm.kernels import Kernel
from vm.stats.permutation import larger_on_average

_EVERY_US = 25_000


@dataclass(frozen=True)
class Swaps:
    """The worst wake-up of each stretch between two swaps, and of the same stretches without.

    All in ns. ``with_ns[k]`` is the latest wake-up from the k-th swap to the next one,
    ``without_ns`` the same of the runs in which one policy stayed. ``took_ns`` is how long each
    swap took until the old policy's queues were empty, ``left_over`` how many tasks were in them.
    """

    result: Result
    with_ns: list[int]
    without_ns: list[int]
    took_ns: list[int]
    left_over: list[int]

    @property
    def worst_with_ns(self) -> int:
        return max(self.with_ns)

    @property
    def worst_without_ns(self) -> int:
        return max(self.without_ns)

    @property
    def p_value(self) -> float:
        """How often chance alone would make the stretches with swaps at least as much worse on
        average: a one-sided permutation test of the difference of means, 2,000 seeded draws."""
        return larger_on_average(self.with_ns, self.without_ns)

    def figures(self) -> dict[str, float]:
        """What a table wants, times in ns."""
        return {
            "swaps": len(self.with_ns),
            "worst_with_ns": self.worst_with_ns,
            "worst_without_ns": self.worst_without_ns,
            "p50_with_ns": percentile(self.with_ns, 0.5),
            "p50_without_ns": percentile(self.without_ns, 0.5),
            "p_value": self.p_value,
            "took_p50_ns": percentile(self.took_ns, 0.5),
            "took_max_ns": max(self.took_ns),
            "left_over_mean": statistics.mean(self.left_over),
        }


def gapless(
    a: str | Subject = "simple",
    b: str | Subject = "simple",
    *,
    swaps: int = 200,
    cpus: int = 4,
    seed: int = 1,
    kernel: str | Kernel = "",
    hogs: int = 2,
    gate: bool = False,
    round_us: int = ROUND_US,
    timeout_s: float = 300.0,
) -> Swaps:
    """Let two hosted policies take turns ``swaps`` times under load; in the same boot, neither.

    Raises what ``vm.exact.run.cell`` raises; WrongUse if one cannot be hosted.
    """
    one, two = (subject(x) if isinstance(x, str) else x for x in (a, b))
    length_ms = -(-swaps * _EVERY_US // 1000) + 2 * _EVERY_US // 1000
    # A little longer than the swaps take on average: their distances are dithered.
    still = [
        Phase(name, length_ms, hogs, swap_every_us=_EVERY_US, stay=True)
        for name in ("still_a", "still_b")
    ]
    moving = Phase("swaps", length_ms * 11 // 10, hogs, swap_every_us=_EVERY_US)
    body = [still[0].line(cpus), moving.line(cpus)]
    if one != two:
        body += ["switch 1", still[1].line(cpus)]
    result = session(
        [one, two],
        body,
        cpus=cpus,
        seed=seed,
        kernel=kernel,
        gate=gate,
        round_us=round_us,
        timeout_s=timeout_s,
    )
    phases = result.report.phases
    made = phases["swaps"].swaps[: swaps + 1]
    cuts = [at for at, _, _ in made]
    without = [
        worst
        for name in ("still_a", "still_b")
        if name in phases
        for worst in worst_between(phases[name], cuts)
    ]
    return Swaps(
        result,
        worst_between(phases["swaps"], cuts),
        without,
        [took for _, took, _ in made[:-1]],
        [left for _, _, left in made[:-1]],
    )


def worst_between(phase: PhaseReport, cuts: Sequence[int]) -> list[int]:
    """For each stretch between two of ``cuts`` (ns since the start): its latest wake-up, ns.

    A wake-up belongs to the stretch in which it came, not to that in which it was due, so that one
    that a swap held up counts for that swap. Stretches without one are left out.
    """
    worst: dict[int, int] = {}
    at = 0
    for due, late in zip(phase.due_ns, phase.late_ns, strict=True):
        while at < len(cuts) and cuts[at] <= due + late:
            at += 1
        if 0 < at < len(cuts):
            worst[at] = max(worst.get(at, 0), late)
    return [worst[at] for at in sorted(worst)]
