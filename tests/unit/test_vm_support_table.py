"""The table of supported kernels: one list of series, rows from runs and from nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyloader.errors import WrongUse
from vm import support_table
from vm.guest_tests import Outcome
from vm.supported import SERIES

ROOT = Path(__file__).resolve().parents[2]

JUNIT = """<testsuites><testsuite>
  <testcase classname="tests.guest.test_library" name="test_it_starts_and_stops[simple-hosted]"/>
  <testcase classname="tests.guest.test_library" name="test_it_starts_and_stops[simple-direct]"/>
  <testcase classname="tests.guest.test_library" name="test_hotplug[simple-direct-hotplug]">
    <failure message="starved"/></testcase>
  <testcase classname="tests.guest.test_library" name="test_it_starts_and_stops[nest-hosted]"/>
  <testcase classname="tests.guest.test_swap" name="test_other[central-hosted]"/>
  <testcase classname="tests.guest.test_compat" name="test_a_fallback">
    <properties><property name="missing_in_kernel" value="scx_bpf_dsq_reenq"/></properties>
  </testcase>
  <testcase classname="tests.guest.test_knobs" name="test_one"><skipped message="no | here"/>
  </testcase>
</testsuite></testsuites>"""

PAGE = """# Kernels
<!-- table: scxhid vm test --kernel all -->
| Series |
| 6.18 | an older row |
<!-- end of table -->
the rest
"""


@pytest.fixture
def outcome(tmp_path: Path) -> Outcome:
    junit, log = tmp_path / "guest.xml", tmp_path / "guest.log"
    junit.write_text(JUNIT)
    log.write_text(
        "[    0.000000] Linux version 7.3.4+deb13-amd64 (a@b) (gcc (Debian 14.2.0-19) 14.2.0)"
        " #1 SMP PREEMPT_DYNAMIC Debian 7.3.4-1~bpo13+1 (2026-11-15)\n"
    )
    return Outcome("7.3.4+deb13-amd64", 1, 5, 1, 1, 60.0, 9.0, "tcg", junit, log, ())


def test_the_page_has_a_row_for_each_supported_series_and_no_other() -> None:
    page = (ROOT / support_table.PAGE).read_text()
    assert tuple(support_table.rows_of(page)) == SERIES


def test_a_row_says_what_the_run_said(outcome: Outcome) -> None:
    assert support_table.row(outcome, (), "2026-11-22") == (
        "| 7.3 | 7.3.4+deb13-amd64 | 7.3.4-1~bpo13+1 | 2026-11-22 | all | 5 | 1 | 1"
        " | nest, simple | **not simple** | scx_bpf_dsq_reenq; no \\| here |"
    )


def test_a_part_of_the_tests_is_called_that(outcome: Outcome) -> None:
    words = ("--no-skip", "-m", "smoke")
    assert "| `-m smoke` |" in support_table.row(outcome, words, "2026-11-22")
    assert "| all |" in support_table.row(outcome, ("--no-skip", "-v"), "2026-11-22")


def test_a_row_replaces_its_own_and_leaves_the_others(outcome: Outcome, tmp_path: Path) -> None:
    page = tmp_path / support_table.PAGE
    page.parent.mkdir(parents=True)
    page.write_text(PAGE)
    for _ in range(2):
        support_table.write(tmp_path, [outcome], (), "2026-11-22")
    text = page.read_text()
    rows = support_table.rows_of(text)
    assert tuple(rows) == SERIES
    assert rows["6.18"] == "| 6.18 | an older row |"
    assert "5 | 1 | 1" in rows["7.3"]
    assert "not tested" in rows["6.16"]
    assert text.startswith("# Kernels\n")
    assert text.endswith("the rest\n")


def test_a_page_without_its_markers_is_refused(outcome: Outcome, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="no place for the table"):
        support_table.write(tmp_path, [outcome], (), "2026-11-22")


def test_a_lost_machine_has_no_counts(outcome: Outcome, tmp_path: Path) -> None:
    lost = Outcome(
        *(outcome.kernel, 124, 0, 0, 0, 9.0, 0.0, "", tmp_path / "none", outcome.log, ()),
        lost="it panicked",
    )
    row = support_table.row(lost, (), "2026-11-22")
    assert "| all (machine lost) | – | – | – | – | – | – |" in row
