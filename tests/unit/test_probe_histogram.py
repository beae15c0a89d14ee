"""Histograms: what C puts into them is what Python reads out of them."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.probes.histogram import (
    NR_BUCKETS,
    PERCENTILES,
    edges,
    percentile_of_each,
    percentiles,
)

ROOT = Path(__file__).resolve().parents[2]
U64 = st.integers(0, (1 << 64) - 1) | st.integers(0, 64).map(lambda n: (1 << n) - 1)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], int]:
    made = tmp_path_factory.mktemp("native") / "buckets.so"
    source = ROOT / "tests" / "native" / "buckets.c"
    flags = ("-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined")
    include = f"-I{ROOT / 'schedulers' / 'include'}"
    subprocess.run(["gcc", *flags, include, "-o", str(made), str(source)], check=True)
    called = ctypes.CDLL(str(made)).bucket
    called.argtypes, called.restype = [ctypes.c_uint64], ctypes.c_uint32
    return called


@given(value=U64)
def test_a_value_lies_within_its_bucket(bucket: Callable[[int], int], value: int) -> None:
    n = bucket(value)
    begin, end = edges()[n : n + 2]
    assert n < NR_BUCKETS
    assert begin <= value
    assert value < end or n == NR_BUCKETS - 1
    assert end - begin <= max(1, begin / 8)


def test_buckets_follow_each_other() -> None:
    assert (np.diff(edges()) > 0).all()
    assert edges()[-1] == 2.0**40


@given(
    values=st.lists(st.integers(0, (1 << 40) - 1), min_size=1, max_size=200),
    share=st.floats(0.1, 100),
)
def test_a_percentile_is_off_by_an_eighth_at_most(
    bucket: Callable[[int], int], values: list[int], share: float
) -> None:
    counts = np.bincount([bucket(value) for value in values], minlength=NR_BUCKETS)
    [found] = percentiles(counts, [share]) or []
    true = sorted(values)[max(0, int(np.ceil(len(values) * share / 100)) - 1)]
    assert abs(found - true) <= max(1, true / 8)


def test_of_nothing_there_is_none() -> None:
    assert percentiles(np.zeros(NR_BUCKETS), [50]) is None


@given(
    st.lists(st.lists(st.tuples(st.integers(0, NR_BUCKETS - 1), st.integers(1, 50))), min_size=1),
    st.sampled_from(sorted(PERCENTILES)),
)
def test_many_at_once_are_as_each_by_itself(
    rows: list[list[tuple[int, int]]], share: float
) -> None:
    counts = np.zeros((len(rows), NR_BUCKETS), np.uint32)
    for row, samples in enumerate(rows):
        for bucket, number in samples:
            counts[row, bucket] += number
    for row, found in zip(counts, percentile_of_each(counts, share), strict=True):
        if row.sum() < PERCENTILES[share]:
            assert np.isnan(found)
        else:
            assert percentiles(row, [share]) == pytest.approx([found])
