"""The benchmark of input latency: what is asked for, what becomes of samples, its C programs."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from pyloader.errors import Busy, NotPermitted, ScxhidError, UnknownName, Unsupported, WrongUse
from vm import bench_cli
from vm.bench.floor import PROGRAMS, ROOT, SHARED, Floor, compile_program
from vm.bench.input import cells, figures, here, inside, rounds, suite, table
from vm.bench.input.cells import DEVICES, LOADS, SHAPES, Cell
from vm.bench.input.path import Beside, figures_of
from vm.bench.input.rounds import Plan, Samples, key
from vm.bench.input.ways import Way, ways

WAYS = ways(["interactive"])
ALONE, CHAIN = Cell("hogs2", "mouse1000", "alone"), Cell("hogs2", "mouse1000", "chain")


def samples_of(plan: Plan, ms: dict[str, float], **others: float) -> Samples:
    """All latencies of a way are so many ms; the rest is as it should be."""
    usual = {"reports": 1000.0, "rate": 1.0, "late": 0.0, "lost": 0.0, "cpu": 5e4}
    made: Samples = {}
    for cell in plan.cells:
        for way in plan.ways:
            times = {
                f"{e}_{q}": ms.get(way.name, 1.0) * 1e6
                for e in ("read", "end")
                for q in ("p50", "p99")
            }
            hogs = (
                {}
                if cell.load == "idle"
                else {"share": 0.8, "work": 1000.0 * ms.get(way.name, 1.0)}
            )
            for metric, value in (usual | times | hogs | others).items():
                made[key(cell, way, metric)] = [value] * plan.rounds
    return made


MS = {"kernel": 4.0, "fifo": 0.4, "interactive": 1.0, "interactive+input": 0.5}


# --- what is asked for ---


def test_the_bound_and_the_kernels_own_are_always_there() -> None:
    assert [way.name for way in WAYS] == list(MS)
    assert [way.name for way in ways([])] == ["kernel", "fifo"]
    assert [way.name for way in ways(["kernel", "mine:a=1"])] == [
        *("kernel", "fifo"),
        *("mine:a=1", "mine:a=1+input"),
    ]
    with pytest.raises(WrongUse, match="twice"):
        ways(["interactive", "interactive"])


def test_a_choice_takes_the_usual_cells_of_it_or_all_that_is_named() -> None:
    assert cells.chosen() == cells.USUAL
    of_forks = cells.chosen(["forks"])
    assert {cell.load for cell in of_forks} == {"forks"}
    assert set(of_forks) < set(cells.USUAL)
    named = cells.chosen(["idle"], ["mouse8000"], ["heavy", "chain"])
    assert named == (Cell("idle", "mouse8000", "heavy"), Cell("idle", "mouse8000", "chain"))
    with pytest.raises(UnknownName, match="mouse125"):
        cells.chosen(devices=["mouse12"])


def test_a_slow_device_is_measured_for_longer() -> None:
    assert Cell("idle", "mouse1000", "alone").seconds(1) == 1
    assert Cell("idle", "keyboard", "alone").seconds(1) == pytest.approx(100 / 30)


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            Cell, st.sampled_from([*LOADS]), st.sampled_from([*DEVICES]), st.sampled_from([*SHAPES])
        ),
        min_size=1,
    ),
    st.lists(st.builds(Way, st.text(min_size=1), st.booleans(), st.booleans()), min_size=1),
    st.integers(1, 99),
    st.floats(0.2, 600),
    st.dictionaries(st.text(), st.text()),
)
def test_a_plan_arrives_in_the_machine_as_it_was(
    chosen: list[Cell], all_ways: list[Way], number: int, seconds: float, knobs: dict[str, str]
) -> None:
    plan = Plan(all_ways, chosen, number, seconds, knobs)
    assert rounds.from_json(json.loads(json.dumps(rounds.to_json(plan)))) == plan


# --- what becomes of samples ---


def test_an_answer_has_rates_as_parts_and_times_of_both_ends() -> None:
    answer = [1001, 2_000_000_000, 11, 22, 1001 * 500, *range(1, 9)]
    found = figures_of(answer, 1000)
    assert found["rate"] == 0.5
    assert (found["late"], found["lost"], found["cpu"]) == (11 / 1001, 22 / 1001, 500)
    assert [found[f"read_{q}"] for q in ("p50", "p99", "p999", "max")] == [1, 2, 3, 4]
    assert [found[f"end_{q}"] for q in ("p50", "p99", "p999", "max")] == [5, 6, 7, 8]


def test_what_the_load_got_is_a_part_of_all_cpus() -> None:
    before, after = [0, 0, 0, 0, 0], [1_000_000_000, 700_000_000, 70, 500_000_000, 50]
    assert Beside(None, 2, True).got(before, after) == {"work": 120, "share": 0.6}
    assert Beside(None, 2, False).got(before, after) == {"work": 120}
    assert Beside(None, 2, False).got([], []) == {}


def test_each_way_stands_beside_the_bound_and_the_kernels_own() -> None:
    plan = Plan(WAYS, (ALONE, Cell("idle", "keyboard", "chain")), rounds=3)
    loaded, idle = figures.cells(plan, samples_of(plan, MS))
    with_input = loaded["ways"]["interactive+input"]
    assert with_input["read_p99_ns"] == {"median": 5e5, "low": 5e5, "high": 5e5}
    assert with_input["of_bound"]["read_p99"] == {"ratio": 1.25, "low": 1.25, "high": 1.25}
    assert with_input["of_kernel"]["end_p50"]["ratio"] == 0.125
    assert (loaded["until"], idle["until"]) == ("read", "end")
    assert "share" not in idle["ways"]["kernel"]


def test_two_rounds_have_no_interval() -> None:
    plan = Plan(WAYS, (ALONE,), rounds=2)
    [cell] = figures.cells(plan, samples_of(plan, MS))
    assert cell["ways"]["kernel"]["of_bound"]["read_p50"] == {
        "ratio": 10,
        "low": None,
        "high": None,
    }


def test_the_table_has_a_column_for_each_way_and_marks_what_fell_behind() -> None:
    plan = Plan(WAYS, (ALONE, CHAIN), rounds=3)
    told = figures.cells(plan, samples_of(plan, MS))
    head, first, _ = table.latencies(told).splitlines()
    assert head.split() == ["load", "device", "shape", "until", *MS]
    assert first.split()[-3:] == ["0.5", "/", "0.5"]
    assert table.marks(told) == []
    behind = samples_of(plan, MS) | {key(CHAIN, WAYS[0], "rate"): [0.9] * 3}
    behind |= {key(CHAIN, WAYS[1], "lost"): [0.1] * 3}
    told = figures.cells(plan, behind)
    last = table.latencies(told).splitlines()[-1]
    assert "4 / 4*" in last
    assert "0.4 / 0.4†" in last
    assert [line[0] for line in table.marks(told)] == ["*", "†"]


def test_what_hogs_lose_is_told_in_time_and_what_forks_lose_in_work() -> None:
    plan = Plan(
        WAYS, (ALONE, Cell("forks", "mouse1000", "alone"), Cell("idle", "mouse125", "alone"))
    )
    samples = samples_of(plan, MS)
    forks = [name for name in samples if name.startswith("forks") and name.endswith(" share")]
    for name in forks:
        del samples[name]
    lines = table.hogs(figures.cells(plan, samples)).splitlines()
    assert len(lines) == 3
    assert lines[1].split()[3:] == ["80.0%"] * 4
    assert lines[2].split()[3:] == ["1.00×", "0.10×", "0.25×", "0.12×"]
    only_idle = Plan(WAYS, (Cell("idle", "mouse125", "alone"),))
    assert table.hogs(figures.cells(only_idle, samples_of(only_idle, MS))) == ""


def test_the_goals_are_those_of_the_bound_the_kernels_own_and_the_load() -> None:
    samples = samples_of(suite.PLAN, MS)
    made = {result.id: result for result in suite.results(samples, suite.NAMES)}
    assert all(any(id_.startswith(name) for id_ in made) for name in suite.NAMES)
    bound, kernel = made["input_p99_overload"], made["input_p99_overload_vs_kernel"]
    assert (bound.value, bound.baseline_value, bound.goal) == (0.5, 0.4, "at most 1.2×")
    assert not bound.met
    assert (kernel.ratio, kernel.met) == (0.125, True)
    assert made["input_hogs_share"].met
    assert made["input_chain_p99_heavy_vs_marked"].goal == "at most 1.2×"
    loses = {key(ALONE, WAYS[-1], "share"): [0.78] * 5}
    [result, *_] = suite.results(samples | loses, ["input_hogs_share"])
    assert not result.met


# --- the command ---


def bench(*words: str) -> tuple[Any, str]:
    done = CliRunner().invoke(bench_cli.bench, ["input", *words])
    return done.exception, done.output


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """Every measurement finds ``MS``; where: in a machine, unless ``here.why_not`` is replaced."""
    plans: list[Plan] = []

    def run(plan: Plan, *_: Any, **__: Any) -> inside.Sampled:
        plans.append(plan)
        return inside.Sampled(samples_of(plan, MS), "7.3.4", "tcg")

    monkeypatch.setattr(inside, "run", run)
    monkeypatch.setattr(here, "run", lambda plan, _: run(plan).samples)
    monkeypatch.setattr(here, "why_not", lambda: Unsupported("this kernel has no sched_ext"))
    return plans


def test_it_measures_in_a_machine_where_this_one_cannot_and_says_so(measured: list[Plan]) -> None:
    error, output = bench("--load", "hogs2", "--shape", "alone", "--rounds", "4")
    assert error is None
    assert "in a virtual machine (this kernel has no sched_ext), about" in output
    assert "0.5 / 0.5" in output
    assert "kernel 7.3.4, 1 CPU, emulated" in output
    assert "medians over 4 rounds" in output
    assert [way.name for way in measured[0].ways] == list(MS)


def test_it_measures_here_where_it_can(
    measured: list[Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here, "why_not", lambda: None)
    error, output = bench("--sched", "simple:slice_us=3000")
    assert error is None
    assert "Measured on this machine" in output
    assert measured[0].ways[-1].name == "simple:slice_us=3000+input"
    assert "in a virtual machine" in bench("--in-vm")[1]


def test_the_document_has_samples_only_in_the_file(measured: list[Plan], tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    done = CliRunner().invoke(
        bench_cli.bench,
        ["input", "--load", "idle", "--json", "-o", str(path)],
    )
    printed, written = json.loads(done.stdout), json.loads(path.read_text())
    assert written.pop("samples")
    assert written == printed
    assert (printed["where"], printed["accel"], printed["rounds"]) == ("vm", "tcg", 3)
    assert list(printed["cells"][0]["ways"]) == list(MS)


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (("--cpus", "1,2"), WrongUse, "one number"),
        (("--here", "--cpus", "2"), WrongUse, "--here is this one"),
        (("--load", "hogs3"), UnknownName, "no load is called 'hogs3'"),
        (("--sched", "nobody"), UnknownName, "nobody"),
        (("--input", "budget=1"), UnknownName, "budget"),
        (("--input", "budget_us"), WrongUse, "KNOB=VALUE"),
        (("--here",), Unsupported, "no sched_ext"),
        (("-o", "/no/such/place/x.json"), ScxhidError, "no directory"),
    ],
)
def test_wrong_wishes_are_refused_before_anything_starts(
    measured: list[Plan], words: tuple[str, ...], kind: type[ScxhidError], said: str
) -> None:
    error, _ = bench(*words)
    assert isinstance(error, kind)
    assert said in str(error)
    assert not measured


def test_options_of_exact_runs_are_none_of_input() -> None:
    for words in (["--exact"], ["--seeds", "3"]):
        done = CliRunner().invoke(bench_cli.bench, ["input", *words])
        assert done.exit_code == 2
        assert words[0] in done.output


def test_a_machine_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pyloader import sched, sysfs

    def why(state: str, ops: str | None, user: int, uhid: Path) -> ScxhidError | None:
        monkeypatch.setattr(sysfs, "read", lambda: sysfs.SchedExt(state, ops))
        monkeypatch.setattr(sched, "current", lambda: None)
        monkeypatch.setattr("os.geteuid", lambda: user)
        monkeypatch.setattr(here, "_UHID", str(uhid))
        return here.why_not()

    there = tmp_path / "uhid"
    there.touch()
    assert isinstance(why("unsupported", None, 0, there), Unsupported)
    assert "modprobe uhid" in str(why("disabled", None, 0, tmp_path / "no"))
    assert isinstance(why("disabled", None, 1000, there), NotPermitted)
    assert isinstance(why("enabled", "lavd", 0, there), Busy)
    assert why("disabled", None, 0, there) is None


# --- the programs ---


@pytest.fixture(scope="module")
def taker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("native") / "numbered_reports"
    source = ROOT / "tests" / "native" / f"{program.name}.c"
    includes = [f"-I{folder}" for folder in (PROGRAMS, SHARED)]
    subprocess.run(["cc", "-O1", "-pthread", *includes, source, "-o", program], check=True)
    return program


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 900), st.integers(1, 9000)), min_size=1, max_size=6))
def test_every_lost_report_is_known_by_its_number(
    taker: Path, parts: list[tuple[int, int]]
) -> None:
    words: list[str] = []
    wanted, at = "", 0
    for came, lost in parts:
        words += [str(n) for n in range(at, at + came)]
        words.append("-")
        at += came + lost
        wanted += "0" * came + "1" * lost
    words.append(str(at))
    done = subprocess.run(
        [taker], input=" ".join(words), capture_output=True, text=True, check=True
    )
    assert done.stdout == wanted + "0"


def test_the_path_wants_devices() -> None:
    done = subprocess.run([compile_program("report_path")], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: report_path ")


def test_a_fork_storm_counts_children() -> None:
    with Floor(compile_program("hogs"), "2", "forks") as hogs:
        before, after = hogs.ask("now"), []
        deadline = time.monotonic() + 60  # a machine may be busy with other things
        while time.monotonic() < deadline:
            after = hogs.ask("now")
            if min(after[2] - before[2], after[4] - before[4]) > 3:
                break
            time.sleep(0.01)
        assert min(after[2] - before[2], after[4] - before[4]) > 3
    done = subprocess.run([compile_program("hogs"), "2", "spoons"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "usage: hogs PROCESSES [forks]\n")
