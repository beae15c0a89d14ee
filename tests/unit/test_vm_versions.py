"""Kernel versions: which is newer, which series, which a wish fits."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyloader.errors import WrongUse
from vm.kernels import matches
from vm.versions import order, series

NUMBERS = st.lists(st.integers(0, 400), min_size=2, max_size=4)


def written(numbers: list[int]) -> str:
    return ".".join(map(str, numbers))


def test_versions_sort_by_number_not_by_letter() -> None:
    shuffled = ["7.10.1", "6.18.15", "7.3.4", "6.16.12", "6.16.3", "7.3"]
    assert sorted(shuffled, key=order) == [
        "6.16.3",
        "6.16.12",
        "6.18.15",
        "7.3",
        "7.3.4",
        "7.10.1",
    ]


def test_a_release_candidate_is_older_than_its_release() -> None:
    assert order("7.3-rc2") < order("7.3-rc10") < order("7.3") < order("7.3.1")
    assert order("7.3~rc2-amd64") < order("7.3-amd64")


def test_a_later_packaging_of_the_same_release_is_newer() -> None:
    assert order("7.3.4+deb13-amd64") < order("7.3.4+deb14-amd64")
    assert order("7.3.4+deb9-amd64") < order("7.3.4+deb13-amd64")


@given(NUMBERS, NUMBERS)
def test_the_order_is_that_of_the_numbers(left: list[int], right: list[int]) -> None:
    def stripped(numbers: list[int]) -> list[int]:
        kept = list(numbers)
        while len(kept) > 1 and kept[-1] == 0:
            kept.pop()
        return kept

    assert (order(written(left)) < order(written(right))) == (stripped(left) < stripped(right))


@given(NUMBERS, st.sampled_from(["", "-rc1", "+deb13-amd64", "-amd64", "~rc3", "-fc-v595"]))
def test_any_release_has_an_order_and_a_series(numbers: list[int], rest: str) -> None:
    version = written(numbers) + rest
    assert order(version) == order(version)
    assert series(version) == f"{numbers[0]}.{numbers[1]}"


@given(NUMBERS, st.integers(1, 9))
def test_a_version_fits_its_own_beginning_but_no_longer_number(
    numbers: list[int], digit: int
) -> None:
    version = written(numbers)
    assert matches(f"{version}+deb13-amd64", version)
    assert not matches(f"{version}{digit}", version)


@given(st.text().filter(lambda text: not text[:1].isdecimal()))
def test_what_does_not_begin_with_a_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(WrongUse) as caught:
        order(text)
    assert repr(text) in str(caught.value)


@given(st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}.*", fullmatch=True))
@example("0²")
def test_what_begins_with_a_number_has_an_order(text: str) -> None:
    assert order(text) <= order(text)


def test_a_word_is_no_version() -> None:
    with pytest.raises(WrongUse, match="'newest' is no kernel version"):
        order("newest")
