"""`bench baseline`: what is kept, what fails a check, and what is refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit import made_results as made
from tests.unit.conftest import Outcome
from vm.results.file import read, write
from vm.results.model import Document, Run

Command = Callable[..., Outcome]


@pytest.fixture
def bench(scxhid: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`scxhid bench baseline …` in a directory with base.json, which is the baseline."""
    monkeypatch.chdir(tmp_path)
    store("base.json", made.runs_of(repetitions=12))

    def run(*words: str) -> Outcome:
        return scxhid("bench", "baseline", *words)

    assert run("save", "base.json").status == 0
    return run


def store(name: str, runs: list[Run], kind: str = "vm") -> Document:
    document = made.document(runs, kind)
    write(Path(name), document)
    return document


def test_a_baseline_is_a_result_without_its_samples(bench: Command) -> None:
    kept = read(Path(".scxhid-bench/default.json"))
    assert len(kept.runs) == 36
    assert not any(run.arrays for run in kept.runs)
    assert not list(Path(".scxhid-bench").glob("*.npz"))


def test_the_same_again_passes_and_says_what_it_could_not_see(bench: Command) -> None:
    said = bench("check", "base.json")
    assert said.status == 0
    assert "nothing is worse than baseline default in 15 comparisons" in said.out
    assert "comparisons could not have seen 5 %" in said.out


def test_worse_beyond_the_threshold_fails(bench: Command) -> None:
    store("now.json", made.runs_of(repetitions=12, factor=1.3))
    said = bench("check", "now.json", "--fail-over", "10%")
    assert said.status == 1
    assert "worse by more than 10 %:" in said.out
    assert "simple · wakeup · full load · 2 CPUs · kernel 7.3.4: p50" in said.out
    assert "30.0 % worse" in said.out
    assert "FAILED" in said.out.splitlines()[-1]


def test_worse_within_the_threshold_is_told_and_passes(bench: Command) -> None:
    store("now.json", made.runs_of(repetitions=12, factor=1.3))
    said = bench("check", "now.json", "--fail-over", "50%")
    assert said.status == 0
    assert "worse, but by no more than 50 %:" in said.out


def test_better_passes_and_is_told(bench: Command) -> None:
    store("now.json", made.runs_of(repetitions=12, factor=0.5))
    said = bench("check", "now.json")
    assert said.status == 0
    assert "better:" in said.out


def test_less_throughput_is_worse(bench: Command) -> None:
    store("base.json", made.runs_of(workload="requests", repetitions=12))
    bench("save", "base.json", "--name", "requests")
    store("now.json", made.runs_of(workload="requests", repetitions=12, factor=1.3))
    said = bench("check", "now.json", "--name", "requests", "--json")
    assert said.status == 1
    found = json.loads(said.out)
    assert any("requests 24" in text and "23.1 % worse" in text for text in found["worse"])
    assert found["passed"] is False


def test_a_scheduler_that_gives_no_figures_any_more_fails(bench: Command) -> None:
    runs = [
        made.lost(run.cell, run.repetition) if run.cell.scheduler == "simple" else run
        for run in made.runs_of(repetitions=12)
    ]
    store("now.json", runs)
    said = bench("check", "now.json")
    assert said.status == 1
    assert "p99 has no figure any more (12 ejected)" in said.out


def test_too_few_runs_are_told_and_strict_fails_on_them(bench: Command) -> None:
    store("now.json", made.runs_of(repetitions=2))
    said = bench("check", "now.json")
    assert said.status == 0
    assert "15 of 15 comparisons have too few runs to tell anything" in said.out
    said = bench("check", "now.json", "--strict")
    assert said.status == 1
    assert "FAILED: --strict" in said.out


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kernel": "6.16.12"}, "kernel: 7.3.4, now 6.16.12"),
        ({"cpus": (4,)}, "machine: 2 CPUs, now 4 CPUs"),
        ({"topology": "1s2c"}, "machine: 2 CPUs, now 2 CPUs (1s2c)"),
        ({"loads": ("over",)}, "load: full, now over"),
        ({"workload": "requests"}, "workload: wakeup, now requests"),
        ({"schedulers": ("kernel", "simple")}, "scheduler: interactive and kernel and simple, now"),
    ],
)
def test_what_was_measured_otherwise_is_refused(
    bench: Command, fields: dict[str, object], words: str
) -> None:
    store("now.json", made.runs_of(**fields))  # pyright: ignore[reportArgumentType]
    said = bench("check", "now.json")
    assert said.status == 2
    assert words in said.err
    assert "--anyway" in said.err


def test_anyway_compares_across_kernels(bench: Command) -> None:
    store("now.json", made.runs_of(repetitions=12, kernel="6.16.12", factor=2.0))
    said = bench("check", "now.json", "--anyway")
    assert said.status == 1
    assert "the two differ in kernel: 7.3.4, 6.16.12" in said.out


def test_anyway_needs_something_in_common(bench: Command) -> None:
    store("now.json", made.runs_of(workload="requests"))
    said = bench("check", "now.json", "--anyway")
    assert said.status == 2
    assert "no cell in common" in said.err


def test_what_is_new_is_no_fault(bench: Command) -> None:
    store("now.json", made.runs_of(("kernel", "simple", "interactive", "nest"), repetitions=12))
    said = bench("check", "now.json")
    assert said.status == 0
    assert "1 cell not in the baseline, not compared" in said.out


def test_exact_runs_are_counted_that_are_the_same_bit_for_bit(bench: Command) -> None:
    runs = [
        dataclasses.replace(run, samples_sha256=f"{n:064}") for n, run in enumerate(made.runs_of())
    ]
    store("exact.json", runs, "exact")
    bench("save", "exact.json", "--name", "exact")
    store("now.json", [dataclasses.replace(runs[0], samples_sha256="f" * 64), *runs[1:]], "exact")
    said = bench("check", "now.json", "--name", "exact")
    assert "17 of 18 exact runs are the baseline's, bit for bit" in said.out
    said = bench("check", "now.json")
    assert said.status == 2
    assert "another kind of runs" in said.err


def test_baselines_are_listed_and_removed(bench: Command) -> None:
    bench("save", "base.json", "--name", "7.3")
    listed = bench("list").out.splitlines()
    assert [line.split()[0] for line in listed] == ["name", "7.3", "default"]
    assert bench("remove", "7.3").status == 0
    assert "7.3" not in [line.split()[0] for line in bench("list").out.splitlines()]
    said = bench("remove", "7.3")
    assert said.status == 2
    assert ".scxhid-bench has default" in said.err


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b", "x" * 101])
def test_a_name_cannot_lead_elsewhere(bench: Command, name: str) -> None:
    assert bench("save", "base.json", "--name", name).status == 2
    assert bench("check", "base.json", "--name", name).status == 2
    assert bench("remove", "--", name).status == 2


@pytest.mark.parametrize("share", ["x", "-1%", "nan", "2000%", ""])
def test_a_threshold_must_make_sense(bench: Command, share: str) -> None:
    said = bench("check", "base.json", "--fail-over", share)
    assert said.status == 2
    assert "write it like 5%" in said.err


def test_a_result_without_figures_is_no_baseline(bench: Command) -> None:
    store("lost.json", [made.lost(made.cell(), 1)])
    said = bench("save", "lost.json")
    assert said.status == 2
    assert "needs runs with figures" in said.err
    assert len(read(Path(".scxhid-bench/default.json")).runs) == 36


def test_a_directory_that_is_a_file_is_told(bench: Command) -> None:
    said = bench("save", "base.json", "--dir", "base.json")
    assert said.status == 1
    assert "cannot be made" in said.err
