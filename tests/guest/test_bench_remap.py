"""The benchmarks of HID programs, with a few events each: that they measure, not what."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vm.bench import mouse_8khz, remap_injecting, remap_reload, remap_rules, remap_vs_keyd
from vm.guest_tests import KEYD_VARIABLE

has_keyd = pytest.mark.skipif(
    not Path(os.environ.get(KEYD_VARIABLE) or "/absent").is_dir(),
    reason="Debian's package keyd could not be fetched",
)


@pytest.mark.slow
@has_keyd
def test_each_way_lets_every_key_come_out() -> None:
    samples = remap_vs_keyd.sample(rounds=1, reports=10)
    for way in remap_vs_keyd.WAYS:
        assert len(samples[f"{way}_p50"]) == 1
        assert len(samples[f"{way}_all"]) == 10
        assert 0 < samples[f"{way}_p50"][0] <= max(samples[f"{way}_all"])
    for way in remap_vs_keyd.WAYS[1:]:
        assert samples[f"{way}_work"][0] > 0
    assert samples["none_work"] == [0]


@pytest.mark.slow
def test_any_number_of_rules_is_measured() -> None:
    samples = remap_rules.sample(rounds=1, reports=10)
    assert all(samples[f"work_{number}"][0] > 0 for number in remap_rules.NUMBERS)
    assert all(samples[f"p50_{number}"][0] > 0 for number in (0, *remap_rules.NUMBERS))


@pytest.mark.slow
def test_the_command_is_timed_until_its_rules_count() -> None:
    samples = remap_reload.sample(rounds=1)
    assert samples["total"][0] > samples["told"][0] > samples["floor"][0] > 0
    assert samples["sum"][0] > samples["imports"][0] > 0


@pytest.mark.slow
def test_a_hold_that_time_decides_sends_a_report() -> None:
    samples = remap_injecting.sample(rounds=1, round_ms=3000)
    assert samples["sent"][0] > 0
    assert 0 < samples["injecting"][0] < samples["elapsed"][0]


@pytest.mark.slow
def test_every_movement_of_the_mouse_comes_out() -> None:
    samples = mouse_8khz.sample(rounds=1, reports=1600)
    assert samples["none_sent"] == samples["none_moved"] == [1.0]
    assert samples["remap_moved"] == [1.0]
