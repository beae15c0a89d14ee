"""One benchmark's result, and the way that samples become one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vm.stats.bootstrap import Interval

#: Samples by what was measured, in ns, as many of each and taken in turns.
Samples = Mapping[str, Sequence[float]]

UNITS_NS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


@dataclass(frozen=True)
class Result:
    """A figure and its baseline, in ``unit``, each the median of ``runs`` samples.

    The goal is a ratio of at most ``limit``; None where the baseline stands there for scale only.
    With ``alike`` the goal is that the interval reaches down to the limit: the two cannot be told
    apart. ``interval`` is where the ratio lies with a probability of 95 %, as far as samples tell.
    """

    id: str
    value: float
    unit: str
    baseline: str
    baseline_value: float
    limit: float | None
    runs: int
    interval: Interval | None = None
    alike: bool = False

    @property
    def ratio(self) -> float:
        return self.value / self.baseline_value if self.baseline_value else float("inf")

    @property
    def goal(self) -> str:
        if self.limit is None:
            return "for scale"
        return "no difference" if self.alike else f"at most {self.limit:g}×"

    @property
    def met(self) -> bool:
        if self.limit is None:
            return True
        least = self.interval[0] if self.alike and self.interval else self.ratio
        return least <= self.limit

    def to_json(self) -> dict[str, Any]:
        """The entry in ``build/bench.json``; figures to four digits, the ratio to three."""
        return {
            "id": self.id,
            "value": rounded(self.value, 4),
            "unit": self.unit,
            "baseline": self.baseline,
            "baseline_value": rounded(self.baseline_value, 4),
            "ratio": rounded(self.ratio, 3),
            "goal": self.goal,
            "met": self.met,
            "runs": self.runs,
            "interval": [rounded(end, 3) for end in self.interval] if self.interval else None,
        }


def compare(
    id_: str,
    samples: Samples,
    what: str,
    against: str,
    *,
    words: str,
    unit: str,
    limit: float | None,
    alike: bool = False,
) -> Result:
    """The result ``id_`` from the samples ``what`` and, as its baseline, ``against``.

    ``words`` says in the table what the baseline is. A ``unit`` that is none of time is that of the
    samples.
    """
    # Not in the guest, where both are slow to import.
    import statistics

    from vm.stats.bootstrap import of_ratio_in_turns

    scale = UNITS_NS.get(unit, 1.0)
    return Result(
        id_,
        statistics.median(samples[what]) / scale,
        unit,
        words,
        statistics.median(samples[against]) / scale,
        limit,
        len(samples[what]),
        of_ratio_in_turns(samples[what], samples[against]),
        alike,
    )


def rounded(value: float, digits: int) -> float:
    """``value`` to that many significant digits."""
    return float(f"{value:.{digits}g}")
