"""Whether values are larger on average, against every way to deal them out."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm.stats.permutation import larger_on_average

VALUES = st.lists(st.integers(0, 50), min_size=1, max_size=5)


@given(one=VALUES, other=VALUES)
def test_it_is_the_share_of_all_ways_to_deal_them_out(one: list[int], other: list[int]) -> None:
    both, n = [*one, *other], len(one)
    sums = [sum(both[k] for k in chosen) for chosen in combinations(range(len(both)), n)]
    share = sum(found >= sum(one) for found in sums) / len(sums)
    assert larger_on_average(one, other) == pytest.approx(share, abs=0.05)


def test_stretches_that_differ_are_told_from_those_that_do_not() -> None:
    small, large = [10, 11, 12, 13] * 25, [20, 21, 22, 23] * 25
    assert larger_on_average(large, small) < 0.01
    assert larger_on_average(small, large) > 0.99
    assert 0.2 < larger_on_average(small, small) < 0.9


def test_nothing_to_compare_with_is_no_difference() -> None:
    assert larger_on_average([1, 2], []) == 1.0
    with pytest.raises(ValueError, match="needs values"):
        larger_on_average([], [1])
