"""What the agent in the guest believes of a workload, and how figures travel."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vm.matrix.guest_conditions import in_words
from vm.matrix.packing import pack_outcome, unpack_outcome
from vm.workloads.model import Outcome

whole = st.integers(-(2**63), 2**63 - 1)


@given(
    st.dictionaries(st.sampled_from(["p50_ns", "n"]), st.floats(allow_nan=False)),
    st.lists(whole),
    st.lists(st.integers(0, 2**64 - 1)),
)
def test_figures_arrive_as_they_were_sent(
    metrics: dict[str, float], samples: list[int], counts: list[int]
) -> None:
    sent = Outcome(metrics, {"a": np.array(samples, "i8")}, {"b": np.array(counts, "u8")})
    came = unpack_outcome(json.loads(json.dumps(pack_outcome(sent))))
    assert came.metrics == metrics
    assert (came.samples["a"].dtype, came.samples["a"].tolist()) == (np.int64, samples)
    assert (came.counts["b"].dtype, came.counts["b"].tolist()) == (np.uint64, counts)


def test_an_end_is_told_in_words() -> None:
    assert in_words(3) == "ended with status 3"
    assert in_words(-11) == "was ended by SIGSEGV"
    assert in_words(-200) == "was ended by signal 200"
