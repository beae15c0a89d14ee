"""The last minutes: what is kept, what is shown, and what was changed when."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pyloader.view.snapshot import Snapshot
from tui.timeline import KEPT_S, Timeline, changes
from vm.bench.made_up import MadeUp

FIRST = MadeUp(2).take()
assert FIRST is not None


def at(seconds: float) -> Snapshot:
    assert FIRST is not None
    return replace(FIRST, at=seconds)


def filled(number: int) -> Timeline:
    timeline = Timeline()
    for n in range(number):
        timeline.add(at(float(n)))
    return timeline


@given(
    st.lists(st.sampled_from(["add", "pause", "resume", "back", "on", "far", "mark"]), max_size=60)
)
def test_what_is_shown_is_kept_and_stands_still_while_paused(steps: list[str]) -> None:
    timeline = filled(3)
    moment = 3.0
    for step in steps:
        before = timeline.shown
        if step == "add":
            timeline.add(at(moment))
            moment += 1
            if not timeline.is_live:
                assert timeline.shown is before
        elif step == "pause":
            timeline.pause()
            assert timeline.shown is before
        elif step == "resume":
            timeline.resume()
        elif step == "far":
            timeline.jump(-2.0)
        elif step == "mark":
            timeline.to_mark(forward=False)
        else:
            timeline.step(-1 if step == "back" else 1)
        assert timeline.shown in list(timeline)
        if timeline.is_live:
            assert timeline.shown is list(timeline)[-1]
            assert timeline.behind_s == 0


def test_what_is_older_is_dropped() -> None:
    timeline = filled(int(KEPT_S) + 100)
    kept = list(timeline)
    assert kept[-1].snapshot.at - kept[0].snapshot.at <= KEPT_S
    assert len(kept) > KEPT_S - 2


def test_a_moment_that_is_shown_stays_until_it_is_dropped() -> None:
    timeline = filled(10)
    timeline.step(-9)
    for n in range(10, int(KEPT_S) + 50):
        timeline.add(at(float(n)))
    assert timeline.shown is next(iter(timeline))


def test_one_jumps_to_the_nearest_moment() -> None:
    timeline = filled(200)
    assert timeline.jump(-60)
    assert timeline.shown
    assert timeline.shown.snapshot.at == 139
    assert not timeline.jump(-500)
    assert timeline.shown.snapshot.at == 139


def test_swaps_and_knobs_are_marked() -> None:
    machine = MadeUp(2)
    one = machine.take()
    machine.knobs["slice_us"] = 9000
    two = machine.take()
    machine.scheduler, machine.since = "simple", machine.at
    three = machine.take()
    machine.scheduler = None
    four = machine.take()
    assert one
    assert two
    assert three
    assert four
    assert [m.text for m in changes(one, two)] == ["slice_us=9000"]
    assert [(m.text, m.kind) for m in changes(two, three)] == [("simple", "swap")]
    assert [m.text for m in changes(three, four)] == ["the kernel's own"]
    assert changes(one, one) == ()


def test_a_fresh_copy_of_the_same_scheduler_is_a_swap() -> None:
    machine = MadeUp(2)
    one = machine.take()
    machine.since += 5
    two = machine.take()
    assert one
    assert two
    assert [m.kind for m in changes(one, two)] == ["swap"]
