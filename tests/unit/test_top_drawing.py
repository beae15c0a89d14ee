"""Bars, scales, sliders and words: what is drawn is as wide and as true as is said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from pyloader.probes.histogram import NR_BUCKETS
from pyloader.view.scheduler import KnobState
from tui.draw import bars, blocks, slider, words
from tui.draw.scale import LogScale

STYLES = tuple(Style(color=name) for name in ("red", "green", "blue", "white", "black"))
shares = st.lists(st.floats(0, 1.2) | st.just(math.nan), min_size=1, max_size=4)


@given(shares, st.integers(0, 60))
def test_bars_have_their_width_and_every_part_its_share(parts: list[float], width: int) -> None:
    ends = bars.ends_of(parts, width)
    assert list(ends) == sorted(ends)
    assert not ends or 0 <= ends[0] <= ends[-1] <= 2 * width
    for made in (
        bars.stacked(ends, width, STYLES[: len(parts) + 1]),
        bars.lined(ends, width, STYLES[: len(parts) + 1]),
        bars.lettered(ends, width, STYLES[0]),
    ):
        assert sum(len(segment.text) for segment in made) == width
    told = sum(part for part in parts if part == part)
    assert abs(ends[-1] / (2 * width) - min(told, 1.0)) <= 1 / width if width else True


@given(st.lists(st.floats(0, 1), max_size=30), st.integers(1, 9))
def test_columns_are_as_high_as_their_values(values: list[float], height: int) -> None:
    lines = blocks.columns(values, height)
    assert len(lines) == height
    assert all(len(line) == len(values) for line in lines)
    for n, value in enumerate(values):
        eighths = sum(blocks.EIGHTHS.index(line[n]) for line in lines)
        assert abs(eighths - value * height * 8) <= 1
        assert (eighths > 0) == (value > 0)


def test_a_load_is_drawn_on_a_fixed_scale() -> None:
    assert blocks.spark([0.05, 0.05], 1.0) == "▁▁"
    assert blocks.spark([0.0, 0.5, 1.0, math.nan], 1.0) == " ▄█ "


@given(
    st.lists(st.integers(0, 10**6), min_size=NR_BUCKETS, max_size=NR_BUCKETS), st.integers(5, 90)
)
def test_a_scale_loses_no_sample(counts: list[int], width: int) -> None:
    scale = LogScale(width)
    assert scale.counts(np.array(counts)).sum() == pytest.approx(sum(counts))
    assert len(scale.ticks()) == width


@given(st.floats(1, 1e12), st.floats(1, 1e12), st.integers(2, 200))
def test_a_scale_keeps_the_order(one: float, other: float, width: int) -> None:
    scale = LogScale(width)
    first, second = scale.column(min(one, other)), scale.column(max(one, other))
    assert 0 <= first <= second < width


def knob(low: float, high: float, value: float, default: float) -> KnobState:
    return KnobState("k", value, default, low, high, "us", "", True)


whole = st.tuples(*[st.integers(-1000, 10**9)] * 4).map(sorted)


@given(whole, st.integers(-50, 50))
def test_a_step_stays_in_range_and_goes_where_it_should(limits: list[int], by: int) -> None:
    low, value, default, high = limits
    if not by or low == high:
        return
    each = knob(low, high, value, default)
    found = slider.stepped(each, by)
    assert low <= found <= high
    assert isinstance(found, int)
    if by > 0:
        assert found > value or value == high
    else:
        assert found < value or value == low


@given(whole, st.floats(0, 1), st.integers(0, 60))
def test_a_slider_shows_where_its_knob_is(limits: list[int], place: float, width: int) -> None:
    low, value, default, high = limits
    each = knob(low, high, value, default)
    assert 0 <= slider.share(each, value) <= 1
    assert low <= slider.value_at(each, place) <= high
    drawn = slider.drawn(each, width)
    assert len(drawn) == (width if width >= 3 else 0)
    assert drawn.count("●") == (width >= 3)


def test_the_ends_of_a_slider_are_the_ends_of_the_range() -> None:
    each = knob(100, 1_000_000, 5000, 5000)
    assert (slider.value_at(each, 0.0), slider.value_at(each, 1.0)) == (100, 1_000_000)
    switch = KnobState("s", True, True, False, True, "", "", True)
    assert (slider.stepped(switch, -1), slider.stepped(switch, 1)) == (False, True)
    assert slider.value_at(switch, 0.9) is True


@pytest.mark.parametrize(
    ("ns", "said"),
    [(0, "0ns"), (820, "820ns"), (1300, "1.3µs"), (9.96e6, "10ms"), (2e9, "2.0s"), (None, "–")],
)
def test_times_are_short(ns: float | None, said: str) -> None:
    assert words.short(ns) == said


@given(st.floats(0, 9e12))
def test_no_time_is_longer_than_its_column(ns: float) -> None:
    assert len(words.short(ns)) <= 7


@given(st.floats(0, 9e11))
def test_no_count_is_longer_than_its_column(value: float) -> None:
    assert len(words.count(value)) <= 5


@given(st.text(max_size=40), st.integers(0, 30))
def test_words_fit(text: str, width: int) -> None:
    if width:
        assert len(words.fit(text, width)) == width


@given(st.text(max_size=20))
def test_no_name_does_anything_to_a_terminal(name: str) -> None:
    shown = words.printable(name)
    assert shown.isprintable()
    assert len(shown) == len(name)
