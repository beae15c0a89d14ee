"""Suggestions for mistyped names."""

from __future__ import annotations

import pytest

from pyloader.errors import UnknownName
from pyloader.names import nearest

KNOWN = ["slice_us", "fifo", "nr_layers", "simple", "stall"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("slice_ms", "slice_us"), ("fif", "fifo"), ("simpel", "simple"), ("SLICE_US", "slice_us")],
)
def test_nearest_name_comes_first(typed: str, meant: str) -> None:
    assert nearest(typed, KNOWN)[0] == meant


@pytest.mark.parametrize("typed", ["", "xyzzy", "0", "🙂"])
def test_nothing_is_suggested_for_what_is_like_nothing(typed: str) -> None:
    assert nearest(typed, KNOWN) == []


def test_error_asks_whether_the_nearest_was_meant() -> None:
    error = UnknownName("knob", "fif", ["fifo"], "it has fifo")
    assert str(error) == "no knob is called 'fif'; did you mean fifo? it has fifo"
    assert (error.kind, error.name, error.nearest, error.exit_status) == (
        "knob",
        "fif",
        ("fifo",),
        2,
    )


def test_error_without_a_suggestion_still_says_what_to_do() -> None:
    assert str(UnknownName("knob", "x", (), "it has fifo")) == "no knob is called 'x'; it has fifo"
    assert str(UnknownName("knob", "x")) == "no knob is called 'x'"
