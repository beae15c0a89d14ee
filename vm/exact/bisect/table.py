"""The table of callbacks, and the lines of those that differ, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from vm.exact.bisect.compare import Row, Side, shown_share
from vm.exact.bisect.lines import line_rows

_HEAD = ("", "callback", "calls", "A", "B", "difference", "own A", "own B", "of time", "code")

#: So many lines of a callback are shown, of those that differ by this many instructions a call.
_MOST_LINES = 8
_LEAST = 0.05

#: And calls of a function of the kernel that differ by this many.
_LEAST_CALLS = 0.01


def table(rows: Sequence[Row], *, own_only: bool = False) -> str:
    """One line a callback; those that differ are marked with ``>``."""
    body = [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(_HEAD, *body, strict=True)]
    text = [
        "  ".join(
            cell.ljust(width) if at in (0, 1, 9) else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
        for cells in (_HEAD, *body)
    ]
    what = "of its own code" if own_only else "with those of the kernel's functions that it calls"
    text.append(f"A, B: instructions a call, {what}; own: of its own code.")
    return "\n".join(text)


def _cells(row: Row) -> tuple[str, ...]:
    a, b = row.a, row.b
    calls = " → ".join(dict.fromkeys(f"{side.calls:,}" for side in (a, b) if side))
    return (
        ">" if row.differs else "",
        row.name,
        calls,
        _number(a and a.a_call),
        _number(b and b.a_call),
        _difference(row),
        _number(a and a.own_a_call),
        _number(b and b.own_a_call),
        f"{b.a_second / 1e7:.3f} %" if b else "-",
        _code(row),
    )


def _code(row: Row) -> str:
    if row.a is None or row.b is None:
        return "only in A" if row.b is None else "only in B"
    if row.same_code:
        return "same"
    a, b = row.a.code, row.b.code
    return f"{a.bpf} → {b.bpf}" if a.bpf != b.bpf else f"{a.bpf}, changed"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _difference(row: Row) -> str:
    if row.ratio is None:
        return "-"
    middle, low, high = row.ratio
    if low == high:
        return "0" if middle == 1 else _signed(middle)
    return f"{_signed(middle)} ({_signed(low, unit='')}…{_signed(high, unit='')})"


def _signed(ratio: float, unit: str = " %") -> str:
    return f"{(ratio - 1) * 100:+.2f}{unit}"


def lines(row: Row) -> str:
    """Where in the source a callback's own instructions became more or fewer; empty if unknown."""
    found = line_rows(row)
    shown = [line for line in found if abs(line.difference) >= _LEAST]
    if not shown or not row.a or not row.b:
        return ""
    text = [f"{row.name}, instructions a call by line of the source:"]
    for line in shown[:_MOST_LINES]:
        at = line.b_line or line.a_line
        where = f"{line.file}:{at}" if at else line.file
        side = (
            "" if line.a_line and line.b_line else " (A)" if line.a_line else " (B)" if at else ""
        )
        words = line.text if at else "made by the compiler for no line"
        text.append(f"  {line.difference:+7.2f}  {where}{side}  {words}".rstrip())
    rest = sum(line.difference for line in found if line not in shown[:_MOST_LINES])
    if abs(rest) >= _LEAST:
        text.append(f"  {rest:+7.2f}  in all other lines")
    if row.a.own_a_call is not None and row.b.own_a_call is not None:
        kernel = (row.b.a_call - row.b.own_a_call) - (row.a.a_call - row.a.own_a_call)
        if abs(kernel) >= _LEAST:
            text.append(f"  {kernel:+7.2f}  in the kernel's functions that it calls")
    return "\n".join([*text, *_kernel_calls(row.a, row.b)])


def _kernel_calls(a: Side, b: Side) -> list[str]:
    """The functions of the kernel that one version calls more often than the other."""
    one, other = a.kernel_calls or {}, b.kernel_calls or {}
    both = [(name, one.get(name, 0.0), other.get(name, 0.0)) for name in {**other, **one}]
    changed = [(name, x, y) for name, x, y in both if abs(x - y) >= _LEAST_CALLS]
    return [f"  calls {name} {x:.2f} → {y:.2f} times a call" for name, x, y in changed]


def verdict_line(text: str, threshold: float, seeds: int) -> str:
    """The sentence, as it stands below the table."""
    return (
        f"{text[:1].upper()}{text[1:]}. (Told is what exceeds {shown_share(threshold)};"
        f" {seeds} seed{'s' if seeds > 1 else ''}.)"
    )
