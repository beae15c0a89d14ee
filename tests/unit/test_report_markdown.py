"""The summary for an issue thread: short, and it pings, links and formats nothing of a file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.unit import made_results as made
from vm.report.files import File
from vm.report.markdown import fenced, markdown, plain
from vm.report.told import tell
from vm.results.model import Document


def summary(document: Document) -> str:
    file = File(Path("a.json"), "a.json", document)
    return markdown(tell([file]), [file])


def test_it_has_tables_conditions_and_the_command() -> None:
    text = summary(made.document([*made.runs_of(repetitions=10), made.lost(made.cell("nest"), 1)]))
    assert "| scheduler | p99 ms | p50 µs | p99.9 ms | max ms |" in text
    assert "|---|---:|---:|---:|---:|" in text
    assert "**wakeup · full load · 2 CPUs · kernel 7.3.4** (against kernel; 0 to 10 runs" in text
    assert "| simple | 9.25 " in text
    assert "▼ 6.4×" in text
    assert "- nest · wakeup · full load · 2 CPUs · kernel 7.3.4: 1 run ejected: stalled" in text
    assert "host: CPU: Test CPU 3000" in text
    assert (
        "Objects (SHA-256): interactive interactive0, nest nest00000000, simple simple000000"
        in text
    )
    assert text.endswith("```sh\nscxhid bench run --sched kernel,simple -o 'a file.json'\n```\n")


def test_every_row_of_a_table_has_the_same_cells() -> None:
    rows = [line for line in summary(made.everything(3, 3)).splitlines() if line.startswith("|")]
    widths = {line.replace(r"\|", "").count("|") for line in rows}
    assert widths <= {3, 4, 5, 6}
    assert len(rows) > 20


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("<img src=x>", "&lt;img src=x>"),
        ("@someone", "&#64;someone"),
        ("#7", r"\#7"),
        ("[a](b)", r"\[a\](b)"),
        ("`x`", r"\`x\`"),
        ("two\nlines\x1b[31m", r"two lines \[31m"),
        ("see https://e.org", "see https:&#47;&#47;e.org"),
        ("&amp;", "&amp;amp;"),
    ],
)
def test_what_a_file_says_is_only_text(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_command_cannot_end_its_block() -> None:
    assert fenced("a ``` b") == "````sh\na ``` b\n````"


def test_a_hostile_scheduler_stays_in_its_cell() -> None:
    cell = dataclasses.replace(made.cell(), scheduler="x |\n| y @all <b> `")
    text = summary(made.document([made.run(cell)]))
    rows = [line for line in text.splitlines() if line.startswith("| x")]
    assert len(rows) == 1
    assert "@" not in rows[0]
    assert "<" not in rows[0].replace("&lt;", "")
