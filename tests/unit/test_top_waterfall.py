"""Waterfalls: to scale, within their room, and each task below the one that woke it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.input_first.chains import Hop
from tui.draw.waterfall import TimeScale
from tui.widgets.chain import in_order

times = st.tuples(*[st.integers(0, 10**10)] * 3).map(sorted)


@given(st.integers(1, 120), st.floats(0, 1e10))
def test_a_scale_ends_soon_after_the_last_moment(width: int, longest: float) -> None:
    scale = TimeScale.over(width, longest)
    assert longest <= scale.until <= max(1e3, 1.51 * longest)
    axis = scale.axis()
    assert len(axis) == width
    for at, letter in enumerate(axis):
        if letter == "╷" and axis[at : at + 3].rstrip() != "╷0":
            label = axis[at + 1 :].split("╷")[0].split()[0]
            figure, unit = label[:-2], label[-2:]
            ns = float(figure) * {"ns": 1, "µs": 1e3, "ms": 1e6}[unit] if unit[0] in "nµm" else 0
            assert not ns or scale.halves(ns) // 2 == at


@given(st.integers(0, 120), times, st.booleans())
def test_a_span_is_where_its_times_are(width: int, at: list[int], runs: bool) -> None:
    woken, ran, until = map(float, at)
    scale = TimeScale.over(max(width, 1), until) if width else TimeScale(0, 1e3)
    gap, waiting, running = scale.span(woken, ran if runs else None, until)
    assert len(gap) + len(waiting) + len(running) <= width
    assert set(gap) <= {" "}
    assert set(waiting) <= {"░"}
    if not width:
        return
    column = scale.width / scale.until
    if runs:
        assert running
        assert set(running) <= set("█▌▐")
        assert abs(len(gap) + len(waiting) - ran * column) <= 1.5
        assert abs(len(gap) - woken * column) <= 1.5
        assert abs(len(gap + waiting + running) - until * column) <= 1.5
    else:
        assert waiting
        assert not running
        assert len(gap + waiting) == width


@pytest.mark.parametrize(
    ("ran", "until", "drawn"),
    [
        (0, 1000, "██████████"),
        (500, 1000, "     █████"),
        (450, 1000, "    ▐█████"),
        (0, 450, "████▌"),
        (250, 250, "  ▐"),
        (200, 200, "  ▌"),
        (1000, 1000, "         ▐"),
    ],
)
def test_half_a_column_is_seen(ran: int, until: int, drawn: str) -> None:
    assert "".join(TimeScale(10, 1000).span(ran, ran, until)) == drawn


def hop(pid: int, waker: int, woken_ns: int) -> Hop:
    return Hop(0, pid, f"task{pid}", waker, woken_ns, woken_ns + 1, 0, 1)


hops = st.lists(
    st.builds(hop, st.integers(1, 5), st.integers(0, 6), st.integers(0, 50)), max_size=12
)


@given(hops)
def test_each_task_has_one_line_below_the_one_that_woke_it(found: list[Hop]) -> None:
    rows = in_order(found)
    assert sorted(map(id, (each for _, each in rows))) == sorted(map(id, found))
    depths = [len(branch) // 2 for branch, _ in rows]
    for n, (branch, each) in enumerate(rows):
        assert not branch or branch[-2] in "├└"
        above = [m for m in range(n) if depths[m] == depths[n] - 1]
        if depths[n]:
            parent = rows[above[-1]][1]
            assert parent.pid == each.waker
            assert parent.woken_ns <= each.woken_ns


def test_a_task_that_was_woken_twice_has_each_of_its_own() -> None:
    found = [hop(1, 0, 0), hop(2, 1, 1), hop(1, 2, 2), hop(3, 1, 3)]
    assert [branch + each.comm for branch, each in in_order(found)] == [
        "task1",
        "└ task2",
        "  └ task1",
        "    └ task3",
    ]
