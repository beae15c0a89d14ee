"""Figures as people read them."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm.report.blocks import metric_label
from vm.report.units import Scale, percent_text, ratio_text, scale_of


@pytest.mark.parametrize(
    ("unit", "values", "value", "text"),
    [
        ("ns", [1_930_000.0], 1_930_000, "1.93 ms"),
        ("ns", [200_000.0, 210_000.0], 1_203_000, "1,203 µs"),
        ("ns", [12.0], 12, "12 ns"),
        ("ns", [2.5e9], 2.5e9, "2.50 s"),
        ("1/s", [24_100.0], 24_100, "24.1 k/s"),
        ("index", [0.97], 0.9784, "0.978"),
        ("of fair", [1.0], 1.0, "1.000"),
        ("reports", [3.0], 3, "3 reports"),
        ("switches", [1234.0], 1234, "1,234 switches"),
    ],
)
def test_a_column_has_the_unit_that_reads_best(
    unit: str, values: list[float], value: float, text: str
) -> None:
    assert scale_of(unit, values).with_unit(value) == text


def test_a_fourth_digit_can_be_asked_for() -> None:
    scale = scale_of("ns", [1_559_123.0], 4)
    assert [scale.with_unit(v) for v in (1_559_123, 15_591_230, 999_960, 155_912_300)] == [
        "1.559 ms",
        "15.59 ms",
        "1.000 ms",
        "155.9 ms",
    ]


def test_the_middle_of_a_column_decides_its_unit() -> None:
    assert scale_of("ns", [900.0, 2_000.0, 5_000_000.0]).unit == "µs"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_dash(value: float) -> None:
    assert Scale(1.0, "ns").text(value) == "–"


@given(st.floats(min_value=1e-3, max_value=1e12))
def test_three_digits_of_a_figure_are_kept(value: float) -> None:
    scale = scale_of("ns", [value])
    shown = float(scale.text(value).replace(",", ""))
    assert shown == pytest.approx(value / scale.divisor, rel=0.006, abs=0.0006)


@given(st.sampled_from(["ns", "1/s", "index", "", "B", "things"]), st.lists(st.floats()))
def test_any_values_have_a_scale(unit: str, values: list[float]) -> None:
    scale = scale_of(unit, values)
    assert scale.divisor > 0
    assert all(scale.text(value) for value in values)


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0.82, "0.82×"),
        (1.0004, "1.000×"),
        (1.954, "2.0×"),
        (14.2, "14×"),
        (1234.0, "1,234×"),
        (math.nan, "–"),
        (math.inf, "∞"),
    ],
)
def test_a_ratio_says_how_many_times(ratio: float, text: str) -> None:
    assert ratio_text(ratio) == text


@pytest.mark.parametrize(("share", "text"), [(0.03, "3 %"), (0.004, "0.4 %"), (1.2, "120 %")])
def test_a_share_is_told_in_per_cent(share: float, text: str) -> None:
    assert percent_text(share) == text


@pytest.mark.parametrize(
    ("metric", "label"),
    [
        ("p99_ns", "p99"),
        ("idle_p999_ns", "idle p99.9"),
        ("requests_per_s", "requests"),
        ("hog_share_least", "hog share least"),
        ("max_ns", "max"),
    ],
)
def test_a_metric_is_named_as_people_say_it(metric: str, label: str) -> None:
    assert metric_label(metric) == label
    assert not re.search("_", label)
