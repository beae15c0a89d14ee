"""The benchmarks' own arithmetic, document and command line; no figure is judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vm.bench import (
    contest,
    inside,
    pages,
    report,
    side_by_side,
    suites,
)
from vm.bench.floor import ROOT, Floor, compile_floor
from vm.bench.result import Result, compare
from vm.bench.turns import in_turns, repeated, turned

FORM = (
    *("id", "value", "unit", "baseline", "baseline_value", "ratio", "goal", "met", "runs"),
    "interval",
)


def a_result(id_: str = "vm_boot", value: float = 12.0, limit: float | None = 2.5) -> Result:
    return Result(id_, value, "s", "bare boot", 4.0, limit, 5)


def test_an_entry_has_the_form_that_others_read() -> None:
    entry = a_result().to_json()
    assert tuple(entry) == FORM
    assert entry["ratio"] == 3.0
    assert (entry["goal"], entry["met"]) == ("at most 2.5×", False)


def test_a_ratio_at_the_limit_meets_the_goal() -> None:
    assert a_result(value=10.0).met


def test_a_baseline_for_scale_sets_no_goal() -> None:
    result = a_result(limit=None)
    assert (result.goal, result.met) == ("for scale", True)


def test_a_comparison_takes_medians_and_scales_them() -> None:
    samples = {"a": [2e6, 9e9, 1e6], "b": [1e6, 4e6, 2e6]}
    result = compare("x", samples, "a", "b", words="b", unit="ms", limit=1)
    assert (result.value, result.baseline_value, result.runs) == (2.0, 2.0, 3)


def test_samples_are_taken_in_turns_after_a_round_that_is_thrown_away() -> None:
    seen: list[str] = []

    def taker(name: str) -> float:
        seen.append(name)
        return float(len(seen))

    samples = in_turns({"a": lambda: taker("a"), "b": lambda: taker("b")}, 2)
    assert seen == ["a", "b"] * 3
    assert samples == {"a": [3.0, 5.0], "b": [4.0, 6.0]}


def test_repeated_work_is_counted_once() -> None:
    calls: list[int] = []
    assert repeated(lambda: calls.append(1), 100)() > 0
    assert len(calls) == 100


def test_the_issues_ids_are_the_names_of_the_suites() -> None:
    assert suites.NAMES == (
        "read_percpu_64x32",
        "knob_write",
        "attach_detach",
        "swap_gap",
        "gapless",
        "gapless_wakeup_max",
        "host_overhead",
        "interactive_p99_overload",
        "interactive_hackbench",
        "schedulers",
        "remap_vs_keyd",
        "remap_rules_1000_vs_4",
        "remap_reload",
        "remap_injecting",
        "mouse_8khz",
        "input_p50_overload",
        "input_p99_overload",
        "input_chain_p99",
        "input_hogs_share",
        "probe_switch_cost",
        "probe_report_cost",
        "top_cpu_1hz",
        "top_cpu_10hz",
        "top_first_paint",
        "top_key_to_paint",
        "top_memory",
        "status_startup",
        "vm_boot",
    )
    assert set(inside.MODULES) <= set(suites.NAMES)


def test_results_of_other_suites_stay_in_the_document(tmp_path: Path) -> None:
    path = tmp_path / "build" / "bench.json"
    report.write(path, [a_result("vm_boot"), a_result("knob_write")], {"cpu": "x", "cores": 2})
    report.write(path, [a_result("vm_boot", 9.0)], {"cpu": "x", "accel": "tcg"})
    document = json.loads(path.read_text())
    assert document["machine"] == {"cpu": "x", "cores": 2, "accel": "tcg"}
    assert [(e["id"], e["value"]) for e in document["results"]] == [
        ("knob_write", 12.0),
        ("vm_boot", 9.0),
    ]


def test_a_table_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    report.write(path, [a_result("schedulers/work/gone"), a_result("swap_gap_vs_floor")], {})
    report.write(path, [a_result("schedulers/work/simple")], {})
    ids = [entry["id"] for entry in json.loads(path.read_text())["results"]]
    assert ids == ["swap_gap_vs_floor", "schedulers/work/simple"]


def test_a_damaged_document_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text('{"results": [')
    report.write(path, [a_result()], {})
    assert len(json.loads(path.read_text())["results"]) == 1


def test_the_table_has_a_line_for_each_result_and_marks_what_missed() -> None:
    lines = report.table([a_result(), a_result("knob_write", 2.0)]).splitlines()
    assert len(lines) == 3
    assert " NO " in lines[1]
    assert " yes " in lines[2]


def test_the_machines_facts_say_what_figures_depend_on() -> None:
    facts = report.machine_facts()
    assert {"cpu", "cores", "kernel", "python", "libbpf", "qemu"} <= set(facts)


def test_an_unknown_suite_is_one_sentence_with_the_known_ones() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vm.bench", "nope"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "'nope'" in done.stderr
    assert all(name in done.stderr for name in suites.NAMES)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["attach", "read_map", "swap_gap"])
def test_a_floor_compiles_and_explains_its_use(name: str) -> None:
    done = subprocess.run([compile_floor(name)], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: {name} ")


def test_a_floor_that_ends_is_an_error() -> None:
    from pyloader.errors import ScxhidError

    with Floor("/bin/true") as floor, pytest.raises(ScxhidError, match="status 0"):
        floor.ask("go")


def test_a_floor_answers_each_line_with_numbers() -> None:
    with Floor("/bin/cat") as floor:
        assert floor.ask("1 22") == [1, 22]
        assert floor.ask("333") == [333]


# --- schedulers side by side ---


def test_jains_index_is_one_for_equal_shares_and_one_nth_for_a_monopoly() -> None:
    assert contest.jain([7, 7, 7]) == pytest.approx(1.0)
    assert contest.jain([9, 0, 0]) == pytest.approx(1 / 3)
    assert contest.jain([1, 3]) == pytest.approx(16 / 20)
    assert contest.jain([0, 0]) == 0


def test_shares_are_of_the_time_between_two_answers_of_the_hogs() -> None:
    before = [1_000_000_000, 500, 10, 900, 40]
    after = [3_000_000_000, 1500, 70, 1900, 80]
    assert contest.shares(before, after) == {"fairness": pytest.approx(1.0), "work": 50.0}


def test_every_scheduler_goes_first_in_its_turn() -> None:
    firsts = {turned(["kernel", "a", "b"], number)[0] for number in range(3)}
    assert firsts == {"kernel", "a", "b"}


def test_the_table_of_schedulers_has_a_line_each_and_the_kernels_first() -> None:
    samples = {
        f"{name}/{metric}": [1e6 * factor, 2e6 * factor, 3e6 * factor]
        for name, factor in (("b", 2.0), ("kernel", 1.0))
        for metric in contest.METRICS
    }
    results = contest.results(samples)
    assert all(side_by_side.belongs(result) for result in results)
    lines = side_by_side.table([*results, a_result()]).splitlines()
    assert [line.split()[0] for line in lines] == ["scheduler", "kernel", "b"]
    assert "4 (2×, 2 to 2)" in lines[2]
    assert "×" not in lines[1]


def test_without_schedulers_there_is_no_second_table() -> None:
    assert side_by_side.table([a_result()]) == ""


def test_the_page_takes_the_figures_and_keeps_its_words() -> None:
    samples = {
        f"{name}/{metric}": [1e6, 2e6, 3e6]
        for name in ("kernel", "a")
        for metric in contest.METRICS
    }
    entries = [result.to_json() for result in [a_result(), *contest.results(samples)]]
    page = (
        "words\n<!-- bench:results -->\nold\n<!-- bench:end -->\nmore\n<!-- bench:schedulers -->\n"
    )
    page += "old\n<!-- bench:end -->\nlast\n"
    parts = {"results": pages.results(entries), "schedulers": pages.schedulers(entries)}
    lines = pages.filled(page, parts).splitlines()
    assert "old" not in lines
    assert [line for line in lines if line in ("words", "more", "last")] == [
        "words",
        "more",
        "last",
    ]
    assert sum(line.startswith("| vm_boot | 12 | s | 4 | 3× |") for line in lines) == 1
    assert sum(line.startswith(("| kernel |", "| a |")) for line in lines) == 2
    assert pages.filled(page, {"schedulers": ""}) == page
