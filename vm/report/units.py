"""Units that read well: one for a column of figures, and as many digits as say something."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

#: Steps of the units that are scaled: (at least, unit), falling.
_STEPS: dict[str, tuple[tuple[float, str], ...]] = {
    "ns": ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")),
    "1/s": ((1e6, "M/s"), (1e3, "k/s"), (1.0, "/s")),
    "B": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
    "B/s": ((1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s"), (1.0, "B/s")),
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
}

#: Units of figures near one, where the third decimal counts.
_NEAR_ONE = frozenset({"index", "share", "ratio", "of fair", "1"})


@dataclass(frozen=True)
class Scale:
    """``divisor`` is what figures of a file are divided by to be in ``unit``; ``decimals`` is
    fixed, or None for ``digits`` significant ones."""

    divisor: float
    unit: str
    decimals: int | None = None
    digits: int = 3

    def text(self, value: float) -> str:
        """``value``, as it is in a file, in this unit and without its name."""
        if not math.isfinite(value):
            return "–"
        scaled = value / self.divisor
        if self.decimals is not None:
            return f"{scaled:.{self.decimals}f}"
        size = abs(scaled)
        if scaled == round(scaled):
            return f"{scaled:,.0f}"
        # With so many decimals the figure would not be rounded up to one digit more.
        decimals = next(
            (n for n in range(self.digits) if size >= 10 ** (self.digits - 1 - n) - 0.05 / 10**n),
            self.digits,
        )
        return f"{scaled:,.{decimals}f}"

    def with_unit(self, value: float) -> str:
        """``value`` and its unit: ``1.93 ms``."""
        return f"{self.text(value)} {self.unit}".rstrip()


def scale_of(unit: str, values: Iterable[float], digits: int = 3) -> Scale:
    """The scale for a column of ``values`` in ``unit``: that of their (geometric) middle."""
    if unit in _NEAR_ONE:
        # What it is a share of, the metric's name says.
        return Scale(1.0, "", digits)
    steps = _STEPS.get(unit)
    sizes = sorted(abs(value) for value in values if value and math.isfinite(value))
    if not steps:
        return Scale(1.0, unit, digits=digits)
    if not sizes:
        return Scale(
            1.0, next((step for least, step in steps if least == 1.0), unit), digits=digits
        )
    middle = sizes[len(sizes) // 2]
    least, step = next((one for one in steps if middle >= one[0]), steps[-1])
    return Scale(least, step, digits=digits)


def ratio_text(ratio: float) -> str:
    """How many times as much: ``0.82×``, ``14×``; differences below a thousandth are ``1.000×``."""
    if not math.isfinite(ratio):
        return "∞" if ratio > 0 else "–"
    if ratio >= 9.95:
        return f"{ratio:,.0f}×"
    decimals = 1 if ratio >= 1.95 else 2 if abs(ratio - 1) >= 0.0095 else 3
    return f"{ratio:.{decimals}f}×"


def percent_text(share: float) -> str:
    """A share of one as per cent, with what digits it needs: ``3 %``, ``0.4 %``, ``120 %``."""
    if not math.isfinite(share):
        return "any size"
    size = abs(share) * 100
    return f"{size:.0f} %" if size >= 2.95 else f"{size:.1f} %"
