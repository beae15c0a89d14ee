"""``check`` loads and lets go: what the verifier of this very kernel says, and nothing attached."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guest import kernel
from tests.guest.command import done, scxhid
from tests.guest.conftest import Program

PROGRAMS = Path(__file__).parents[1] / "programs"
# The verifier follows a million steps of refused_too_long: minutes under emulation.
REFUSED = sorted(
    path.name.split(".")[0]
    for path in PROGRAMS.glob("refused*.bpf.c")
    if path.name != "refused_too_long.bpf.c"
)


def test_a_good_one_is_loaded_and_let_go(simple: str) -> None:
    before, objects = kernel.enable_seq(), kernel.settled_bpf_objects()
    assert done("check", simple).out.startswith("simple: ")
    assert (kernel.state(), kernel.enable_seq()) == ("disabled", before)
    kernel.wait_for("it to be freed", lambda: kernel.bpf_objects() == objects)


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_shows_the_program_and_the_reason(program: Program, name: str) -> None:
    outcome = scxhid("check", program(name))
    assert outcome.status == 1
    assert f" of {name}: " in outcome.err.splitlines()[-1]
    if name != "refused_stack":  # the kernel names no line for the sum of two functions' stacks
        assert " --> " in outcome.err
    assert "BEGIN PROG LOAD LOG" not in outcome.err + outcome.out


def test_the_whole_log_comes_on_request(program: Program) -> None:
    assert "BEGIN PROG LOAD LOG" in scxhid("check", program("refused"), "--log").out
