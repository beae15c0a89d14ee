"""``debounce`` in virtual time: whatever the switches do, the buttons end as they are."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hid_descriptors import MOUSE
from tests.unit.virtual_hid import Out, Sent, VirtualDevice

MS = 1_000_000
PRESS_MS, RELEASE_MS = 20, 30


@pytest.fixture(scope="module")
def mouse(tmp_path_factory: pytest.TempPathFactory) -> VirtualDevice:
    return VirtualDevice("debounce", MOUSE, tmp_path_factory.mktemp("native"))


def reports(steps: list[tuple[int, int, int]]) -> list[Sent]:
    """Of (ns since the one before, buttons, x)."""
    sent: list[Sent] = []
    for gap, buttons, x in steps:
        before = sent[-1].ns if sent else 0
        sent.append(Sent(before + gap, bytes([buttons, x & 0xFF, 0, 0])))
    return sent


GAPS = st.one_of(
    st.integers(0, 2 * MS), st.integers(0, 100 * MS), st.sampled_from([20 * MS, 30 * MS])
)
CHATTER = st.lists(st.tuples(GAPS, st.integers(0, 7), st.integers(-127, 127)), min_size=1).map(
    reports
)
KNOBS = st.fixed_dictionaries(
    {"press_ms": st.sampled_from([0, 1, 20, 200]), "release_ms": st.sampled_from([0, 5, 30])}
)


@given(CHATTER, KNOBS, st.sampled_from([0, 1000, 3 * MS]), st.sampled_from([0, 0, 3]))
def test_after_quiet_the_buttons_are_what_they_are(
    mouse: VirtualDevice, sent: list[Sent], knobs: dict[str, int], lag_ns: int, refuse: int
) -> None:
    out = mouse.run(sent, knobs, lag_ns=lag_ns, refuse=refuse).out
    assert out[-1].report[0] == sent[-1].report[0]


@given(CHATTER, st.sampled_from([0, 1000, 3 * MS]))
def test_movement_passes_at_once_and_once(
    mouse: VirtualDevice, sent: list[Sent], lag_ns: int
) -> None:
    out = mouse.run(sent, lag_ns=lag_ns).out
    real = [each for each in out if not each.is_own]
    assert [(o.ns, o.report[1:]) for o in real] == [(s.ns, s.report[1:]) for s in sent]
    assert all(each.report[1:] == bytes(3) for each in out if each.is_own)


def edges(out: list[Out], button: int) -> list[tuple[int, bool]]:
    states = [(each.ns, bool(each.report[0] >> button & 1)) for each in out]
    return [new for old, new in pairwise([(0, False), *states]) if old[1] != new[1]]


@given(CHATTER, st.sampled_from([0, 1000, 3 * MS]))
def test_no_two_changes_of_a_button_are_closer_than_the_knobs_say(
    mouse: VirtualDevice, sent: list[Sent], lag_ns: int
) -> None:
    out = mouse.run(sent, {"press_ms": PRESS_MS, "release_ms": RELEASE_MS}, lag_ns=lag_ns).out
    for button in range(3):
        for (began, pressed), (ended, _) in pairwise(edges(out, button)):
            assert ended - began >= (PRESS_MS if pressed else RELEASE_MS) * MS


@given(CHATTER)
def test_a_first_change_is_never_late(mouse: VirtualDevice, sent: list[Sent]) -> None:
    """A change of a button that has been quiet for the longest of the times."""
    ran = mouse.run(sent)
    for button in range(3):
        was, quiet_since = False, -RELEASE_MS * MS
        passed = dict(edges(ran.out, button))
        for ns, report in sent:
            now = bool(report[0] >> button & 1)
            if now != was and ns - quiet_since > 2 * RELEASE_MS * MS:
                assert passed.get(ns) == now
            if now != was:
                was, quiet_since = now, ns


@given(CHATTER)
def test_at_zero_it_does_nothing(mouse: VirtualDevice, sent: list[Sent]) -> None:
    ran = mouse.run(sent, {"press_ms": 0, "release_ms": 0})
    assert [(o.ns, o.report) for o in ran.out] == [(s.ns, s.report) for s in sent]
    assert ran.stats["bounces"] == ran.stats["late"] == ran.stats["injected"] == 0


def test_a_short_click_lasts_as_long_as_the_knob_says(mouse: VirtualDevice) -> None:
    ran = mouse.run(reports([(0, 1, 0), (3 * MS, 0, 0)]))
    assert edges(ran.out, 0) == [(0, True), (PRESS_MS * MS, False)]
    assert ran.stats == {"edges": 1, "bounces": 1, "late": 1, "injected": 1}


def test_chatter_ends_where_it_began_and_nothing_is_said_of_it(mouse: VirtualDevice) -> None:
    ran = mouse.run(reports([(0, 1, 0), (MS, 0, 0), (MS, 1, 0), (MS, 0, 0), (MS, 1, 0)]))
    assert edges(ran.out, 0) == [(0, True)]
    assert ran.stats == {"edges": 1, "bounces": 4, "late": 0, "injected": 0}
