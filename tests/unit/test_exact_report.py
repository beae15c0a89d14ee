"""The guest's report: read whole or refused, and compared sample by sample."""

from __future__ import annotations

import pytest

from vm.errors import VmError
from vm.exact.report import first_difference, parse

TEXT = """\
kernel 7.3.4
seed 1
phase loaded
window 0 1000 20
hog 0 490 480000
hog 1 500 490000
swap 300 40 2
wake 100 7
wake 250 9
said a line of another program
end
"""


def test_a_report_is_read_into_phases() -> None:
    report = parse(TEXT.encode())
    assert report.kernel == "7.3.4"
    phase = report.phases["loaded"]
    assert phase.due_ns == [100, 250]
    assert phase.late_ns == [7, 9]
    assert phase.swaps == [(300, 40, 2)]
    assert phase.windows[0].hogs == [(0, 490), (1, 500)]
    assert phase.windows[0].instructions == [480000, 490000]
    assert report.said == ["a line of another program"]


@pytest.mark.parametrize("line", ["wake 1", "wake x 3", "hog 0 1", "what 1", "phase", ""])
def test_a_broken_line_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(VmError, match=r"line 2 of the guest's report is broken"):
        parse(f"kernel 7\n{line}\nend\n".encode())


def test_equal_reports_do_not_differ() -> None:
    assert first_difference(parse(TEXT.encode()), parse(TEXT.encode())) == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("wake 250 9", "wake 250 10", "sample 1 of phase loaded was 9 ns and then 10 ns"),
        ("wake 250 9\n", "", "sample 1 of phase loaded was 9 ns and then missing"),
        ("wake 250 9", "wake 251 9", "when the alarms of phase loaded were due differs"),
        ("hog 0 490", "hog 0 491", "the CPU times of phase loaded differ"),
        ("swap 300", "swap 301", "the swaps of phase loaded differ"),
        ("a line", "no line", "the program said 'a line of another program' and then"),
        ("seed 1", "seed 2", "something other than a sample differs"),
    ],
)
def test_the_first_difference_is_named(old: str, new: str, said: str) -> None:
    other = parse(TEXT.replace(old, new).encode())
    assert said in first_difference(parse(TEXT.encode()), other)
