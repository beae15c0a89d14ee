"""``accel``, ``wheel`` and ``rate_limit`` in virtual time: movement arrives, whatever the times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hid_descriptors import MOUSE
from tests.unit.virtual_hid import Out, Sent, VirtualDevice

MS = 1_000_000
SECOND = 1000 * MS
STEPS = st.integers(-127, 127)
GAPS = st.one_of(st.just(0), st.integers(0, 2 * MS), st.integers(0, 100 * MS))
STREAM = st.lists(st.tuples(GAPS, st.integers(0, 7), STEPS, STEPS, STEPS), min_size=1)


def device(program: str, factory: pytest.TempPathFactory) -> VirtualDevice:
    return VirtualDevice(program, MOUSE, factory.mktemp("native"))


@pytest.fixture(scope="module")
def accel(tmp_path_factory: pytest.TempPathFactory) -> VirtualDevice:
    return device("accel", tmp_path_factory)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> VirtualDevice:
    return device("wheel", tmp_path_factory)


@pytest.fixture(scope="module")
def rate_limit(tmp_path_factory: pytest.TempPathFactory) -> VirtualDevice:
    return device("rate_limit", tmp_path_factory)


def reports(steps: list[tuple[int, int, int, int, int]]) -> list[Sent]:
    """Of (ns since the one before, buttons, x, y, wheel)."""
    sent: list[Sent] = []
    for gap, buttons, *moves in steps:
        before = sent[-1].ns if sent else 0
        sent.append(Sent(before + gap, bytes([buttons, *(move & 0xFF for move in moves)])))
    return sent


def signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def moves(rows: list[Out] | list[Sent], at: int) -> list[int]:
    return [signed(row.report[at]) for row in rows]


def steady(counts: int, gap_ns: int, number: int = 40) -> list[Sent]:
    return reports([(gap_ns, 0, counts, 0, 0)] * number)


@given(STREAM)
def test_at_a_gain_of_one_every_report_arrives_as_it_is(
    accel: VirtualDevice, steps: list[tuple[int, int, int, int, int]]
) -> None:
    sent = reports([(g, b, *(max(-126, m) for m in rest)) for g, b, *rest in steps])
    out = accel.run(sent, {"slope": 0}).out
    assert [(o.ns, o.report) for o in out] == [(s.ns, s.report) for s in sent]


@given(STREAM, st.integers(10, 1000))
def test_below_one_no_movement_is_lost(
    accel: VirtualDevice, steps: list[tuple[int, int, int, int, int]], base: int
) -> None:
    sent = reports(steps)
    out = accel.run(sent, {"slope": 0, "base": base}).out
    for axis in (1, 2):
        whole = sum(moves(sent, axis)) * base
        assert abs(whole - sum(moves(out, axis)) * 1000) < 1000


@pytest.mark.parametrize("gap_ns", [0, 125_000, MS, 8 * MS])
@pytest.mark.parametrize("counts", [1, 10, 40])
def test_the_gain_is_what_the_curve_says(accel: VirtualDevice, counts: int, gap_ns: int) -> None:
    knobs = {"base": 800, "threshold": 1000, "slope": 50, "cap": 3000}
    sent = steady(counts, gap_ns)
    speed = counts * 4 * SECOND / max(4 * gap_ns, 125_000)  # the last few count as about four
    gain = min(800 + max(0, speed - 1000) * 50 / 1000, 3000)
    out = moves(accel.run(sent, knobs).out, 1)
    assert sum(out[-20:]) == pytest.approx(20 * counts * gain / 1000, rel=0.02, abs=2)


@given(STREAM)
def test_x_and_y_get_the_same_gain(
    accel: VirtualDevice, steps: list[tuple[int, int, int, int, int]]
) -> None:
    sent = reports(steps)
    out = accel.run(sent, {"threshold": 0, "slope": 400}).out
    pairs = zip(moves(sent, 1), moves(sent, 2), moves(out, 1), moves(out, 2), strict=True)
    for x, y, out_x, out_y in pairs:
        assert abs(out_x * y - out_y * x) <= 2 * (abs(x) + abs(y))
        assert abs(out_x) <= 3 * abs(x) + 1


def test_after_a_rest_the_hand_starts_slowly(accel: VirtualDevice) -> None:
    knobs = {"threshold": 1000, "slope": 1000, "cap": 100000}
    sent = [*steady(20, MS), Sent(SECOND, bytes([0, 1, 0, 0]))]
    out = moves(accel.run(sent, knobs).out, 1)
    assert out[-2] > 60
    assert out[-1] == 1


@given(STREAM, st.integers(0, 1000))
def test_no_turn_of_the_wheel_is_lost(
    wheel: VirtualDevice, steps: list[tuple[int, int, int, int, int]], scale: int
) -> None:
    sent = reports([(*step[:4], max(-126, step[4])) for step in steps])
    out = wheel.run(sent, {"scale": scale}).out
    assert abs(sum(moves(sent, 3)) * scale - sum(moves(out, 3)) * 1000) < 1000
    assert [o.report[:3] for o in out] == [s.report[:3] for s in sent]


@given(STREAM, st.sampled_from([0, 1, 60, 500, 8000]), st.sampled_from([0, 1000, 3 * MS]))
def test_all_movement_arrives_and_no_press_waits(
    rate_limit: VirtualDevice,
    steps: list[tuple[int, int, int, int, int]],
    per_second: int,
    lag_ns: int,
) -> None:
    sent = reports(steps)
    ran = rate_limit.run(sent, {"per_second": per_second}, lag_ns=lag_ns, quiet_ns=200 * SECOND)
    for axis in (1, 2, 3):
        assert sum(moves(sent, axis)) == sum(moves(ran.out, axis))
    assert presses(sent) == presses(ran.out)
    assert ran.stats["passed"] + ran.stats["held"] == len(sent)
    assert ran.stats["passed"] + ran.stats["injected"] == len(ran.out)
    if not per_second:
        assert [(o.ns, o.report) for o in ran.out] == [(s.ns, s.report) for s in sent]


def presses(rows: list[Out] | list[Sent]) -> list[tuple[int, int]]:
    found, before = [], 0
    for ns, buttons in ((row.ns, row.report[0]) for row in rows):
        if buttons != before:
            found.append((ns, buttons))
        before = buttons
    return found


@given(
    st.lists(st.tuples(GAPS, st.just(0), STEPS, STEPS, STEPS), min_size=1, max_size=200),
    st.sampled_from([10, 100, 1000]),
)
def test_no_more_reports_pass_than_the_knob_says(
    rate_limit: VirtualDevice, steps: list[tuple[int, int, int, int, int]], per_second: int
) -> None:
    out = rate_limit.run(reports(steps), {"per_second": per_second}).out
    interval = SECOND / per_second
    for first in range(len(out)):
        for last in range(first + 1, len(out)):
            assert last - first <= (out[last].ns - out[first].ns) / interval + 2


@pytest.mark.parametrize(("per_second", "expected"), [(500, 500), (600, 600), (1000, 1000)])
def test_the_number_is_met_although_reports_have_times_of_their_own(
    rate_limit: VirtualDevice, per_second: int, expected: int
) -> None:
    sent = [Sent(n * MS + n % 3 * 1000, bytes([0, 1, 0, 0])) for n in range(2000)]
    out = rate_limit.run(sent, {"per_second": per_second}).out
    assert len(out) / 2 == pytest.approx(expected, rel=0.01)
    assert sum(o.is_own for o in out) <= 1
    assert sum(moves(out, 1)) == 2000
