"""What the benchmarks of HID programs make of their samples, and what they are made with."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from pyloader.hid.remap.fragment import MOST_COMBOS, MOST_LAYERS
from pyloader.hid.remap.read import read_bytes
from vm.bench import (
    hid_devices,
    mouse_8khz,
    reload_steps,
    remap_injecting,
    remap_reload,
    remap_rules,
    remap_vs_keyd,
    uinput_loop,
)
from vm.bench.floor import compile_program
from vm.bench.result import Result

EVENT = struct.Struct("qqHHi")


def by_id(results: list[Result]) -> dict[str, Result]:
    return {result.id: result for result in results}


def test_what_is_added_is_above_no_remap_in_the_same_round() -> None:
    samples = {
        **{"none_p50": [100e3, 200e3, 300e3], "none_all": [1e6] * 9},
        **{"ours_p50": [110e3, 210e3, 310e3], "ours_all": [1.1e6] * 9},
        **{"keyd_p50": [400e3, 500e3, 600e3], "keyd_all": [2e6] * 9},
        **{"python_p50": [1100e3, 1200e3, 1300e3], "python_all": [3e6] * 9},
        **{"ours_work": [5e3] * 3, "keyd_work": [100e3] * 3, "python_work": [200e3] * 3},
    }
    results = by_id(remap_vs_keyd.results(samples))
    goal = results["remap_vs_keyd"]
    assert (goal.value, goal.baseline_value) == (10.0, 300.0)
    assert goal.ratio == pytest.approx(1 / 30)
    assert (goal.goal, goal.met) == ("at most 0.05×", True)
    assert results["remap_vs_keyd_p99"].ratio == pytest.approx(0.1)
    # Below what the program itself ran for it can only be by chance.
    by_chance = remap_vs_keyd.added({**samples, "ours_p50": [90e3, 190e3, 290e3]}, "ours")
    assert by_chance == [5e3] * 3
    assert results["remap_vs_keyd_python"].baseline_value == 1000.0
    assert results["remap_vs_keyd_work"].ratio == pytest.approx(0.05)
    assert results["remap_vs_keyd_keyd_p50"].ratio == pytest.approx(2.5)


def test_quantiles_are_values_that_were_measured() -> None:
    values = list(range(100, 0, -1))
    assert hid_devices.quantile(values, 50) == 50
    assert hid_devices.quantile(values, 99) == 99
    assert hid_devices.quantile([7], 99) == 7


@pytest.mark.parametrize("number", remap_rules.NUMBERS)
def test_a_file_has_as_many_rules_as_it_should(number: int) -> None:
    rules = read_bytes(remap_rules.rules(number).encode(), "x.toml")
    assert sum(map(len, rules.layers.values())) + len(rules.combos) == number
    assert "a" in rules.layers["keys"]
    assert not any("a" in combo.names for combo in rules.combos)


def test_the_largest_file_is_at_the_limit_of_combos_and_nearly_of_layers() -> None:
    rules = read_bytes(remap_rules.rules(1000).encode(), "x.toml")
    assert len(rules.combos) == MOST_COMBOS
    assert MOST_LAYERS - 4 <= len(rules.layers) <= MOST_LAYERS


def test_the_number_of_rules_is_judged_by_the_time_of_the_program() -> None:
    samples = {"p50_0": [100.0] * 3, "p50_4": [150.0] * 3, "p50_100": [150.0] * 3}
    samples |= {"p50_1000": [160.0] * 3}
    samples |= {"work_4": [10.0] * 3, "work_100": [10.5] * 3, "work_1000": [12.0] * 3}
    results = by_id(remap_rules.results(samples))
    assert not results["remap_rules_1000_vs_4"].met
    assert results["remap_rules_1000_vs_4_100"].met
    assert results["remap_rules_1000_vs_4_latency"].ratio == pytest.approx(1.2)


def test_the_share_of_time_is_that_of_the_round() -> None:
    samples = {"injecting": [6e6] * 3, "elapsed": [6e9] * 3, "sent": [20] * 3}
    (share,) = remap_injecting.results(samples)
    assert (share.value, share.unit, share.ratio) == (6.0, "ms", pytest.approx(1e-3))


def test_lost_reports_are_those_that_do_not_come_out() -> None:
    samples = {f"{way}_sent": [1.0] * 3 for way in mouse_8khz.WAYS}
    samples |= {f"{way}_rate": [7990.0] * 3 for way in mouse_8khz.WAYS}
    samples |= {f"{way}_late": [20.0] * 3 for way in mouse_8khz.WAYS}
    results = by_id(mouse_8khz.results(samples))
    assert results["mouse_8khz_accel"].met
    assert results["mouse_8khz_none_rate"].baseline_value == 8000.0
    samples["accel_sent"] = [8000 / 7990] * 3
    assert not by_id(mouse_8khz.results(samples))["mouse_8khz_accel"].met


def test_the_command_is_judged_without_emulation() -> None:
    others = ("sum", "total", "told", "pass", "watch", "floor")
    steps = {name: [1e9] for name in (*reload_steps.STEPS, *others)}
    here = {f"here_{name}": [30e6] for name in ("start", "imports", "read", "compile", "sum")}
    here["here_watch"] = [60e6, 60e6]
    results = by_id(remap_reload.results({**steps, **here}))
    assert (results["remap_reload_here"].goal, results["remap_reload_here"].met) == (
        "at most 1×",
        True,
    )
    assert not results["remap_reload_here_watch"].met
    assert results["remap_reload_watch"].ratio == 1
    assert results["remap_reload"].met
    assert "remap_reload_here_apply" not in results


def test_the_steps_of_the_command_can_be_taken_without_a_device(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[keys]\na = "b"\n')
    command = [sys.executable, reload_steps.__file__, "0", str(path), hid_devices.KEYBOARD]
    taken = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert list(taken) == ["start", "imports", "read", "compile"]
    assert all(ns > 0 for ns in taken.values())


def test_a_saved_file_that_is_watched_becomes_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[keys]\na = "b"\n')
    monkeypatch.setattr(remap_reload, "_WATCH_ROUNDS", 3)
    taken = remap_reload._watched_here(path)
    assert len(taken) == 3
    assert all(0 < ns < 5e9 for ns in taken)


def test_the_loop_changes_keys_and_passes_on_where_a_report_ends() -> None:
    events = [(1, 2, 4, 4, 0x70004), (1, 2, 1, 30, 1), (1, 2, 1, 33, 1), (1, 2, 0, 0, 0)]
    raw = b"".join(EVENT.pack(*event) for event in events)
    out = list(EVENT.iter_unpack(uinput_loop.changed(raw, {30: 48})))
    assert out == [(1, 2, 1, 48, 1), (1, 2, 1, 33, 1), (1, 2, 0, 0, 0)]


def test_the_devices_want_a_description() -> None:
    program = str(compile_program("hid_reports"))
    done = subprocess.run([program], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: hid_reports ")
    done = subprocess.run([program, "only a name"], capture_output=True, text=True)
    assert (done.returncode, "is no device" in done.stderr) == (2, True)
