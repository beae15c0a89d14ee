"""Workloads: found by name and by file, sane in what they declare, and every program runs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from pyloader.errors import ScxhidError, UnknownName, Unsupported
from vm.c_compiler import BadSource
from vm.workloads import find as finding
from vm.workloads.find import BadWorkload, find, missing, names, prepare, workloads
from vm.workloads.model import LOADS, Case, Outcome, Workload

ROOT = Path(__file__).resolve().parents[2]

as_root = pytest.mark.skipif(bool(os.geteuid()), reason="SCHED_FIFO takes root")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all compiled programs."""
    into = tmp_path_factory.mktemp("programs")
    for workload in workloads().values():
        if not missing(workload):
            prepare(workload, into)
    return into


def measured(workload: Workload, case: Case) -> Outcome:
    if workload.run:
        return workload.run(case)
    assert workload.command
    assert workload.read
    done = subprocess.run(
        workload.command(case), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
    )
    assert not done.returncode, done.stderr
    return workload.read(done.stdout, case)


# ---- what is declared ----


@pytest.mark.parametrize("name", names())
def test_a_workload_declares_what_reports_need(name: str) -> None:
    workload = find(name)
    assert workload.name == name
    assert workload.source
    assert workload.about
    assert not workload.about.endswith(".")
    for metric in workload.metrics:
        assert metric.name.endswith("_ns") == (metric.unit == "ns")
        assert metric.name.endswith("_per_s") == (metric.unit == "1/s")
        if metric.kind == "latency":
            assert metric.better == ("more" if metric.unit == "1/s" else "less")
    if workload.exact:
        assert any(metric.exact for metric in workload.metrics)
        assert not workload.run
    if len(workload.loads) > 1:
        assert set(workload.loads) >= set(LOADS) - {"idle"}


def test_the_issues_workloads_are_all_there() -> None:
    assert set(names()) >= {
        *("wakeup", "schbench", "frames", "input", "forks", "cgroups", "mix", "compile"),
        *("hackbench", "stress-ng"),
    }


# ---- what they give on this machine, in a moment ----


@as_root
@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("wakeup", "light"),
        ("wakeup", "over"),
        ("schbench", "idle"),
        ("frames", "light"),
        ("frames", "over"),
        ("forks", "full"),
        ("mix", "idle"),
    ],
)
def test_a_program_gives_all_metrics(built: Path, name: str, load: str) -> None:
    workload = find(name)
    seconds = 1.0 if name == "frames" else 0.2  # of a display there are few frames
    case = Case(os.cpu_count() or 1, load, seconds, seed=3, programs=built)
    outcome = measured(workload, case)
    assert list(outcome.metrics) == [metric.name for metric in workload.metrics]
    for metric in workload.metrics:
        value = outcome.metrics[metric.name]
        assert value >= 0
        if metric.unit == "ns":
            assert 0 < value < 60e9
        if metric.unit in ("share", "index"):
            assert value <= 1.0001
    assert all(len(samples) for samples in outcome.samples.values())


@pytest.mark.parametrize(
    ("name", "load"),
    [("hackbench", "idle"), ("stress-ng", "idle"), ("cyclictest", "full"), ("compile", "light")],
)
def test_a_tool_of_a_package_gives_all_metrics(built: Path, name: str, load: str) -> None:
    workload = find(name)
    if missing(workload):
        pytest.skip(f"this machine has no {missing(workload)[0]}")
    if name == "cyclictest" and os.geteuid():
        pytest.skip("cyclictest takes root")
    outcome = measured(workload, Case(1, load, seconds=0.3, seed=3, programs=built))
    assert list(outcome.metrics) == [metric.name for metric in workload.metrics]
    assert all(value > 0 for value in outcome.metrics.values())


def test_the_seed_alone_decides_what_is_compiled(tmp_path: Path) -> None:
    from vm.workloads.compile import write_tree

    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        write_tree(tmp_path / name, seed, files=2)
    first, same, other = (
        {path.name: path.read_text() for path in (tmp_path / name).iterdir()} for name in "abc"
    )
    assert first == same
    assert first != other


def test_lows_are_the_frames_a_second_of_the_slowest() -> None:
    import numpy as np

    from vm.workloads.frames import low

    intervals = np.array([10_000_000] * 198 + [40_000_000, 60_000_000], np.int64)
    assert low(intervals, 0.01) == pytest.approx(20.0)
    assert low(intervals, 0.001) == pytest.approx(1e9 / 60e6)
    with pytest.raises(ValueError, match="fewer than two frames"):
        low(intervals[:0], 0.01)


# ---- programs that are asked for nonsense, or ended ----


@pytest.mark.parametrize(
    "words",
    [("ms=x",), ("ms=",), ("colour=3",), ("ms",), ("ms=-5",), ("ms=99999999999999999999",), ("=",)],
)
def test_a_word_that_makes_no_sense_is_refused(built: Path, words: tuple[str, ...]) -> None:
    done = subprocess.run([built / "schbench", *words], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"schbench: {words[0]} is no word KEY=NUMBER that it understands\n"


def test_more_load_than_there_is_is_refused(built: Path) -> None:
    done = subprocess.run([built / "schbench", "a_cpu=65"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "a_cpu at most 64" in done.stderr


def children(of: int) -> set[int]:
    found = Path(f"/proc/{of}/task/{of}/children").read_text().split()
    return {int(pid) for pid in found}


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_load_dies_with_a_program_that_is_killed(built: Path) -> None:
    command = [built / "beside", "a_cpu=2", "--", "sleep", "60"]
    with subprocess.Popen(command) as program:
        wanted = 2 * (os.cpu_count() or 1) + 1
        until = time.monotonic() + 10
        while len(started := children(program.pid)) < wanted and time.monotonic() < until:
            time.sleep(0.01)
        assert len(started) == wanted
        program.send_signal(signal.SIGKILL)
    until = time.monotonic() + 10
    while any(map(running, started)) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(map(running, started))


@pytest.mark.parametrize(("script", "status"), [("exit 7", 7), ("exit 0", 0), ("kill -9 $$", 1)])
def test_a_command_beside_a_load_keeps_its_status(built: Path, script: str, status: int) -> None:
    command = [built / "beside", "a_cpu=1", "--", "sh", "-c", script]
    assert subprocess.run(command, capture_output=True).returncode == status


# ---- workloads that are none ----

GOOD = """
from vm.workloads.model import Case, Metric, Outcome, Workload
METRIC = Metric("rate_per_s", "1/s", "more", "throughput", "speed")
def command(case): return ["true"]
def read(text, case): return Outcome({"rate_per_s": 1.0})
ALL = dict(name="mine", about="x", metrics=(METRIC,), command=command, read=read)
WORKLOAD = Workload(**ALL)
"""


def test_a_file_anywhere_is_a_workload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    for text in ("mine.py", "./mine.py", str(tmp_path / "mine.py")):
        workload = find(text)
        assert (workload.name, workload.source) == ("mine", tmp_path / "mine.py")
    assert "mine" not in names()


@pytest.mark.parametrize(
    ("added", "why"),
    [
        ("WORKLOAD = 3", "its WORKLOAD is missing, or not a"),
        ("del WORKLOAD", "its WORKLOAD is missing, or not a"),
        ("WORKLOAD = Workload(**ALL | dict(name='My own'))", "'My own' is no name"),
        ("WORKLOAD = Workload(**ALL | dict(metrics=()))", "it declares no metric"),
        ("WORKLOAD = Workload(**ALL | dict(metrics=(METRIC, METRIC)))", "rate_per_s twice"),
        ("WORKLOAD = Workload(**ALL | dict(read=None))", "it needs command and read, or run"),
        ("WORKLOAD = Workload(**ALL | dict(run=read))", "it has run as well as command"),
        ("WORKLOAD = Workload(**ALL | dict(loads=()))", "it has no load"),
        ("WORKLOAD = Workload(**ALL | dict(loads=('heavy',)))", "not different ones of idle, li"),
        ("WORKLOAD = Workload(**ALL | dict(seconds=0))", "its seconds are not above 0"),
        ("WORKLOAD = Workload(**ALL | dict(exact=True, tools=('x',)))", "no tools of packages"),
        ("WORKLOAD = Workload(**ALL | dict(nope=1))", "TypeError: .*nope"),
        ("METRIC.better", None),
        (
            "METRIC = Metric('rate', '1/s', 'higher', 'throughput', 'x')\n"
            "WORKLOAD = Workload(**ALL | dict(metrics=(METRIC,)))",
            "better of the metric rate is 'higher', not less or more",
        ),
        (
            "METRIC = Metric('rate', '1/s', 'more', 'speed', 'x')\n"
            "WORKLOAD = Workload(**ALL | dict(metrics=(METRIC,)))",
            "kind of the metric rate is 'speed', not latency or",
        ),
        (
            "METRIC = Metric('Rate!', '1/s', 'more', 'throughput', 'x')\n"
            "WORKLOAD = Workload(**ALL | dict(metrics=(METRIC,)))",
            "'Rate!' is no name of a metric",
        ),
        ("import nothing_of_the_kind", "ModuleNotFoundError: No module named"),
        ("def (", "SyntaxError: "),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("1 / 0", "ZeroDivisionError: "),
    ],
)
def test_a_broken_file_is_told_in_one_sentence(tmp_path: Path, added: str, why: str | None) -> None:
    path = tmp_path / "mine.py"
    path.write_text(GOOD + added + "\n")
    if why is None:
        assert find(str(path)).name == "mine"
        return
    with pytest.raises(BadWorkload, match=why) as caught:
        find(str(path))
    assert str(caught.value).startswith(f"{path} is not a workload: ")
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.exit_status == 1


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(BadWorkload, match=r"nowhere\.py is not a workload: there is no such file"):
        find("nowhere.py")


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="no workload is called 'hackbanch'; did you mean hackb"):
        find("hackbanch")
    with pytest.raises(UnknownName, match=r"there are cgroups, .*, and any file FILE\.py"):
        find("zzz")


def test_a_tool_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(GOOD + "WORKLOAD = Workload(**ALL | dict(tools=('no-such-tool',)))\n")
    workload = find(str(path))
    assert missing(workload) == ["no-such-tool (package no-such-tool)"]
    with pytest.raises(Unsupported, match=r"mine needs no-such-tool .* does not have") as caught:
        prepare(workload, tmp_path)
    assert caught.value.exit_status == 3


def test_a_c_file_that_does_not_compile_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(GOOD + "WORKLOAD = Workload(**ALL | dict(programs=('mine',)))\n")
    with pytest.raises(BadWorkload, match=r"needs a program mine, and there is no .*mine\.c"):
        prepare(find(str(path)))
    (tmp_path / "mine.c").write_text("int main(void) { return nothing; }\n")
    with pytest.raises(BadSource, match=r"mine\.c does not compile \(.*nothing") as caught:
        prepare(find(str(path)), tmp_path / "built")
    assert isinstance(caught.value, ScxhidError)
    (tmp_path / "mine.c").write_text('#include "workload.h"\nint main(void) { return 3; }\n')
    into = prepare(find(str(path)), tmp_path / "built")
    assert subprocess.run([into / "mine"]).returncode == 3


def test_a_program_is_compiled_anew_when_its_source_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "mine.py"
    path.write_text(GOOD + "WORKLOAD = Workload(**ALL | dict(programs=('mine',)))\n")
    source = tmp_path / "mine.c"
    seen: list[Path] = []
    for status in (3, 4, 3):
        source.write_text(f"int main(void) {{ return {status}; }}\n")
        os.utime(source, (1, 1))  # its date says nothing
        seen.append(prepare(find(str(path))))
        assert subprocess.run([seen[-1] / "mine"]).returncode == status
    assert seen[0] == seen[2] != seen[1]


def test_no_workload_is_hidden_from_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in finding.HERE.glob("*.py"):
        declares = re.search(r"^WORKLOAD\b", path.read_text(), re.MULTILINE)
        assert (path.stem.replace("_", "-") in names()) == bool(declares)


def test_workloads_of_the_same_sources_share_one_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An emulator translates each copy apart, so the three of a selfcheck would be no equals."""
    from vm.selfcheck.measure import WORKLOADS

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folders = {prepare(find(text)) for text in WORKLOADS}
    assert len(folders) == 1 < len(WORKLOADS)
