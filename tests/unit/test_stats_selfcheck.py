"""The selfcheck on made-up runs: it passes what is sound, and fails what is not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from vm.results.model import Cell, Document, Run
from vm.selfcheck import fixed, words
from vm.selfcheck.measure import WORKLOADS, require_enough
from vm.stats import selfcheck
from vm.stats.selfcheck import AGAIN, MORE, SAME, most_by_chance
from vm.workloads import find
from vm.workloads.model import Case

METRICS = {
    fixed.ROBUST: {"unit": "ns", "better": "less", "kind": "latency", "about": "slice"},
    "makespan_ns": {"unit": "ns", "better": "less", "kind": "makespan", "about": "all"},
}
RUNS = 12


def made_up(
    spread: float = 0.01,
    slowdown: float = 0.05,
    wrong: Callable[[int], float] = lambda repetition: 1.0,
    kind: str = "vm",
) -> Document:
    """100 comparisons; ``wrong`` is by how much the second of two equals takes longer."""
    draw = np.random.default_rng(1)
    runs: list[Run] = []
    for repetition in range(100 * RUNS):
        for name, factor in ((SAME, 1), (AGAIN, wrong(repetition)), (MORE, 1 + slowdown)):
            values = 1e6 * factor * np.exp(spread * draw.standard_normal(len(METRICS)))
            metrics = dict(zip(METRICS, values.tolist(), strict=True))
            cell = Cell("kernel", "kernel", (), name, "idle", "7.3.4", 1)
            runs.append(Run(cell, repetition, repetition + 1, metrics=metrics))
    workloads = {name: {"about": "", "metrics": METRICS} for name in (SAME, AGAIN, MORE)}
    return Document(kind, "", (), 1, {}, workloads, tuple(runs))


def trouble(document: Document) -> str:
    return "; ".join(words.trouble(selfcheck.checked(selfcheck.comparisons(document, RUNS))))


def test_sound_runs_pass() -> None:
    found = selfcheck.checked(selfcheck.comparisons(made_up(), RUNS))
    assert words.trouble(found) == []
    robust = found[0]
    assert robust.alarms.of == robust.planted.of == 100
    assert robust.alarms.told == 0
    assert 0 < robust.alarms.alone < 12
    assert robust.planted.told > 95
    assert robust.slowdown == pytest.approx(1.05, abs=0.003)
    assert robust.spread == pytest.approx(0.0067, abs=0.001)  # of a normal one, 0.67 of its width
    assert "False alarms: 0 of 200, 0 %" in words.checked(found, RUNS)


def test_an_unfair_order_of_equals_fails() -> None:
    """The second of the two always runs on a warmer machine."""
    assert "equals different" in trouble(made_up(wrong=lambda repetition: 1.01))


def test_a_slow_drift_that_both_share_passes() -> None:
    document = made_up()
    runs = [
        dataclasses.replace(
            run, metrics={n: v * (1 + run.repetition / 1200) for n, v in run.metrics.items()}
        )
        for run in document.runs
    ]
    assert trouble(dataclasses.replace(document, runs=tuple(runs))) == ""


def test_a_machine_that_is_too_noisy_fails() -> None:
    assert f"{fixed.ROBUST} found" in trouble(made_up(spread=0.2))


def test_a_slowdown_that_is_not_there_is_not_found() -> None:
    assert "found 0 of 100 planted" in trouble(made_up(slowdown=0.0))


def test_too_few_runs_are_refused_before_they_are_made() -> None:
    require_enough(100, RUNS)
    with pytest.raises(Exception, match="with 5 runs of each nothing could be found"):
        require_enough(100, 5)


def test_chance_alone_makes_so_many_alarms_at_most() -> None:
    draws = np.random.default_rng(1).binomial(100, 0.05, 100_000)
    assert np.mean(draws > most_by_chance(100)) < 0.001
    assert np.mean(draws > most_by_chance(100) - 1) > 0.001
    assert most_by_chance(0) == 0


# --- results of others ---


def of_cells(drift: float = 0.0, unfair: float = 0.0) -> Document:
    draw = np.random.default_rng(2)
    runs: list[Run] = []
    for repetition in range(20):
        for number in range(30):
            cell = Cell("simple", "hosted", (), "wakeup", f"load {number}", "7.3.4", 4)
            slow = (1 + drift * (repetition >= 10)) * (1 + unfair * (repetition % 2))
            value = slow * float(np.exp(0.03 * draw.standard_normal()))
            runs.append(Run(cell, repetition, repetition, metrics={"p99_ns": value}))
    metrics = {"p99_ns": {"unit": "ns", "better": "less", "kind": "latency", "about": ""}}
    return Document("vm", "", (), 1, {}, {"wakeup": {"metrics": metrics}}, tuple(runs))


def test_halves_of_sound_runs_are_alike() -> None:
    found = selfcheck.halves(of_cells())
    assert found.turns.of == found.times.of == 30
    assert words.trouble_of_halves(found, []) == []
    assert not found.drifting


def test_a_drift_is_told_and_forgiven() -> None:
    found = selfcheck.halves(of_cells(drift=0.2))
    assert len(found.drifting) > 25
    assert "load 3, 4 CPUs: p99_ns drifts" in words.halves(found, [])
    assert words.trouble_of_halves(found, []) == []


def test_runs_that_depend_on_their_turn_fail() -> None:
    found = selfcheck.halves(of_cells(unfair=0.2))
    assert "equal halves were called different" in words.trouble_of_halves(found, [])[0]


def test_cells_with_few_runs_are_left_out() -> None:
    document = of_cells()
    few = dataclasses.replace(document, runs=document.runs[: 30 * 7])
    assert selfcheck.halves(few).turns.of == 0


def test_an_exact_result_with_two_runs_of_a_seed_must_have_equal_ones() -> None:
    cell = Cell("simple", "hosted", (), "wakeup", "full", "7.3.4", 4)
    runs = [Run(cell, 0, seed, samples_sha256=sha) for seed, sha in ((1, "a"), (2, "b"), (1, "a"))]
    document = dataclasses.replace(of_cells(), kind="exact", runs=tuple(runs))
    assert selfcheck.not_identical(document) == []
    other = dataclasses.replace(document, runs=(*runs, Run(cell, 0, 2, samples_sha256="c")))
    assert selfcheck.not_identical(other) == ["simple, wakeup full, seed 2"]


# --- the work ---


def test_the_three_workloads_are_one_program_and_differ_in_how_much() -> None:
    found = [find.find(path) for path in WORKLOADS]
    assert [one.name for one in found] == [SAME, AGAIN, MORE]
    commands = [list(one.command(Case(1, "idle"))) for one in found if one.command]
    assert commands[0] == commands[1]
    assert [a for a, b in zip(*commands[1:], strict=True) if a != b] == ["more=0"]


def test_the_work_is_read() -> None:
    text = "metric makespan_ns 1000\nsamples slice 40 10 20 30\n"
    figures = fixed.read(text, Case(1)).metrics
    assert figures == {
        "makespan_ns": 1000,
        "slice_min_ns": 10,
        "slice_p25_ns": 10,
        "slice_p50_ns": 20,
        "slice_p99_ns": 40,
    }
    with pytest.raises(ValueError, match="did not print its slices"):
        fixed.read("metric makespan_ns 1000\n", Case(1))
