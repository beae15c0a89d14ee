"""In which callbacks two versions differ, and by how much."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vm.exact.bisect.account import Callback, Code, Line
from vm.exact.bisect.measure import Measured
from vm.stats.bootstrap import of_median

#: ``more`` and ``less``: the second costs so by more than the threshold, whichever seeds are drawn.
#: ``a`` and ``b``: only that one was called.
Verdict = Literal["more", "less", "same", "a", "b"]


@dataclass(frozen=True)
class Side:
    """A callback in one version, over all seeds.

    ``calls`` is their sum, ``a_call`` the instructions a call (median over seeds), ``own_a_call``
    those of its own code, ``a_second`` the instructions in it in a second of the guest's time.
    ``lines``: instructions a call by line, over all seeds together; ``kernel_calls``: calls of
    functions of the kernel, a call, likewise.
    """

    calls: int
    a_call: float
    own_a_call: float | None
    a_second: float
    code: Code
    lines: Mapping[Line, float] | None
    kernel_calls: Mapping[str, float] | None


@dataclass(frozen=True)
class Row:
    """A callback in both versions. ``ratio`` is B's instructions a call over A's, the median over
    seeds of the ratio under each seed, with the ends of its 95 % bootstrap interval over seeds."""

    name: str
    a: Side | None
    b: Side | None
    ratio: tuple[float, float, float] | None
    verdict: Verdict

    @property
    def same_code(self) -> bool:
        """Whether the kernel made the same of both."""
        return bool(self.a and self.b and self.a.code == self.b.code)

    @property
    def differs(self) -> bool:
        return self.verdict != "same"

    def to_json(self) -> dict[str, Any]:
        """The entry in ``callbacks``."""
        ratio = self.ratio and dict(zip(("median", "low", "high"), self.ratio, strict=True))
        return {
            "callback": self.name,
            "verdict": self.verdict,
            "same_code": self.same_code,
            "ratio": ratio,
            "a": _side_json(self.a),
            "b": _side_json(self.b),
        }


def rows(a: Sequence[Measured], b: Sequence[Measured], threshold: float) -> list[Row]:
    """Every callback that either version had called, in the order of B's table, then A's.

    ``a`` and ``b`` are runs under the same seeds in the same order; ``threshold`` is a share.
    """
    names = list(dict.fromkeys(name for run in (*b, *a) for name in run.callbacks))
    return [_row(name, a, b, threshold) for name in names]


def _row(name: str, a: Sequence[Measured], b: Sequence[Measured], threshold: float) -> Row:
    one, other = _side(name, a), _side(name, b)
    if one is None or other is None:
        return Row(name, one, other, None, "b" if one is None else "a")
    ratios = [
        _a_call(mine) / _a_call(its)
        for its, mine in (
            (x.callbacks[name], y.callbacks[name])
            for x, y in zip(a, b, strict=True)
            if name in x.callbacks and name in y.callbacks
        )
        if its.instructions
    ]
    if not ratios:
        return Row(name, one, other, None, "same")
    middle, (low, high) = statistics.median(ratios), of_median(ratios)
    verdict: Verdict = "same"
    if middle - 1 > threshold and low > 1:
        verdict = "more"
    elif 1 - middle > threshold and high < 1:
        verdict = "less"
    return Row(name, one, other, (middle, low, high), verdict)


def _a_call(callback: Callback) -> float:
    return callback.instructions / callback.calls


def _side(name: str, runs: Sequence[Measured]) -> Side | None:
    pairs = [(run, run.callbacks[name]) for run in runs if name in run.callbacks]
    if not pairs:
        return None
    found = [callback for _, callback in pairs]
    calls = sum(callback.calls for callback in found)
    owns = [own / c.calls for c in found if (own := c.own_instructions) is not None]
    lines: dict[Line, float] = {}
    functions: dict[str, float] = {}
    for callback in found:
        for function, n in (callback.kernel_calls or {}).items():
            functions[function] = functions.get(function, 0) + n / calls
        for line, n in (callback.own or {}).items():
            lines[line] = lines.get(line, 0) + n / calls
    return Side(
        calls,
        statistics.median(map(_a_call, found)),
        statistics.median(owns) if owns else None,
        statistics.median(c.instructions * 1e9 / run.length_ns for run, c in pairs),
        found[0].code,
        lines if owns else None,
        functions if owns else None,
    )


def _side_json(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {
        "calls": side.calls,
        "instructions_a_call": side.a_call,
        "own_instructions_a_call": side.own_a_call,
        "instructions_a_second": side.a_second,
        "kernel_calls_a_call": side.kernel_calls,
        "tag": side.code.tag,
        "bpf_instructions": side.code.bpf,
        "verifier_steps": side.code.verified,
        "machine_code_bytes": side.code.bytes,
    }


def sentence(found: Sequence[Row], threshold: float) -> str:
    """What the table says, in one sentence."""
    blamed = [row for row in found if row.differs and not row.same_code]
    otherwise = [row for row in found if row.differs and row.same_code]
    rest = [row for row in found if not row.differs]
    changed = [row.name for row in rest if not row.same_code]
    parts = [_says(row) for row in sorted(blamed, key=_size, reverse=True)]
    parts += [
        f"{_says(row)} though its code is the same: what it is called for differs, or its data"
        for row in sorted(otherwise, key=_size, reverse=True)
    ]
    if not parts:
        if not changed:
            return "the code of all callbacks is the same, and so is what they cost"
        return (
            f"no callback differs by more than {shown_share(threshold)}, though the code of"
            f" {_and(changed)} is not the same"
        )
    if changed:
        parts.append(f"the code of {_and(changed)} differs as well and costs the same")
        if len(rest) > len(changed):
            parts.append("all others are the same")
    elif rest:
        parts.append("all others are the same")
    return "; ".join(parts)


def _says(row: Row) -> str:
    if row.a is None or row.b is None or row.ratio is None:
        return f"{row.name} was called in {'A' if row.b is None else 'B'} only"
    change = abs(row.ratio[0] - 1)
    return (
        f"{row.name} costs {shown_share(change)} {row.verdict}"
        f" ({row.a.a_call:,.1f} → {row.b.a_call:,.1f} instructions a call)"
    )


def _size(row: Row) -> float:
    return abs(row.ratio[0] - 1) if row.ratio else float("inf")


def shown_share(share: float) -> str:
    """A share in %, with two figures that say something."""
    percent = share * 100
    if percent >= 10 or percent == 0:
        return f"{percent:.0f} %"
    return f"{percent:.1f} %" if percent >= 1 else f"{percent:.2g} %"


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
