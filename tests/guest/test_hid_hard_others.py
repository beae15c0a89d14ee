"""Somebody else at the same device: another tool's fixup, another command, another file."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pyloader import ObjectSpec, libbpf, lock
from tests import hid_reports
from tests.guest import kernel
from tests.guest.command import Outcome, done, scxhid
from tests.guest.conftest import Program
from tests.guest.hid import Plugged, wait_for
from tests.guest.hid_reports import mouse_report, reader, through
from tests.guest.processes import Child
from tests.guest.steps import before_each_step
from tests.hid_descriptors import KEYBOARD, MOUSE

PINS = Path("/sys/fs/bpf/scxhid/hid")
THEIR_PINS = Path("/sys/fs/bpf/hid")


@pytest.fixture
def mouse() -> Generator[Plugged]:
    with Plugged("A mouse of two masters", MOUSE) as plugged:
        assert plugged.is_bound()
        yield plugged


@pytest.fixture
def keyboard() -> Generator[Plugged]:
    with Plugged("A keyboard of two masters", KEYBOARD) as plugged:
        assert plugged.is_bound()
        yield plugged


# ---- another tool's fixup


@contextmanager
def pinned(path: str, plugged: Plugged) -> Generator[str]:
    """As udev-hid-bpf leaves it: a link in a directory of the device, and no process."""
    folder = THEIR_PINS / plugged.sysname.replace(":", "_").replace(".", "_")
    where = folder / "0010-Some__mouse_bpf"
    where.mkdir(parents=True)
    with load(path, plugged) as loaded:
        libbpf.pin(loaded.attach("fixup").fd, str(where / "fixup"))
    try:
        yield f"0010-Some__mouse, held by the pin {where}/fixup"
    finally:
        kernel.unpin(folder)


@contextmanager
def held(path: str, plugged: Plugged) -> Generator[str]:
    """By a process that lives, and by nothing else."""

    def work(tell: Callable[[Any], None]) -> None:
        with load(path, plugged) as loaded:
            loaded.attach("fixup")
            tell("attached")
            time.sleep(600)

    child = Child(work)
    try:
        child.hear()
        yield f"fixup, held by process python ({child.pid})"
    finally:
        child.kill()


def load(path: str, plugged: Plugged) -> Any:
    return ObjectSpec.open(path).load(fields={"fixup": {"hid_id": plugged.device.number}})


@pytest.mark.parametrize("by", [pinned, held])
def test_anothers_fixup_is_named_and_all_else_works_beside_it(
    by: Callable[..., Any], mouse: Plugged, program: Program, tmp_path: Path
) -> None:
    path, more = tmp_path / "mine.toml", tmp_path / "more.toml"
    path.write_text('[buttons]\nleft = "right"\n')
    more.write_text('[buttons]\nleft = "playpause"\n')
    with by(program("hid_fixup"), mouse) as named:
        wait_for(lambda: mouse.device.rdesc != MOUSE and mouse.device.node.is_bound)
        fixed = mouse.device.rdesc
        steps: list[str] = []
        for words in (
            ("attach", "usages", "from=0x00010038", "to=0x00010033"),
            ("attach", program("hid_fixup")),
            ("attach", program("hid_foreign"), "--force"),
            ("remap", str(more)),
        ):
            with before_each_step(steps.append):
                refused = scxhid("hid", *words, "--device", mouse.sysname)
            assert (refused.status, refused.out) == (1, ""), words
            assert len(refused.errors) == 1
            assert named in refused.errors[0], words
            assert "rewrites its report descriptor" in refused.errors[0]
        assert "load" not in steps, "the kernel was asked"
        done("hid", "remap", str(path), "--device", mouse.sysname)
        done("hid", "attach", "wheel", "--device", mouse.sysname, "scale=2000")
        assert mouse.device.rdesc == fixed
        with reader(mouse) as fd:
            assert through(mouse, fd, mouse_report(1, wheel=1)) == mouse_report(2, wheel=2)
        names = [p["name"] for p in done("hid", "info", mouse.sysname, "--json").json["programs"]]
        assert names[1:] == ["remap", "wheel"]
        for name in names[1:]:
            done("hid", "detach", mouse.sysname, name)
        assert mouse.device.rdesc == fixed
    wait_for(lambda: mouse.device.rdesc == MOUSE and mouse.device.node.is_bound)
    assert not PINS.exists() or list(PINS.iterdir()) == []


# ---- another command


CAPSLOCK = bytes([0, 0, 0x39, *bytes(5)])
MEANINGS = ("leftctrl", "a")


def capslock_is(keyboard: Plugged) -> str:
    """What comes out of it at the other end of the rules."""
    descriptor = keyboard.device.descriptor
    with reader(keyboard) as fd:
        [name] = hid_reports.pressed(descriptor, through(keyboard, fd, CAPSLOCK))
        assert not any(through(keyboard, fd, bytes(8)))
    return name


def write(path: Path, meaning: str, more: str = "") -> str:
    path.write_text(f'[keys]\ncapslock = "{meaning}"\n{more}')
    return str(path)


def at_once(*commands: tuple[str, ...]) -> list[Outcome]:
    """The commands, each in its own process, all begun at the same moment."""

    def begin(words: tuple[str, ...]) -> Child:
        def work(tell: Callable[[Any], None]) -> Outcome:
            tell("ready")
            time.sleep(max(0.0, start - time.monotonic()))
            return scxhid(*words)

        return Child(work)

    start = time.monotonic() + 0.5
    children = [begin(words) for words in commands]
    for child in children:
        child.hear()
    return [child.result() for child in children]


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", 'f9 = "playpause"\n'], ids=["", "keys are added"])
def test_two_at_once_leave_the_rules_of_one(keyboard: Plugged, tmp_path: Path, more: str) -> None:
    commands = [
        ("hid", "remap", write(tmp_path / f"{name}.toml", name, more), "--device", keyboard.sysname)
        for name in MEANINGS
    ]
    for _ in range(2):
        outcomes = at_once(*commands)
        assert [o.status for o in outcomes] == [0, 0], outcomes
        assert capslock_is(keyboard) in MEANINGS
        wanted = ["extra_keys", "remap"] if more else ["remap"]
        on = done("hid", "info", keyboard.sysname, "--json").json["programs"]
        assert sorted(p["name"] for p in on) == wanted
        [folder] = PINS.iterdir()
        assert sorted(p.name for p in folder.iterdir()) == wanted
    done("hid", "detach", keyboard.sysname)
    assert list(PINS.iterdir()) == []
    assert keyboard.device.rdesc == KEYBOARD


@pytest.mark.slow
def test_remap_and_detach_at_once(keyboard: Plugged, tmp_path: Path) -> None:
    remap = ("hid", "remap", write(tmp_path / "a.toml", "a"), "--device", keyboard.sysname)
    done(*remap)
    for _ in range(2):
        outcomes = at_once(remap, ("hid", "detach", keyboard.sysname))
        for outcome in outcomes:
            assert "Traceback" not in outcome.err
            assert outcome.status == 0 or len(outcome.errors) == 1, outcomes
        assert capslock_is(keyboard) in ("a", "capslock")
        done(*remap)
        assert capslock_is(keyboard) == "a"


def test_one_waits_for_another_that_is_changing_something(
    keyboard: Plugged, tmp_path: Path
) -> None:
    def work(tell: Callable[[Any], None]) -> None:
        with lock.writer():
            tell("has it")
            time.sleep(1.0)

    child = Child(work)
    child.hear()
    began = time.monotonic()
    done("hid", "remap", write(tmp_path / "a.toml", "a"), "--device", keyboard.sysname)
    assert time.monotonic() - began > 0.7
    child.wait()
    assert capslock_is(keyboard) == "a"


# ---- another file


def test_a_second_file_takes_the_place_of_the_first(keyboard: Plugged, tmp_path: Path) -> None:
    for number, meaning in enumerate(("leftctrl", "a", "leftctrl")):
        path = write(tmp_path / f"{number}.toml", meaning)
        said = done("hid", "remap", path, "--device", keyboard.sysname, "--json").json
        assert said["replaced"] == bool(number)
        assert capslock_is(keyboard) == meaning
    assert len(done("hid", "info", keyboard.sysname, "--json").json["programs"]) == 1


def test_a_file_for_no_device_or_for_two_changes_nothing(keyboard: Plugged, tmp_path: Path) -> None:
    done("hid", "remap", write(tmp_path / "a.toml", "a"), "--device", keyboard.sysname)
    path = tmp_path / "b.toml"
    with Plugged("Another keyboard of two masters", KEYBOARD) as other:
        assert other.is_bound()
        for device, said in (
            ('[device]\nname = "nobody"\n', "is for no device that is there"),
            ("[device]\nvid = 0x1234\n", "is for no device that is there"),
            ('[device]\nname = "*of two masters"\n', "is for 2 devices that are there"),
            ("", "is for 2 devices that are there"),
        ):
            path.write_text(f'{device}[keys]\ncapslock = "b"\n')
            refused = scxhid("hid", "remap", str(path))
            assert (refused.status, refused.out) == (2, "")
            assert len(refused.errors) == 1
            assert said in refused.errors[0]
            assert "--device names one" in refused.errors[0]
            if "2 devices" in said:
                for each in (keyboard, other):
                    assert f"{each.sysname} ({each.device.name})" in refused.errors[0]
        assert capslock_is(keyboard) == "a"
        assert capslock_is(other) == "capslock"
        # Named, the file need not be for it.
        done("hid", "remap", str(path), "--device", other.sysname)
