"""What looking costs, by the clocks of this process and the kernel's words of a program."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.probes.cost import CostReader, parse_run_time

FDINFO = """pos:	0
flags:	02000002
prog_type:	26
prog_id:	75
run_time_ns:	{}
run_cnt:	{}
recursion_misses:	0
"""


@given(st.integers(0, 1 << 64), st.integers(0, 1 << 64))
def test_what_the_kernel_writes_is_read(ns: int, runs: int) -> None:
    assert parse_run_time(FDINFO.format(ns, runs)) == (ns, runs)


@given(st.text(st.sampled_from("run_timecnt:s \t\n0123456789\u0661")))
def test_nothing_in_it_does_harm(text: str) -> None:
    assert min(parse_run_time(text)) >= 0


def test_a_busy_process_costs_a_cpu_and_one_that_sleeps_nothing() -> None:
    reader = CostReader()
    used, began = time.process_time(), time.monotonic()
    while time.monotonic() < began + 0.1:
        pass
    share = (time.process_time() - used) / (time.monotonic() - began)
    assert reader.read().process == pytest.approx(share, abs=0.05)
    time.sleep(0.1)
    assert reader.read().process < 0.1


def test_what_nobody_counts_is_not_told() -> None:
    assert CostReader().read().programs is None
    assert CostReader([-1]).read().programs is None
