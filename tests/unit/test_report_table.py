"""What `bench compare` prints: golden tables, marks, and what is told below."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from pyloader.errors import ScxhidError
from tests.unit import made_results as made
from vm.bench_cli import bench
from vm.report.files import File
from vm.report.terminal import printed
from vm.report.told import abridged, tell
from vm.results.file import write
from vm.results.model import Document

PICTURES = Path(__file__).parent / "pictures"


def a_file(document: Document, name: str = "a.json") -> File:
    return File(Path(name), name, document)


def compared() -> Document:
    """Ten runs of three schedulers, one ejected twice and one that hung."""
    return made.document(
        [
            *made.runs_of(("simple", "kernel", "interactive"), repetitions=10),
            *(made.lost(made.cell("nest"), n) for n in (1, 2)),
            made.lost(made.cell("simple"), 99, "lost", "the machine\nhung after 30 s"),
        ]
    )


def shown(document: Document, width: int | None = None) -> str:
    telling = abridged(tell([a_file(document)]))
    return printed(telling.told, telling.notes, width)


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_looks_as_in_the_picture(width: int) -> None:
    """Pictures are made anew by removing them and running this test; look at them then."""
    path = PICTURES / f"compare-{width}.txt"
    text = shown(compared(), width)
    if not path.exists():
        path.write_text(text + "\n")
    assert text + "\n" == path.read_text()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert all(cell_len(line) <= width for line in shown(made.everything(5, 3), width).splitlines())


def test_in_a_pipe_a_scheduler_is_one_line_however_long() -> None:
    lines = shown(compared()).splitlines()
    assert [line.split()[0] for line in lines[3:7]] == ["kernel", "interactive", "nest", "simple"]
    assert "\x1b" not in "".join(lines)
    assert lines[4].count("[") == 4


def test_runs_without_figures_are_told_with_number_and_reason() -> None:
    text = shown(compared())
    assert "3 runs gave no figures and count nowhere" in text
    assert "nest · wakeup · full load · 2 CPUs · kernel 7.3.4: 2 runs ejected: stalled" in text
    assert "(number 30, 31)" in text
    assert "1 run lost: the machine hung after 30 s (number 32)" in text


def test_runs_without_figures_are_never_averaged_in() -> None:
    with_lost = tell([a_file(compared())]).told[0].blocks[0]
    without = made.document(compared().runs[:30])
    alone = tell([a_file(without)]).told[0].blocks[0]
    of = {line.subject: line for line in with_lost.lines}
    for line in alone.lines:
        assert {m: row.estimate for m, row in line.rows.items()} == {
            m: row.estimate for m, row in of[line.subject].rows.items()
        }
    assert of["nest"].runs == 0
    assert of["nest"].rows["p99_ns"].unusable == {"ejected": 2}


def test_the_best_is_marked_and_so_is_who_may_be_as_good() -> None:
    block = tell([a_file(compared())]).told[0].blocks[0]
    assert ("interactive", "p99_ns") in block.best
    assert ("simple", "p99_ns") not in block.best
    assert not any(metric == "fairness" for _, metric in block.best)


def test_with_two_runs_nobody_is_best() -> None:
    two = made.document(made.runs_of(repetitions=2))
    assert not tell([a_file(two)]).told[0].blocks[0].best


def test_rows_are_in_one_order_however_runs_were_shuffled() -> None:
    cells = [made.cell("interactive", knobs={"slice_us": n}) for n in (20000, 500, 1000)]
    runs = [made.run(cell) for cell in (*cells, made.cell("kernel"), made.cell("cgfair"))]
    block = tell([a_file(made.document(runs))]).told[0].blocks[0]
    assert [line.subject for line in block.lines] == [
        "kernel",
        "cgfair",
        "interactive:slice_us=500",
        "interactive:slice_us=1000",
        "interactive:slice_us=20000",
    ]


def test_throughput_is_not_shown_of_exact_runs() -> None:
    runs = made.runs_of(workload="requests")
    names = [
        {
            column.metric
            for column in tell([a_file(made.document(runs, kind))]).told[0].blocks[0].columns
        }
        for kind in ("vm", "exact")
    ]
    assert names == [{"p99_ns", "requests"}, {"p99_ns"}]


def test_a_metric_that_the_file_does_not_declare_is_left_out() -> None:
    run = made.run(made.cell())
    odd = dataclasses.replace(run, metrics={**run.metrics, "mystery": 1.0})
    columns = tell([a_file(made.document([odd]))]).told[0].blocks[0].columns
    assert "mystery" not in {column.metric for column in columns}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write(tmp_path / "a.json", made.document(made.runs_of(repetitions=8)))
    write(tmp_path / "b.json", made.document(made.runs_of(repetitions=8, factor=1.5)))
    write(tmp_path / "other.json", made.document(made.runs_of(workload="requests")))
    write(tmp_path / "exact.json", made.document(made.runs_of(), "exact"))
    return tmp_path


def compare(*words: str | Path) -> Result:
    return CliRunner().invoke(bench, ["compare", *map(str, words)])


def test_two_files_of_the_same_cells_are_before_and_after(files: Path) -> None:
    result = compare(files / "a.json", files / "b.json", "--metric", "p50_ns")
    assert result.exit_code == 0
    assert "each against itself before" in result.output
    assert result.output.count("▼ 1.50×") == 3
    assert "a.json → b.json" in result.output


def test_before_and_after_can_be_taken_as_one(files: Path) -> None:
    result = compare(files / "a.json", files / "b.json", "--together")
    assert "against kernel; 16 runs of each" in result.output


def test_files_of_other_workloads_are_shown_as_one_measurement(files: Path) -> None:
    result = compare(files / "a.json", files / "other.json")
    assert "wakeup · full load" in result.output
    assert "requests · full load" in result.output


def test_json_has_every_figure_and_no_nan(files: Path) -> None:
    result = compare(files / "a.json", "--json")
    found = json.loads(result.output, parse_constant=lambda name: pytest.fail(name))
    block = found["sets"][0]["blocks"][0]
    assert block["baseline"] == "kernel"
    row = next(row for row in block["rows"] if row["subject"] == "simple")
    assert row["metrics"]["p50_ns"]["n"] == 8
    assert row["metrics"]["p50_ns"]["difference"]["verdict"] == "worse"
    assert block["rows"][0]["metrics"]["p50_ns"]["difference"] is None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("a.json", "exact.json"), "time in the one is not time in the other"),
        (("a.json", "a.json"), "is given twice"),
        (("a.json", "--baseline", "nobody"), "no subject is called 'nobody'"),
        (("a.json", "--metric", "p98_ns"), "no metric of the result is called 'p98_ns'"),
        (("a.json", "--load", "none"), "there is full"),
        (("a.json", "--change"), "before and after are two files, and 1 are named"),
        (("a.json", "other.json", "--change"), "have no cell in common"),
        (("a.json", "--json", "--markdown"), "two forms"),
    ],
)
def test_wrong_use_is_one_sentence(files: Path, words: tuple[str, ...], sentence: str) -> None:
    given = [files / word if word.endswith(".json") else word for word in words]
    result = compare(*given)
    assert isinstance(result.exception, ScxhidError)
    assert result.exception.exit_status == 2
    assert sentence in str(result.exception)
    assert "\n" not in str(result.exception)


def test_a_file_that_is_none_fails(files: Path) -> None:
    (files / "bad.json").write_text('{"format": "scxhid bench 999"}')
    for name, words in (("nothing.json", "is not there"), ("bad.json", "newer version")):
        result = compare(files / name)
        assert isinstance(result.exception, ScxhidError)
        assert result.exception.exit_status == 1
        assert words in str(result.exception)
