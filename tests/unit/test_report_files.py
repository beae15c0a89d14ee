"""Several result files: what may be put together, what changed between two, what is kept apart."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from pyloader.errors import WrongUse
from tests.unit import made_results as made
from vm.report.change import change
from vm.report.files import File, put_together, read_all
from vm.report.told import Telling, tell
from vm.results.file import write
from vm.results.model import Document, Run


def a_file(name: str, document: Document) -> File:
    return File(Path(name), name, document)


def with_conditions(runs: list[Run], **conditions: Any) -> list[Run]:
    return [dataclasses.replace(run, conditions={**run.conditions, **conditions}) for run in runs]


def subjects(telling: Telling) -> list[list[str]]:
    return [[line.subject for b in told.blocks for line in b.lines] for told in telling.told]


def test_runs_of_one_cell_in_two_files_count_together() -> None:
    early, late = made.runs_of(repetitions=3), made.runs_of(repetitions=6)[9:]
    files = [a_file("a.json", made.document(early)), a_file("b.json", made.document(late))]
    told = tell(files, as_change=False).told
    assert len(told) == 1
    assert {line.runs for line in told[0].blocks[0].lines} == {6}


def test_a_run_that_stands_in_two_files_counts_once() -> None:
    runs = made.runs_of(repetitions=3)
    files = [a_file("a.json", made.document(runs)), a_file("b.json", made.document(runs[:4]))]
    telling = tell(files, as_change=False)
    assert len(telling.told[0].document.runs) == 9
    assert "4 runs stood in two files and count once" in telling.notes


def test_runs_of_other_hosts_are_not_compared() -> None:
    host = {"cpu": "Another CPU", "cpus": 2, "system": "Test Linux 1"}
    files = [
        a_file("a.json", made.document(made.runs_of(("kernel", "simple")))),
        a_file("b.json", made.document(made.runs_of(("kernel", "interactive")), host=host)),
    ]
    telling = tell(files)
    assert subjects(telling) == [["kernel", "simple"], ["kernel", "interactive"]]
    assert [told.label for told in telling.told] == ["a.json", "b.json"]
    assert "different hosts (cpu: Test CPU 3000, Another CPU)" in telling.notes[0]


def test_exact_runs_of_other_hosts_are_the_same_runs() -> None:
    host = {"cpu": "Another CPU"}
    files = [
        a_file("a.json", made.document(made.runs_of(("kernel",)), "exact")),
        a_file("b.json", made.document(made.runs_of(("simple",)), "exact", host=host)),
    ]
    assert subjects(tell(files)) == [["kernel", "simple"]]


def test_the_hosts_load_is_no_other_host() -> None:
    files = [
        a_file("a.json", made.document(made.runs_of(), host={"cpu": "A", "load": 0.1})),
        a_file("b.json", made.document(made.runs_of(cpus=(4,)), host={"cpu": "A", "load": 9.0})),
    ]
    assert len(put_together(files)[0]) == 1


def test_another_object_of_the_same_name_is_a_subject_of_its_own() -> None:
    old = made.runs_of(("kernel", "simple"), repetitions=4)
    new = with_conditions(made.runs_of(("simple",), repetitions=8)[4:], object_sha256="f" * 64)
    files = [a_file("a.json", made.document(old)), a_file("b.json", made.document(new))]
    telling = tell(files)
    assert subjects(telling) == [["kernel", "simple", "simple [b.json]"]]
    assert "simple in b.json is another object" in telling.notes[0]


def test_kernels_that_differ_are_told() -> None:
    files = [
        a_file("a.json", made.document(made.runs_of())),
        a_file("b.json", made.document(made.runs_of(kernel="6.16.12"))),
    ]
    telling = tell(files)
    assert "kernels differ: 6.16.12, 7.3.4; each is compared by itself" in telling.notes
    assert len(telling.told[0].blocks) == 2


def test_metrics_that_mean_different_things_are_refused(tmp_path: Path) -> None:
    other = {"wakeup": {"metrics": {"p99_ns": made.metric("us", "less", "latency")}}}
    write(tmp_path / "a.json", made.document(made.runs_of()))
    write(tmp_path / "b.json", made.document(made.runs_of(), workloads=other))
    with pytest.raises(WrongUse, match="p99_ns of wakeup is not the same thing"):
        read_all([tmp_path / "a.json", tmp_path / "b.json"])


def test_files_of_one_name_are_told_apart_by_their_path(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "a.json", made.document(made.runs_of()))
    files = read_all([tmp_path / "one" / "a.json", tmp_path / "two" / "a.json"])
    assert [file.label for file in files] == [str(file.path) for file in files]


def test_a_baseline_that_only_one_set_has_is_that_sets() -> None:
    files = [
        a_file("a.json", made.document(made.runs_of(("kernel", "simple")))),
        a_file("b.json", made.document(made.runs_of(("kernel", "nest")), host={"cpu": "B"})),
    ]
    blocks = [told.blocks[0] for told in tell(files, "nest").told]
    assert [block.baseline for block in blocks] == ["kernel", "nest"]


def test_a_change_is_that_of_each_cell_alone() -> None:
    before = a_file("old.json", made.document(made.runs_of(repetitions=8)))
    runs = made.runs_of(("kernel", "interactive"), repetitions=8)
    runs += made.runs_of(("simple",), repetitions=8, factor=2.0)
    found = change(before, a_file("new.json", made.document(runs)))
    verdicts = {(r.subject, r.metric): r.difference.verdict for r in found.rows if r.difference}
    assert verdicts["simple", "p50_ns"] == "worse"
    assert {v for (subject, _), v in verdicts.items() if subject != "simple"} == {
        "no difference seen"
    }


def test_a_change_of_kernel_is_told_and_matched() -> None:
    before = a_file("old.json", made.document(made.runs_of()))
    after = a_file("new.json", made.document(made.runs_of(kernel="7.4.0")))
    found = change(before, after)
    assert len(found.rows) == 3 * len(made.WORKLOADS["wakeup"]["metrics"])
    assert "kernel: 7.3.4, 7.4.0" in found.differing
    assert {row.cell.kernel for row in found.rows} == {"7.4.0"}


def test_a_change_tells_which_objects_are_others() -> None:
    runs = made.runs_of()
    after = with_conditions(runs, object_sha256="f" * 64)
    found = change(
        a_file("old.json", made.document(runs)), a_file("new.json", made.document(after))
    )
    assert "object of simple: simple000000, ffffffffffff" in found.differing


def test_cells_without_counterpart_are_named() -> None:
    before = a_file("old.json", made.document(made.runs_of(("kernel", "simple"))))
    after = a_file("new.json", made.document(made.runs_of(("kernel", "nest"))))
    telling = tell([before, after], as_change=True)
    notes = "\n".join(telling.notes)
    assert "only in the first, and not compared: simple (wakeup" in notes
    assert "only in the second, and not compared: nest (wakeup" in notes


def test_runs_without_figures_are_told_of_both_files() -> None:
    before = a_file("old.json", made.document([*made.runs_of(), made.lost(made.cell(), 99)]))
    after = a_file("new.json", made.document([*made.runs_of(), made.lost(made.cell("simple"), 99)]))
    found = tell([before, after], as_change=True).told[0].unusable
    assert {one.cell.subject for one in found} == {"kernel (before)", "simple"}


def test_plots_of_a_change_show_runs_of_both_files() -> None:
    before = a_file("old.json", made.document(made.runs_of()))
    after = a_file("new.json", made.document(made.runs_of(kernel="7.4.0")))
    told = tell([before, after], as_change=True).told[0]
    assert {run.cell.kernel for run in told.drawn.runs} == {"7.4.0"}
    assert {line.subject for block in told.drawn_blocks for line in block.lines} == {
        *("kernel", "interactive", "simple"),
        *("kernel (before)", "interactive (before)", "simple (before)"),
    }
