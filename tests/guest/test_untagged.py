"""A scheduler made elsewhere: no tags, a name with dots, exit information of its own kind."""

from __future__ import annotations

import pytest

from tests.guest import kernel
from tests.guest.command import done, sched_status, scxhid, use
from tests.guest.conftest import Program

NAME = "foreign_0.9.1"


@pytest.fixture
def untagged(program: Program) -> str:
    return program("no_tags")


def test_it_runs_under_its_own_name(untagged: str) -> None:
    assert use(untagged).out.startswith(f"{NAME} runs (direct): ")
    assert kernel.ops() == NAME
    found = sched_status()
    assert (found["mode"], found["ops"], found["policy"]) == ("direct", NAME, NAME)


def test_its_variables_are_shown_and_set(untagged: str) -> None:
    use(untagged, "nr_layers=4", "busy_percent=30")
    shown = done("sched", "knobs").out
    for name in ("slice_ns", "nr_layers", "mode", "busy_percent", "nr_enqueues"):
        assert name in shown
    assert done("sched", "set", "busy_percent=70").out == "busy_percent: 30 → 70\n"
    found = done("sched", "knobs", "--json").json
    assert found["busy_percent"] == {"value": 70, "type": "u32", "live": True}
    assert (found["nr_layers"]["value"], found["nr_layers"]["live"]) == (4, False)
    assert kernel.ops() == NAME


def test_its_constants_are_set_by_a_swap(untagged: str) -> None:
    use(untagged, "nr_layers=4")
    outcome = done("sched", "set", "slice_ns=2000000")
    assert outcome.out.startswith("slice_ns: 10000000 → 2000000\n")
    rows = {line.split()[0]: line.split()[1] for line in done("sched", "knobs").out.splitlines()}
    assert (rows["slice_ns"], rows["nr_layers"]) == ("2000000", "4")


@pytest.mark.parametrize("setting", ["nr_layers=-1", "smt_enabled=perhaps", "nr_layer=3"])
def test_a_bad_value_changes_nothing(untagged: str, setting: str) -> None:
    use(untagged)
    before = kernel.enable_seq()
    assert scxhid("sched", "set", setting).status == 2
    assert (kernel.ops(), kernel.enable_seq()) == (NAME, before)


@pytest.mark.ejects
def test_its_exit_is_read_where_it_records_it(untagged: str, simple: str) -> None:
    # nr_layers=0 would divide by zero, which BPF defines as 0: the kernel then takes its default
    use(untagged)
    use(simple)
    event = next(e for e in done("sched", "log", "--json").json if e["event"] == "stopped")
    assert event["name"] == NAME
    assert event["exit"]["kind_name"] == "unreg"


def test_stop_and_back(untagged: str) -> None:
    use(untagged)
    assert done("sched", "stop").out.startswith(f"{NAME} is off")
    done("sched", "back")
    assert kernel.ops() == NAME
