"""``scxhid bench selfcheck`` on results that are there, and on a machine that only seems to run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.conftest import Outcome
from vm.errors import VmLost
from vm.exact.report import Report
from vm.matrix import lock, plan
from vm.results.file import read, write
from vm.results.model import Cell, Document, Run
from vm.selfcheck import agent, exact, measure
from vm.stats.selfcheck import AGAIN, MORE, SAME

Command = Callable[..., Outcome]


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """A result of ten cells with 16 runs each, in two files."""
    draw = np.random.default_rng(1)
    runs = [
        Run(
            Cell("simple", "hosted", (), "wakeup", f"load {n}", "7.3.4", 4),
            repetition,
            repetition,
            metrics={"p99_ns": float(draw.lognormal(10, 0.1))},
        )
        for repetition in range(16)
        for n in range(10)
    ]
    metrics = {"p99_ns": {"unit": "ns", "better": "less", "kind": "latency", "about": ""}}
    path = tmp_path / "night.json"
    write(path, Document("vm", "", (), 1, {}, {"wakeup": {"metrics": metrics}}, tuple(runs)))
    return path


def test_a_result_is_compared_with_itself(scxhid: Command, result: Path) -> None:
    done = scxhid("bench", "selfcheck", result)
    assert done.status == 0
    assert done.out.startswith("Every other run against those between: 0 of 10 called different")
    told = json.loads(scxhid("bench", "selfcheck", result, "--json").out)
    assert told["met"]
    assert told["turns"]["of"] == told["times"]["of"] == 10


def test_what_cannot_be_checked_is_one_sentence(
    scxhid: Command, result: Path, tmp_path: Path
) -> None:
    for words, status, said in (
        ([tmp_path / "no.json"], 1, "no.json is not there"),
        ([result, "--exact"], 2, "give one of them"),
        (["--runs", "3"], 2, "with 3 runs of each nothing could be found"),
    ):
        done = scxhid("bench", "selfcheck", *words)
        assert (done.status, done.out) == (status, "")
        assert said in done.err
        assert len(done.err.strip().splitlines()) == 1
    document = read(result)
    few = Document("vm", "", (), 1, {}, document.workloads, document.runs[:70])
    write(result, few)
    done = scxhid("bench", "selfcheck", result)
    assert done.status == 1
    assert "no cell with the eight runs" in done.err


# --- made ---


def seeming(noise: float, dies_after: int = 10**9) -> Callable[..., None]:
    """In place of a machine: programs that take as long as they have to do, more or less."""
    draw = np.random.default_rng(1)

    def boot(
        kind: Mapping[str, Any],
        runs: Sequence[Mapping[str, Any]],
        hear: Callable[[dict[str, Any]], None],
        agent: str,
    ) -> None:
        hear({"qemu": ["qemu", "-smp", "1"], "accel": "tcg"})
        for done, run in enumerate(runs):
            if done == dies_after:
                raise VmLost("the machine stopped", Path("kernel.log"), [])
            more = 1.05 if "more=50" in run["words"] else 1
            ns = int(400_000 * more * np.exp(noise * draw.standard_normal()))
            text = f"metric makespan_ns {96 * ns}\nsamples slice {ns} {ns} {ns + 10}\n"
            hear({"run": {"number": run["number"], "started": 0, "status": 0, "text": text}})

    return boot


@pytest.fixture
def own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(lock.VARIABLE, str(tmp_path / "bench.lock"))


@pytest.fixture
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version is enough where no machine boots."""

    class Seven:
        version = "7.3.4"

    monkeypatch.setattr(plan, "choose", lambda wish, say=None: Seven())


@pytest.mark.usefixtures("own_lock", "no_kernel")
def test_both_figures_are_printed_and_every_run_is_kept(
    scxhid: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "boot", seeming(0.005))
    path = tmp_path / "check.json"
    done = scxhid("bench", "selfcheck", "--comparisons", "20", "--runs", "12", "-o", path)
    assert done.status == 0, done.err
    assert "False alarms: 0 of 100, 0 % (at most 5 %)." in done.out
    assert "Planted slowdown of 5 % found: 100 % by slice_min_ns (at least 80 %)" in done.out
    document = read(path)
    assert {run.cell.workload for run in document.runs} == {SAME, AGAIN, MORE}
    assert len(document.runs) == 20 * 12 * 3
    assert document.runs[0].conditions["command"] == ["qemu", "-smp", "1"]
    assert scxhid("bench", "selfcheck", path, "--runs", "12").out == done.out
    assert "10 runs against 10" in scxhid("bench", "selfcheck", path, "--runs", "10").out


@pytest.mark.usefixtures("own_lock", "no_kernel")
def test_what_is_not_met_is_status_1_with_the_figures(
    scxhid: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "boot", seeming(0.3))
    done = scxhid("bench", "selfcheck", "--comparisons", "20", "--runs", "12")
    assert done.status == 1
    assert "Planted slowdown of 5 % found: 0 % by slice_min_ns" in done.out
    assert "slice_min_ns found 0 of 20 planted slowdowns" in done.err


@pytest.mark.usefixtures("own_lock", "no_kernel")
def test_a_lost_machine_loses_its_runs_alone(
    scxhid: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "boot", seeming(0.005, dies_after=130))
    path = tmp_path / "check.json"
    done = scxhid("bench", "selfcheck", "--comparisons", "20", "--runs", "12", "-o", path)
    assert "a machine was lost: the machine stopped" in done.err
    runs = read(path).runs
    assert sum(run.status == "lost" for run in runs) == 5 * 14
    assert next(run for run in runs if run.status == "lost").reason == "the machine stopped"


def test_the_agent_tells_what_a_program_printed_and_how_it_ended() -> None:
    python = sys.executable
    assert agent.output_of([python, "-c", "print('metric a 1')"]) == (0, "metric a 1\n")
    assert agent.output_of([python, "-c", "import os; os.kill(os.getpid(), 9)"]) == (-9, "")


# --- exact ---


class Done:
    """What an exact run gives."""

    def __init__(self, said: list[str]) -> None:
        self.report = Report("7.3.4", {}, said, repr(said))


def test_exact_runs_that_differ_once_are_told(
    scxhid: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0
    broken = 10**9

    def session(*_: object, seed: int, **__: object) -> Done:
        nonlocal made
        made += 1
        first = 400_000 + seed + (made == broken)
        return Done(
            [
                f"metric makespan_ns {first * 3}",
                f"samples slice {first} {first} {first}",
                f"metric makespan_ns {first * 3}",
                f"samples slice {first * 1.05:.0f} {first * 1.05:.0f} {first * 1.05:.0f}",
            ]
        )

    monkeypatch.setattr(exact, "session", session)
    done = scxhid("bench", "selfcheck", "--exact", "--seeds", "4")
    assert done.status == 0, done.err
    assert "0 of 4 seeds differ in two runs, of 6 samples each (none may)." in done.out
    assert "Planted slowdown of 5 %: worse, 5.000 %" in done.out
    broken = made + 6
    done = scxhid("bench", "selfcheck", "--exact", "--seeds", "4")
    assert done.status == 1
    assert "1 of 4 seeds differ" in done.out
    assert "seed 3: the program said 'metric makespan_ns 1200009' and then" in done.err
