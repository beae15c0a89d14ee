"""What a scheduler's programs did, as the guest and the plugin write it down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm.errors import VmError
from vm.exact.bisect.account import Callback, callbacks, counted, own_by_line, windows
from vm.exact.bisect.measure import Measured, first_difference
from vm.exact.report import parse

REPORT = """\
kernel 7.3.4
programs subject 2000000000
prog mine_enqueue 10 3000 120 80 14 0123456789abcdef
code ffffffffc0001000 32
code ffffffffc0002000 16
line ffffffffc0001000 20 0 /a/mine.bpf.c
line ffffffffc0001008 21 2 /a/mine.bpf.c
line ffffffffc0002000 7 9 /a/a header.h
prog mine_init 0 0 120 80 14 0123456789abcdef
call ffffffffc000100c scx_bpf_dsq_insert
call ffffffffc0002004 scx_bpf_kick_cpu
call ffffffffc0002008 scx_bpf_kick_cpu
call ffffffffc0009000 of_another_program
programs empty 100000000
prog empty_running 4 400 23 8 1 e142
code ffffffffc0003000 16
line ffffffffc0003000 12 0 /b/empty.bpf.c
end
"""
COUNTS = """\
ffffffffc0001008 30
ffffffffc0001000 10
ffffffffc000100c 10
ffffffffc0002004 5
ffffffff81000000 99
end
ffffffffc0003000 4
ffffffffc0003004 16
end
"""
MEMBERS = {"mine_enqueue": "enqueue"}


def read(report: str = REPORT, counts: str | None = COUNTS, **more: bool) -> dict[str, Callback]:
    tables = None if counts is None else counted(counts)
    return callbacks(windows(report.encode()), tables, MEMBERS, **more)


def test_a_callback_bears_the_name_that_it_has_in_the_ops() -> None:
    assert list(read()) == ["enqueue"]  # what was never called is not there
    assert read()["enqueue"].calls == 10


def test_the_cost_of_keeping_the_account_is_taken_off() -> None:
    # An empty callback: 100 a call, of which 5 are its own. So 95 are the account's.
    assert read()["enqueue"].instructions == 3000 - 10 * 95


def test_without_the_plugin_all_of_an_empty_callback_is_taken_off() -> None:
    found = read(counts=None)["enqueue"]
    assert found.instructions == 3000 - 10 * 100
    assert found.own is None
    assert found.own_instructions is None


def test_instructions_are_told_by_line_and_others_left_out() -> None:
    found = read()["enqueue"]
    expected = {("/a/mine.bpf.c", 20): 10, ("/a/mine.bpf.c", 21): 40, ("/a/a header.h", 7): 5}
    assert found.own == expected
    assert found.own_instructions == 55


def test_functions_of_the_kernel_are_told_by_how_often_they_were_called() -> None:
    assert read()["enqueue"].kernel_calls == {"scx_bpf_dsq_insert": 10, "scx_bpf_kick_cpu": 5}


def test_where_cpus_take_turns_only_own_instructions_count() -> None:
    assert read(own_only=True)["enqueue"].instructions == 55


def test_an_account_that_is_not_exact_is_refused() -> None:
    with pytest.raises(VmError, match="did not always cost the same"):
        read(REPORT.replace("empty_running 4 400", "empty_running 4 401"))


def test_a_report_without_the_account_is_refused() -> None:
    with pytest.raises(VmError, match="lacks its account"):
        read(REPORT.split("programs empty")[0])


@pytest.mark.parametrize(
    "line",
    [
        "programs subject",
        "programs subject x",
        "prog mine 1 2 3",
        "code zz 3",
        "line 10 x 0 /a",
        "line 10 3 0",
        "call zz a",
        "call 10",
    ],
)
def test_a_broken_line_is_refused_with_its_number(line: str) -> None:
    report = f"programs subject 5\nprog mine 1 2 3 4 5 ab\n{line}\n"
    with pytest.raises(VmError, match=r"line 3 of the guest's report is broken"):
        windows(report.encode())


def test_other_readers_of_the_report_pass_the_account_over() -> None:
    assert parse(REPORT.encode()).kernel == "7.3.4"


@pytest.mark.parametrize("text", ["ffffffffc0001000\n", "zz 3\nend\n"])
def test_counts_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(VmError, match="makes no sense"):
        counted(text)


def test_counts_that_end_too_early_are_refused() -> None:
    with pytest.raises(VmError, match="too large"):
        counted("ffffffffc0001000 3\n")


@given(
    st.dictionaries(st.integers(0xFFFFFFFFC0001000, 0xFFFFFFFFC0001020), st.integers(1, 1 << 40))
)
def test_no_instruction_of_a_program_is_lost_or_counted_twice(times: dict[int, int]) -> None:
    (program, *_) = windows(REPORT.encode())["subject"].programs
    (table,) = counted("".join(f"{at:x} {n}\n" for at, n in times.items()) + "end\n")
    inside = sum(n for at, n in times.items() if at < 0xFFFFFFFFC0001020)
    assert sum(own_by_line(program, table).values()) == inside


def measured(report: str = REPORT, sha256: str = "one", counts: str = COUNTS) -> Measured:
    return Measured(1, read(report, counts), 2_000_000_000, sha256, 9.0, ())


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (measured(), ""),
        (measured(sha256="another"), "something other than a count differs"),
        (
            measured(REPORT.replace("enqueue 10 3000", "enqueue 11 3000")),
            "enqueue was called 10 times and then 11 times",
        ),
        (
            measured(REPORT.replace("enqueue 10 3000", "enqueue 10 3001")),
            "enqueue took 2,050 instructions and then 2,051",
        ),
        (measured(REPORT.replace("enqueue 10 ", "enqueue 0 ")), "called in one of them only"),
        (measured(counts=COUNTS.replace("08 30", "08 31")), "its own instructions otherwise"),
    ],
)
def test_the_gate_names_the_first_count_that_differs(other: Measured, said: str) -> None:
    found = first_difference(measured(), other)
    assert said in found if said else not found
