"""A device that is unplugged while a command is at work on it, or while its keys are held."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.guest import kernel
from tests.guest.command import Outcome, done, scxhid
from tests.guest.conftest import Program
from tests.guest.hid import Plugged
from tests.guest.hid_reports import after, mouse_report, reader, through
from tests.guest.steps import before_each_step, deciding, steps_of, worth_killing
from tests.hid_descriptors import KEYBOARD, MOUSE

PINS = Path("/sys/fs/bpf/scxhid/hid")
THEIR_PINS = Path("/sys/fs/bpf/hid")
STAGE = Path("/sys/fs/bpf/scxhid/hid-udev")

RULES = """
[keys]
capslock = "leftctrl"
f = { hold = "leftshift", tap = "f", timeout_ms = 60 }
[combo]
"j+k" = { to = "esc", within_ms = 60 }
"""
MORE_KEYS = '[keys]\nf9 = "playpause"\n'


def pins() -> list[Path]:
    return [pin for root in (PINS, THEIR_PINS, STAGE) for pin in kernel.pins(root)]


def unplugged_before(number: int, plugged: Plugged, *words: str) -> Outcome:
    """Run the command; the device goes just before its step ``number``."""
    left = [number]

    def act(_: str) -> None:
        if left[0] == 0:
            plugged.close()
        left[0] -= 1

    with before_each_step(act):
        outcome = scxhid(*words)
    # How often the kernel is looked at while a driver takes the device is not always the same.
    assert left[0] < 0 or outcome.status == 0, f"step {number} was not reached: {outcome}"
    return outcome


def assert_told(outcome: Outcome, plugged: Plugged, when: str) -> None:
    """It failed in one sentence that names the reason, and nothing is left; or it was through."""
    if outcome.status == 0:
        return
    assert outcome.status == 1, f"{when}: {outcome}"
    assert len(outcome.err.splitlines()) == 1, f"{when}: {outcome.err}"
    assert plugged.sysname in outcome.err, when
    assert "has been unplugged" in outcome.err, f"{when}: {outcome.err}"
    assert pins() == [], when


def assert_all_goes_on() -> None:
    """The next device and the next command work, and nothing is left of the last one."""
    assert done("status", "--json").json["hid"] == []
    assert done("hid", "list", "--json").json["devices"] == []
    with Plugged("The next one", MOUSE) as mouse:
        assert mouse.is_bound()
        done("hid", "attach", "wheel", "--device", mouse.sysname, "scale=2000")
        folder = mouse.sysname.replace(":", "_").replace(".", "_")
        assert [path.name for path in PINS.iterdir()] == [folder]
        with reader(mouse) as fd:
            assert through(mouse, fd, mouse_report(wheel=1)) == mouse_report(wheel=2)
        done("hid", "detach", mouse.sysname)
    assert pins() == []


def try_each(
    rdesc: bytes,
    words: tuple[str, ...],
    choose: Callable[[list[str]], list[int]],
    before: tuple[str, ...] = (),
) -> list[int]:
    """Unplug it before each of the chosen steps of a command, another one each time; returns what
    each command ended with."""

    def prepared(plugged: Plugged) -> tuple[str, ...]:
        assert plugged.is_bound()
        for command in (before,) if before else ():
            done(*command, "--device", plugged.sysname)
        named = (plugged.sysname,) if words[1] == "detach" else ("--device", plugged.sysname)
        return (*words, *named)

    with Plugged("The first one", rdesc) as plugged:
        steps = steps_of(*prepared(plugged))
    statuses: list[int] = []
    for number in choose(steps):
        with Plugged("One that goes", rdesc) as plugged:
            outcome = unplugged_before(number, plugged, *prepared(plugged))
        assert_told(outcome, plugged, f"unplugged before {steps[number]} after {steps[:number]}")
        statuses.append(outcome.status)
    assert 1 in statuses or words[1] == "detach" or before
    assert_all_goes_on()
    return statuses


def test_during_an_attach() -> None:
    try_each(MOUSE, ("hid", "attach", "wheel"), lambda steps: worth_killing(steps)[::2])


def test_while_a_program_takes_the_place_of_another() -> None:
    attach = ("hid", "attach", "wheel")
    try_each(MOUSE, attach, deciding, before=attach)


def test_while_a_fixup_is_attached_and_the_device_asked_anew() -> None:
    attach = ("hid", "attach", "usages", "from=0x00010038", "to=0x00010033")
    try_each(MOUSE, attach, deciding)


@pytest.mark.slow
def test_while_an_object_of_udev_hid_bpf_is_attached(program: Program) -> None:
    attach = ("hid", "attach", program("hid_foreign"), "--force")
    try_each(MOUSE, attach, deciding)
    try_each(MOUSE, attach, deciding, before=attach)


def test_during_a_detach() -> None:
    try_each(MOUSE, ("hid", "detach"), deciding, before=("hid", "attach", "wheel"))


def test_during_a_remap_that_adds_keys(tmp_path: Path) -> None:
    path = tmp_path / "more.toml"
    path.write_text(MORE_KEYS)

    def chosen(steps: list[str]) -> list[int]:
        """Before the keys are added, and between that and the rules."""
        first = steps.index("attach_struct_ops")
        return [first, steps.index("attach_struct_ops", first + 1)]

    try_each(KEYBOARD, ("hid", "remap", str(path)), chosen)


@pytest.mark.slow
def test_while_tables_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(RULES)
    remap = ("hid", "remap", str(path))
    assert {*try_each(KEYBOARD, remap, worth_killing, before=remap)} == {1}


@pytest.mark.parametrize("delay_ms", [0, 40, 120, 200])
def test_at_any_moment_by_another_process(program: Program, delay_ms: int) -> None:
    """Not at a step: while the kernel may be in the middle of one."""
    with Plugged("One that goes", MOUSE) as plugged:
        assert plugged.is_bound()
        puller = threading.Timer(delay_ms / 1000, plugged.close)
        puller.start()
        outcome = scxhid("hid", "attach", program("hid_fixup"), "--device", plugged.sysname)
        puller.join()
    assert_told(outcome, plugged, f"after {delay_ms} ms")
    assert_all_goes_on()


# Of KEYBOARD: modifiers, nothing, six keys.
A, F, J, CAPSLOCK = 0x04, 0x09, 0x0D, 0x39


def keys(*usages: int) -> bytes:
    return bytes([0, 0, *usages, *bytes(6 - len(usages))])


def test_while_keys_are_held_and_a_timer_is_armed(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(RULES)
    with ExitStack() as stack:
        boards = [stack.enter_context(Plugged(f"Board {n}", KEYBOARD)) for n in range(2)]
        for board, held, said in zip(
            boards,
            (F, J),  # one that is tapped or held, the first of a combo
            (keys(CAPSLOCK), keys(CAPSLOCK)),
            strict=True,
        ):
            assert board.is_bound()
            done("hid", "remap", str(path), "--device", board.sysname)
            with reader(board) as fd:
                assert through(board, fd, said) == bytes([1, *bytes(7)])
                through(board, fd, keys(CAPSLOCK, held))
                assert after(fd, 0) == b""
                # At once: the timer goes off when the device has gone.
                board.close()
        time.sleep(0.2)
    assert_all_goes_on()


def test_a_command_on_what_has_gone_names_it(tmp_path: Path) -> None:
    with Plugged("Was here", MOUSE) as plugged:
        assert plugged.is_bound()
        done("hid", "attach", "wheel", "--device", plugged.sysname)
    for words in (
        ("hid", "info", plugged.sysname),
        ("hid", "set", plugged.sysname, "wheel", "scale=1"),
        ("hid", "stats", plugged.sysname, "wheel"),
        ("hid", "detach", plugged.sysname),
    ):
        outcome = scxhid(*words)
        assert (outcome.status, outcome.out) == (1, "")
        said = f"scxhid: there is no HID device at all, and so no {plugged.sysname!r}\n"
        assert outcome.err == said
    assert_all_goes_on()
