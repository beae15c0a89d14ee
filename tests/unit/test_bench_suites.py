"""What single suites of the benchmarks make of their samples, and their C programs."""

from __future__ import annotations

import subprocess

import pytest

from pyloader.errors import ScxhidError
from vm.bench import (
    exact_programs,
    exact_wakeup,
    gapless,
    probe_cost,
    report_cost,
    swap_gap,
    top_memory,
)
from vm.bench.floor import Floor, compile_program
from vm.bench.result import Result

# --- the gap ---


def test_gaps_are_compared_idle_and_loaded_with_both_baselines() -> None:
    samples = {
        f"{name}{load}": [value * 1e6] * 3
        for name, value in (("use", 75.0), ("back", 70.0), ("c", 70.0), ("respawn", 500.0))
        for load in ("", "_loaded")
    }
    results = swap_gap.results(samples)
    assert [(result.id, result.met) for result in results] == [
        ("swap_gap_vs_floor", True),
        ("swap_gap_back_vs_floor", True),
        ("swap_gap_vs_respawn", True),
        ("swap_gap_loaded_vs_floor", True),
        ("swap_gap_loaded_back_vs_floor", True),
        ("swap_gap_loaded_vs_respawn", True),
    ]
    assert results[2].goal == "at most 0.25×"


def test_what_a_gapless_swap_took_stands_beside_the_gap_of_a_plain_one() -> None:
    samples = {
        f"{name}{load}": [value] * count
        for name, value, count in (
            ("first_task", 2e6, 20),
            ("drain", 5e6, 20),
            ("drained", 3.0, 20),
            ("plain", 100e6, 8),
        )
        for load in ("", "_loaded")
    }
    results = {result.id: result for result in gapless.results(samples)}
    assert results["gapless_first_task"].ratio == pytest.approx(0.02)
    assert results["gapless_loaded_drain"].baseline_value == 100.0
    assert results["gapless_loaded_drained"].value == 3.0
    assert results["gapless_loaded_first_task"].interval == (0.02, 0.02)


# --- the probe of top ---


def test_the_cost_of_the_probe_is_a_part_of_a_switch() -> None:
    taken = {"probe": [4e3] * 3, "switch": [200e3] * 3, "with": [11e6] * 3, "without": [10e6] * 3}
    of_switch, of_all = probe_cost.results(taken)
    assert (of_switch.id, of_switch.value, of_switch.ratio) == ("probe_switch_cost", 4.0, 0.02)
    assert (of_all.value, of_all.ratio) == (11.0, pytest.approx(1.1))


def test_what_the_probe_tells_of_a_report_stands_beside_the_stamps() -> None:
    taken = {"probe": [4e3] * 3, "stamped": [200e3] * 3, "told": [190e3] * 3}
    cost, told = report_cost.results(taken)
    assert (cost.id, cost.value, cost.ratio) == ("probe_report_cost", 4.0, 0.02)
    assert (told.id, told.ratio) == ("probe_report_cost_told", pytest.approx(0.95))


# --- exact runs ---


def test_alike_is_met_while_the_interval_reaches_down_to_the_limit() -> None:
    def alike(interval: tuple[float, float] | None) -> Result:
        return Result("x", 11.0, "ms", "b", 10.0, 1.0, 5, interval, alike=True)

    assert alike((0.98, 1.3)).met
    assert not alike((1.02, 1.3)).met
    assert not alike(None).met
    assert alike((0.98, 1.3)).goal == "no difference"


def test_the_worst_wakeup_is_taken_of_each_seed() -> None:
    runs = [
        {"without": [1_000_000, 5_000_000], "with": [2_000_000, 6_000_000]},
        {"without": [9_000_000, 1_000_000], "with": [8_000_000, 1_000_000]},
        {"without": [4_000_000, 1_000_000], "with": [4_000_000, 1_000_000]},
    ]
    worst, median = exact_wakeup.swap_results(runs)
    assert (worst.id, worst.value, worst.baseline_value) == ("gapless_wakeup_max", 6.0, 5.0)
    assert worst.met
    assert (median.value, median.goal) == (1.0, "for scale")


def test_the_distance_to_the_floor_is_that_of_the_same_run() -> None:
    kernel = [{"loaded": [5_000_000 + seed], "floor": [1_000_000 + seed]} for seed in range(3)]
    ours = [{"loaded": [1_500_000 + seed], "floor": [1_000_000 + seed]} for seed in range(3)]
    distance, whole = exact_wakeup.overload_results(kernel, ours, 4)
    assert (distance.id, distance.ratio, distance.met) == ("interactive_p99_overload", 0.125, True)
    assert whole.ratio == pytest.approx(0.3, abs=0.001)
    faster = [{"loaded": [1], "floor": [2]}]
    assert exact_wakeup.distances_ns(faster) == [0.0]


def test_the_programs_run_in_turn_and_begin_elsewhere_with_another_seed() -> None:
    programs = (exact_programs.Program("pingpong", ("5",), 2),)
    assert exact_programs.body(programs, 2) == ["sleep 22", *["run /files/pingpong 5"] * 2]
    assert exact_programs.body(programs, 3)[0] == "sleep 23"


def test_the_first_answer_of_a_program_does_not_count() -> None:
    programs = (
        exact_programs.Program("pingpong", ("5",), 4),
        exact_programs.Program("hackbench", (), 2),
    )
    said = ["900", "10", "30", "20", "800", "7"]
    assert exact_programs.answers(said, programs) == {"pingpong": 20, "hackbench": 7}


def test_a_program_that_did_not_answer_is_an_error() -> None:
    from vm.errors import VmError

    with pytest.raises(VmError, match="not the answer of every program"):
        exact_programs.answers(["900"], (exact_programs.Program("pingpong", ("5",)),))


def test_overhead_is_told_of_hackbench_and_of_one_switch() -> None:
    taken = {
        "direct": [{"hackbench": 100e6, "pingpong": 40e6}] * 3,
        "hosted": [{"hackbench": 100.5e6, "pingpong": 41e6}] * 3,
    }
    hackbench, switch = exact_programs.overhead_results(taken)
    assert (hackbench.ratio, hackbench.met) == (pytest.approx(1.005), True)
    assert (switch.value, switch.baseline_value, switch.unit) == (10250.0, 10000.0, "ns")


# --- the programs ---

PROGRAMS = {
    "hackbench": (("1", "2", "5"), 1),
    "pingpong": (("50",), 1),
    "hogs": (("2",), 5),
    "sleeper": (("1", "20"), 5),
    "messages": (("1", "2", "1", "50"), 5),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_workload_answers_each_line_with_its_numbers(name: str) -> None:
    arguments, count = PROGRAMS[name]
    with Floor(compile_program(name), *arguments) as program:
        for _ in range(2):
            answer = program.ask("go")
            assert len(answer) == count
            assert answer[0] > 0


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_workload_refuses_what_it_does_not_understand(name: str) -> None:
    program = str(compile_program(name))
    arguments = PROGRAMS[name][0]
    done = subprocess.run([program], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: {name} ")
    wrong = ["-1", *arguments[1:]]
    done = subprocess.run([program, *wrong], input="go\n", capture_output=True, text=True)
    assert done.returncode == 2
    assert "-1 is not a whole number above 0" in done.stderr


def test_hogs_count_time_and_work() -> None:
    import time

    with Floor(compile_program("hogs"), "2") as hogs:
        before = hogs.ask("before")
        time.sleep(0.3)
        after = hogs.ask("after")
    assert all(b > a for a, b in zip(before, after, strict=True))
    assert sum(after[1::2]) < 2 * (after[0] - before[0]) + 1_000_000_000


def test_quantiles_of_the_programs_are_in_order() -> None:
    with Floor(compile_program("messages"), "1", "2", "1", "100") as messages:
        _, p50, p99, p999, longest = messages.ask("go")
    assert 0 < p50 <= p99 <= p999 <= longest


# --- the screen's memory ---


def test_memory_is_compared_once_nothing_more_is_kept() -> None:
    grows = [(place, 50_000_000 + 10_000 * min(place, 600)) for place in range(0, 3601, 50)]
    flat = top_memory.result(grows)
    assert (flat.value, flat.baseline_value, flat.met) == (56.0, 56.0, True)
    leaks = top_memory.result([(place, 50_000_000 + 10_000 * place) for place, _ in grows])
    assert leaks.ratio > 1.2
    assert not leaks.met


def test_memory_that_was_not_seen_to_the_end_is_no_figure() -> None:
    with pytest.raises(ScxhidError, match="not seen at the beginning and at the end"):
        top_memory.result([(place, 50_000_000) for place in range(0, 2000, 50)])
