"""Histograms of samples: put together they are the histogram of all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.probes.histogram import NR_BUCKETS
from vm.stats.histogram import merge, of_samples, quantiles

SAMPLES = st.lists(st.integers(0, 2**40 - 1), max_size=50)


@given(parts=st.lists(SAMPLES, max_size=5))
def test_merged_histograms_are_that_of_all_samples(parts: list[list[int]]) -> None:
    together = merge(of_samples(np.array(part, np.int64)) for part in parts)
    alone = of_samples(np.array([s for part in parts for s in part], np.int64))
    assert together.tolist() == alone.tolist()
    assert together.shape == (NR_BUCKETS,)
    assert together.dtype == np.uint64


@given(samples=SAMPLES.filter(bool), share=st.floats(0.01, 1))
def test_a_quantile_is_off_by_an_eighth_at_most(samples: list[int], share: float) -> None:
    exact = np.quantile(samples, share, method="inverted_cdf")
    (found,) = quantiles(of_samples(samples), [share])
    assert exact / 1.126 - 1 <= found <= exact * 1.126 + 1


def test_what_is_out_of_range_is_in_the_first_or_the_last_bucket() -> None:
    counts = of_samples([-5, 2**41])
    assert (counts[0], counts[-1], counts.sum()) == (1, 1, 2)


def test_no_samples_have_no_quantiles() -> None:
    assert np.isnan(quantiles(of_samples([]), [0.5, 0.99])).all()
    assert merge([]).sum() == pytest.approx(0)
