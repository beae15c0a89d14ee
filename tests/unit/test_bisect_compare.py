"""Which callback differs, on which lines, and how it is said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from vm.exact.bisect.account import Callback, Code, Line
from vm.exact.bisect.compare import Row, rows, sentence, shown_share
from vm.exact.bisect.lines import line_rows
from vm.exact.bisect.measure import Measured
from vm.exact.bisect.table import lines, table

THRESHOLD = 0.001
OLD, NEW = Code("aa", 1500, 300, 380), Code("bb", 1600, 330, 400)


def run(seed: int = 1, **found: tuple[int, int, Code]) -> Measured:
    """Each callback by calls, instructions, code."""
    called = {name: Callback(calls, n, {}, code) for name, (calls, n, code) in found.items()}
    return Measured(seed, called, 10**9, "", 1.0, ())


def compared(
    a: Mapping[str, tuple[int, int, Code]], b: Mapping[str, tuple[int, int, Code]]
) -> list[Row]:
    return rows([run(**a)], [run(**b)], THRESHOLD)


def test_one_that_costs_more_is_named_with_its_figures() -> None:
    found = compared(
        {"enqueue": (10, 4120, OLD), "dispatch": (10, 500, OLD)},
        {"enqueue": (12, 5100, NEW), "dispatch": (11, 550, OLD)},
    )
    assert [(row.name, row.verdict) for row in found] == [("enqueue", "more"), ("dispatch", "same")]
    assert sentence(found, THRESHOLD) == (
        "enqueue costs 3.2 % more (412.0 → 425.0 instructions a call); all others are the same"
    )


def test_the_same_code_that_costs_otherwise_is_told_apart() -> None:
    found = compared(
        {"enqueue": (10, 1000, OLD), "dispatch": (10, 1000, OLD)},
        {"enqueue": (10, 1010, NEW), "dispatch": (10, 960, OLD)},
    )
    assert sentence(found, THRESHOLD) == (
        "enqueue costs 1.0 % more (100.0 → 101.0 instructions a call); dispatch costs 4.0 % less"
        " (100.0 → 96.0 instructions a call) though its code is the same: what it is called for"
        " differs, or its data"
    )


def test_nothing_but_comments_changed() -> None:
    same = {"enqueue": (10, 1000, OLD)}
    assert "the code of all callbacks is the same" in sentence(compared(same, same), THRESHOLD)


def test_other_code_that_costs_the_same_is_told() -> None:
    found = compared({"enqueue": (10, 1000, OLD)}, {"enqueue": (10, 1000, NEW)})
    assert "no callback differs by more than 0.1 %, though the code of enqueue" in sentence(
        found, THRESHOLD
    )


def test_a_callback_that_only_one_has_is_told() -> None:
    found = compared({"tick": (1, 9, OLD)}, {"enqueue": (1, 9, OLD)})
    assert sentence(found, THRESHOLD) == "enqueue was called in B only; tick was called in A only"


def test_what_the_seeds_do_not_agree_on_is_no_difference() -> None:
    a = [run(seed, enqueue=(10, 1000, OLD)) for seed in (1, 2, 3)]
    b = [run(seed, enqueue=(10, n, NEW)) for seed, n in ((1, 990), (2, 1020), (3, 1030))]
    (row,) = rows(a, b, THRESHOLD)
    assert row.ratio == (1.02, 0.99, 1.03)
    assert row.verdict == "same"


def test_a_difference_below_the_threshold_is_none() -> None:
    a, b = {"enqueue": (1, 100_000, OLD)}, {"enqueue": (1, 100_090, NEW)}
    assert compared(a, b)[0].verdict == "same"
    assert rows([run(**a)], [run(**b)], 0.0005)[0].verdict == "more"


def test_ratios_are_taken_seed_by_seed() -> None:
    a = [run(1, enqueue=(1, 100, OLD)), run(2, enqueue=(1, 1000, OLD))]
    b = [run(1, enqueue=(1, 110, NEW)), run(2, enqueue=(1, 1100, NEW))]
    (row,) = rows(a, b, THRESHOLD)
    assert row.ratio == pytest.approx((1.1, 1.1, 1.1))


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.001, "0.1 %"), (0.00123, "0.12 %"), (0.031, "3.1 %"), (0.25, "25 %"), (0.0, "0 %")],
)
def test_shares_are_shown_with_two_figures(share: float, shown: str) -> None:
    assert shown_share(share) == shown


def test_the_table_marks_those_that_differ() -> None:
    found = compared(
        {"enqueue": (10, 4120, OLD), "dispatch": (10, 500, OLD)},
        {"enqueue": (12, 5100, NEW), "dispatch": (10, 500, OLD)},
    )
    head, enqueue, dispatch, _ = table(found).splitlines()
    assert head.split()[:4] == ["callback", "calls", "A", "B"]
    assert enqueue.split()[:8] == [">", "enqueue", "10", "→", "12", "412.0", "425.0", "+3.16"]
    assert enqueue.endswith("300 → 330")
    assert " ".join(dispatch.split()) == "dispatch 10 50.0 50.0 0 0.0 0.0 0.000 % same"


def sources(tmp_path: Path, a: str, b: str) -> tuple[str, str]:
    paths: list[str] = []
    for folder, text in (("a", a), ("b", b)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.bpf.c").write_text(text)
        paths.append(str(tmp_path / folder / "mine.bpf.c"))
    return paths[0], paths[1]


def by_lines(a: Mapping[Line, int], b: Mapping[Line, int]) -> Row:
    """A callback that was called twice, in two versions."""
    before = Callback(2, 100, a, OLD, {"kick": 2, "insert": 2})
    after = Callback(2, 120, b, NEW, {"insert": 3, "kick": 2})
    one = Measured(1, {"enqueue": before}, 10**9, "", 1.0, ())
    other = Measured(1, {"enqueue": after}, 10**9, "", 1.0, ())
    return rows([one], [other], THRESHOLD)[0]


def test_lines_are_matched_by_what_they_say_not_by_their_numbers(tmp_path: Path) -> None:
    a, b = sources(tmp_path, "first\nlast\n", "first\n/* why */\n  more();\nlast\n")
    row = by_lines({(a, 1): 20, (a, 2): 10}, {(b, 1): 20, (b, 3): 16, (b, 4): 10, (b, 0): 2})
    found = [(line.a_line, line.b_line, line.difference, line.text) for line in line_rows(row)]
    assert found == [
        (0, 3, 8.0, "more();"),
        (0, 0, 1.0, ""),
        (1, 1, 0.0, "first"),
        (2, 4, 0.0, "last"),
    ]
    assert lines(row).splitlines() == [
        "enqueue, instructions a call by line of the source:",
        "    +8.00  mine.bpf.c:3 (B)  more();",
        "    +1.00  mine.bpf.c  made by the compiler for no line",
        "    +1.00  in the kernel's functions that it calls",
        "  calls insert 1.00 → 1.50 times a call",
    ]


def test_the_source_may_have_another_name_in_the_other_version(tmp_path: Path) -> None:
    (tmp_path / "old.bpf.c").write_text("first\n")
    (tmp_path / "new.bpf.c").write_text("/* more */\nfirst\n")
    a, b = str(tmp_path / "old.bpf.c"), str(tmp_path / "new.bpf.c")
    row = by_lines({(a, 1): 20, ("/x/q.h", 7): 4}, {("/y/q.h", 7): 6, (b, 2): 22})
    found = [(line.file, line.a_line, line.b_line, line.difference) for line in line_rows(row)]
    assert found == [("new.bpf.c", 1, 2, 1.0), ("q.h", 7, 7, 1.0)]


def test_a_line_that_is_gone_is_told_as_such(tmp_path: Path) -> None:
    a, b = sources(tmp_path, "first\nslow();\n", "first\n")
    row = by_lines({(a, 1): 20, (a, 2): 10}, {(b, 1): 20})
    assert "    -5.00  mine.bpf.c:2 (A)  slow();" in lines(row).splitlines()


def test_lines_of_a_source_that_is_not_here_go_by_number() -> None:
    row = by_lines({("/nowhere/mine.c", 3): 20}, {("/elsewhere/mine.c", 3): 22})
    assert [(x.a_line, x.b_line, x.difference) for x in line_rows(row)] == [(3, 3, 1.0)]
