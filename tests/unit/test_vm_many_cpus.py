"""The bare machine with many CPUs: what its loader is told, and how its report is read."""

from __future__ import annotations

import pytest

from vm import many_cpus
from vm.errors import VmError

REPORT = """kernel 7.3.4
program /crowd
said hog\t100\t20000\t0
said sleep\t50\t700000\t0
said floor,cpu=1\t50\t90000\t0
{}program /crowd
said hog\t100\t4000000\t0
said floor,cpu=1\t50\t500000\t0
end
"""


@pytest.fixture(scope="module")
def both() -> list[many_cpus.Subject]:
    return many_cpus.subjects(["simple"])


def test_each_way_of_attaching_gets_its_turn(both: list[many_cpus.Subject]) -> None:
    assert [what.mode for what in both] == ["direct", "hosted"]
    lines = many_cpus.plan(both, 64).splitlines()
    verbs = [line.split()[0] for line in lines]
    assert verbs == [
        *("sleep", "watchdog", "direct", "run", "detach"),
        *("host", "set", "policy", "switch", "run", "detach"),
    ]
    assert lines[3].startswith("run /crowd 4 64xhog ")


def test_the_task_that_waited_longest_is_told(both: list[many_cpus.Subject]) -> None:
    stays = many_cpus.read_report(REPORT.format(""), both)
    assert stays[0] == many_cpus.Stay("simple direct", 2, 700_000, "sleep", 90_000)
    outcome = many_cpus.Outcome("7.3.4", 64, "tcg", 25.0, 136.0, tuple(stays))
    [sentence] = outcome.kept_waiting()
    assert sentence.startswith("simple hosted: hog was kept waiting for 4.00 s (the machine itself")


def test_the_scheduler_that_failed_is_named(both: list[many_cpus.Subject]) -> None:
    with pytest.raises(VmError, match="simple hosted failed: the kernel refused it"):
        many_cpus.read_report(REPORT.format("error the kernel refused it\n"), both)


def test_one_that_was_thrown_out_under_its_load_is_named(both: list[many_cpus.Subject]) -> None:
    said = "error simple was thrown out: runnable task stall: crowd did not run\n"
    with pytest.raises(VmError, match="simple direct failed: simple was thrown out: runnable"):
        many_cpus.read_report(REPORT.format(said), both)


def test_a_report_that_stops_is_no_success(both: list[many_cpus.Subject]) -> None:
    half = REPORT.format("").split("program", 2)
    with pytest.raises(VmError, match="1 of 2"):
        many_cpus.read_report("program".join(half[:2]), both)


def test_a_task_treated_wrongly_is_an_error(both: list[many_cpus.Subject]) -> None:
    with pytest.raises(VmError, match=r"went wrong.*'hog'"):
        many_cpus.read_report(REPORT.format("").replace("20000\t0", "20000\t1"), both)
