"""The demo's figures, its document and its text, without a machine."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from pyloader.errors import ScxhidError
from vm import demo, demo_load, demo_screen
from vm.demo_cli import demo as command
from vm.demo_stage import Stage, run_command
from vm.demo_steps import STEPS


def counters(at_ms: int, switches: int, normal_ms: int, nice_ms: int) -> demo_load.Counters:
    return demo_load.Counters(
        at_ms * 10**6, switches, normal_ms * 10**6, nice_ms * 10**6, wakeups=0
    )


def test_a_sample_is_the_difference_of_two_moments() -> None:
    sample = demo_load.between(
        counters(1000, 500, 100, 100), counters(3000, 1500, 1000, 200), [30, 10, 20]
    )
    assert sample.switches_per_s == 500
    assert sample.share == 9
    assert (sample.late_p50_ns, sample.late_p99_ns) == (20, 30)


def test_a_sample_without_any_low_priority_time_has_a_share_all_the_same() -> None:
    sample = demo_load.between(counters(0, 0, 0, 0), counters(1000, 0, 5, 0), [])
    assert sample.share > 1000
    assert sample.late_p50_ns == 0


@pytest.mark.parametrize(
    ("part", "value"), [(0.0, 1), (0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100)]
)
def test_a_quantile_is_the_nearest_rank(part: float, value: int) -> None:
    assert demo_load.quantile(range(1, 101), part) == value


def stage(events: list[tuple[str, dict[str, Any]]]) -> Stage:
    def emit(event: str, **more: Any) -> None:
        events.append((event, more))

    return Stage(emit, load=None, uses=[])  # type: ignore[arg-type]


def test_a_command_runs_in_this_process_with_its_output_and_status() -> None:
    assert run_command("--version").text.startswith("scxhid")
    ran = run_command("sched use no_such_scheduler")
    assert ran.status == 2
    assert "no scheduler is called 'no_such_scheduler'" in ran.text


def test_a_command_that_ends_otherwise_than_expected_is_a_fault() -> None:
    events: list[tuple[str, dict[str, Any]]] = []
    made = stage(events)
    made.run("--version")
    assert not made.faults
    made.run("--version", status=1)
    assert made.faults == ["`scxhid --version` ended with status 0"]
    assert [name for name, _ in events] == ["command", "output"] * 2


def test_the_document_has_the_promised_form() -> None:
    show = demo.Show(started_ns=0)
    for event in (
        {"event": "hello"},
        {"event": "ready", "kernel": "7.3.4", "cpus": 4, "loops": 8},
        {"event": "result", "name": "a", "ok": True, "why": "", "figures": {"load_ms": 1.5}},
        {"event": "result", "name": "b", "ok": False, "why": "x", "figures": {}},
        {"event": "end"},
    ):
        assert show.take(json.dumps(event)) == event
    assert show.ended
    assert demo.document(show, "7.3.4", 4, "tcg", 61.234) == {
        "kernel": "7.3.4",
        "cpus": 4,
        "accel": "tcg",
        "seconds": 61.2,
        "steps": [
            {"name": "a", "ok": True, "figures": {"load_ms": 1.5}},
            {"name": "b", "ok": False, "figures": {}},
        ],
    }


@pytest.mark.parametrize("line", ["", "Traceback", "[]", "3", '{"name": 1}', '"text"'])
def test_a_line_that_is_no_event_is_kept_apart(line: str) -> None:
    show = demo.Show(started_ns=0)
    assert show.take(line) is None
    assert show.strays == [line]


def test_names_of_steps_are_unique() -> None:
    assert len({step.name for step in STEPS}) == len(STEPS) == 10


def piped() -> tuple[demo_screen.Screen, io.StringIO]:
    out = io.StringIO()
    return demo_screen.Screen(Console(file=out, width=demo_screen.PIPE_COLUMNS)), out


def seen(*events: dict[str, Any]) -> str:
    screen, out = piped()
    for event in events:
        screen.event(event)
    screen.close()
    return out.getvalue()


def test_a_pipe_gets_plain_lines_that_are_not_cut() -> None:
    long = "NAME  " + "x" * 200 + "   "
    text = seen(
        {"event": "step", "number": 1, "name": "a", "title": "Title", "text": "Why. " * 40},
        {"event": "command", "line": "scxhid status"},
        {"event": "output", "text": f"\x1b[1m{long}\x1b[0m\n", "status": 0},
        {"event": "measuring", "what": "measuring", "seconds": 3},
        {"event": "shown", "label": "context switches", "text": "1,234 a second"},
        {"event": "result", "name": "a", "ok": True, "why": "", "figures": {}},
        {"event": "unheard_of"},
    )
    lines = text.splitlines()
    assert all(line == line.rstrip() for line in lines)
    assert "   $ scxhid status" in lines
    assert f"     {long.rstrip()}" in lines
    assert any(line.split() == ["context", "switches", "1,234", "a", "second"] for line in lines)
    assert "\x1b" not in text
    assert "measuring" not in text


def test_a_failed_step_says_why() -> None:
    failed = {"event": "result", "name": "a", "ok": False, "why": "it did not", "figures": {}}
    assert "failed: it did not" in seen(failed)


def test_brackets_in_output_are_no_markup() -> None:
    event = {"event": "output", "text": "[red]r1[/red] [trusted_ptr_]", "status": 0}
    assert "[red]r1[/red] [trusted_ptr_]" in seen(event)


def figures(switches: float) -> dict[str, float]:
    return {
        "context_switches_per_s": switches,
        "sleeper_late_p50_us": 310,
        "sleeper_late_p99_us": 61_000,
        "cpu_time_nice0_to_nice10_times": 8.96,
    }


def test_the_closing_table_has_a_row_for_each_setting_measured() -> None:
    live = {
        f"slice_{slice}_{name}": value
        for slice in ("20ms", "1ms")
        for name, value in figures(50).items()
    }
    rows = demo_screen.summary_rows(
        [
            {"name": "kernels_own", "ok": True, "figures": figures(1234)},
            {"name": "knob_live", "ok": True, "figures": live},
            {"name": "statistics", "ok": True, "figures": {"queued_count": 5}},
        ]
    )
    assert rows[0] == ("the kernel's own", "1,234", "0.31 ms", "61 ms", "9.0 : 1")
    assert [row[0] for row in rows[1:]] == ["simple, fifo, 20 ms", "simple, fifo, 1 ms"]


def test_the_summary_counts_what_failed() -> None:
    steps = [{"name": "a", "ok": True, "figures": {}}, {"name": "b", "ok": False, "figures": {}}]
    screen, out = piped()
    screen.summary(steps, 60.0, "x.json")
    assert "1 of 2 steps failed, in 60 s. Every figure: x.json" in out.getvalue()


def test_the_output_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "demo.json"
    with demo.writable(target) as write:
        assert not target.exists()
        write("{}\n")
    assert target.read_text() == "{}\n"

    def breaks() -> None:
        with demo.writable(target):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaks()
    assert target.read_text() == "{}\n"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("name", ["", "file/demo.json"])
def test_an_output_that_cannot_be_written_is_told_before_anything_starts(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ScxhidError, match="cannot be written"), demo.writable(tmp_path / name):
        pytest.fail("it went on")


@pytest.mark.parametrize("cpus", ["0", "-1", "65", "four"])
def test_a_number_of_cpus_that_makes_no_machine_is_wrong_use(cpus: str) -> None:
    done = CliRunner().invoke(command, ["--cpus", cpus])
    assert done.exit_code == 2
