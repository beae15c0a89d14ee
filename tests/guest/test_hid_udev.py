"""Objects of udev-hid-bpf as they are: attached, seen by that tool, taken off, nothing left."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pyloader import ObjectSpec
from pyloader.errors import AttachError
from pyloader.hid import udev
from tests.guest import fixups
from tests.guest.command import done, scxhid
from tests.guest.conftest import Program
from tests.guest.fixups import STAGE, WRONG_GROUP, attach, pins
from tests.guest.hid import Plugged, wait_for
from tests.guest.steps import killed_before, steps_of, worth_killing
from tests.hid_descriptors import MOUSE, touchpad

pytestmark = pytest.mark.skipif(
    not fixups.ROOT.is_dir(), reason="Debian's package udev-hid-bpf could not be fetched"
)

# Its probe leaves what it would return as it is for the device that it means: 2.3.0.
NEVER_ACCEPTS = "0010-Thrustmaster__TCA-Yoke-Boeing"

# What is pinned of the object of the tests.
OF_FOREIGN = {"foreign_rdesc", "foreign_events", "UDEV_PROP_HID_HEARD", "stats"}


def test_one_that_accepts_no_device_is_refused_by_both_tools() -> None:
    path = str(fixups.path_of(NEVER_ACCEPTS))
    with fixups.plug(NEVER_ACCEPTS) as plugged:
        assert plugged.is_bound()
        refused = scxhid("hid", "attach", path, "--device", plugged.sysname)
        assert refused.status == 1
        assert "its probe returned -1" in refused.errors[0]
        tool("add", f"/sys/bus/hid/devices/{plugged.sysname}", path)
        assert pins(plugged) == {}


def test_one_that_names_a_group_in_which_the_kernel_puts_no_such_device() -> None:
    with fixups.plug(WRONG_GROUP) as plugged:
        path = str(fixups.path_of(WRONG_GROUP))
        refused = scxhid("hid", "attach", path, "--device", plugged.sysname)
        assert refused.status == 2
        assert "is for USB 056a:0357 (generic), and" in refused.errors[0]
        assert "is USB 056a:0357 (Wacom); --force" in refused.errors[0]


@pytest.mark.parametrize("name", ["0010-Huion__Dial-2", "0010-XPPen__ACK05"])
def test_both_tools_pin_the_same_and_take_off_what_the_other_pinned(name: str) -> None:
    path = str(fixups.path_of(name))
    with fixups.plug(name) as plugged:
        assert plugged.is_bound()
        syspath = f"/sys/bus/hid/devices/{plugged.sysname}"
        tool("add", syspath, path)
        wait_for(lambda: plugged.device.node.is_bound)
        theirs = pins(plugged)
        [row] = [d for d in devices() if d["device"] == plugged.sysname]
        assert {(p["name"], p["tool"]) for p in row["programs"]} == {(name, "udev-hid-bpf")}
        assert scxhid("hid", "detach", plugged.sysname, name).status == 0
        assert pins(plugged) == {}
        attach(path, plugged)
        assert pins(plugged) == theirs
        assert name in tool("list-loaded", "--syspath", syspath)
        tool("remove", syspath)
        assert pins(plugged) == {}
        wait_for(lambda: not done("hid", "info", plugged.sysname, "--json").json["programs"])
        wait_for(lambda: plugged.device.node.is_bound)


def tool(*words: str) -> str:
    """Run the package's own program; what it said."""
    command = [*fixups.tool(), *words]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr


def devices() -> list[dict[str, Any]]:
    return done("hid", "list", "--json").json["devices"]


@pytest.fixture
def mouse() -> Generator[Plugged]:
    with Plugged("A mouse", MOUSE, bus=3, vendor=0x1209, product=1) as plugged:
        assert plugged.is_bound()
        yield plugged


@pytest.fixture
def foreign(program: Program, tmp_path: Path) -> Path:
    """A directory with three versions of an object: the verifier refuses 0030, its probe 0020."""
    versions = {"0030": "hid_foreign_broken", "0020": "hid_foreign_refuses", "0010": "hid_foreign"}
    for number, source in versions.items():
        shutil.copyfile(program(source), tmp_path / f"{number}-Test__mouse.bpf.o")
    return tmp_path


def test_the_highest_version_that_loads_and_accepts_is_taken(mouse: Plugged, foreign: Path) -> None:
    said = done("hid", "attach", f"{foreign}/Test__mouse", "--device", mouse.sysname)
    assert said.out.startswith("0010-Test__mouse attached to")
    assert "the kernel refused program foreign_fixup of 0030-Test__mouse" in said.err
    assert "0020-Test__mouse itself refuses" in said.err
    assert list(pins(mouse)) == ["0010-Test__mouse_bpf"]
    assert done("hid", "attach", str(foreign), "--device", mouse.sysname, "--json").json["replaced"]
    done("hid", "detach", mouse.sysname, "Test__mouse")
    (foreign / "0010-Test__mouse.bpf.o").unlink()
    none = scxhid("hid", "attach", str(foreign), "--device", mouse.sysname)
    assert none.status == 1
    assert len(none.errors) == 1
    assert "none of 2 versions could be attached" in none.err
    assert pins(mouse) == {}
    alone = scxhid("hid", "attach", f"{foreign}/0020-Test__mouse", "--device", mouse.sysname)
    assert alone.status == 1
    assert "itself refuses" in alone.errors[0]


def test_several_ops_are_attached_as_one_and_optional_ones_not(
    mouse: Plugged, foreign: Path
) -> None:
    before = mouse.device
    said = attach(f"{foreign}/0010-Test__mouse.bpf.o", mouse, "--property", "HID_WORD=hello")
    assert said["properties"] == {"HID_HEARD": "hello"}
    assert pins(mouse) == {"0010-Test__mouse_bpf": OF_FOREIGN}
    shown = done("hid", "info", mouse.sysname, "--json").json
    assert {p["ops"] for p in shown["programs"]} == {"foreign_rdesc", "foreign_events"}
    assert shown["properties"] == {"HID_HEARD": "hello"}
    assert shown["descriptor"]["collections"][0]["name"] == "Joystick"
    assert mouse.device.name == "Fix"
    assert [name for _, name, _ in mouse.device.node.inputs] == ["Fix"]
    assert done("hid", "detach", mouse.sysname, "--json").json["detached"] == ["0010-Test__mouse"]
    after = mouse.device
    assert after.rdesc == MOUSE
    assert (after.name, after.node.uniq) == (before.name, before.node.uniq)
    assert [name for _, name, _ in after.node.inputs] == [before.name]
    assert pins(mouse) == {}


def test_a_second_fixup_of_the_descriptor_is_refused_and_the_first_named(
    mouse: Plugged, foreign: Path, program: Program
) -> None:
    attach(f"{foreign}/0010-Test__mouse.bpf.o", mouse)
    before = pins(mouse)
    second = str(foreign / "0040-Other__mouse.bpf.o")
    shutil.copyfile(program("hid_foreign"), second)
    for what in (second, program("hid_fixup")):
        refused = scxhid("hid", "attach", what, "--device", mouse.sysname)
        assert refused.status == 1
        assert "has a program that rewrites its report descriptor, 0010-Test__mouse" in refused.err
        assert pins(mouse) == before
    done("hid", "detach", mouse.sysname)
    done("hid", "attach", program("hid_fixup"), "--device", mouse.sysname)
    refused = scxhid("hid", "attach", second, "--device", mouse.sysname)
    assert "rewrites its report descriptor, hid_fixup" in refused.err
    assert pins(mouse) == {}
    done("hid", "detach", mouse.sysname)
    assert mouse.device.rdesc == MOUSE


def test_another_version_takes_the_place_of_the_one_that_is_attached() -> None:
    newer, older = "0020-Huion__Inspiroy-2-S", "0010-Huion__Inspiroy-2-S"
    with fixups.plug(newer) as plugged:
        assert plugged.is_bound()
        was = plugged.device.rdesc
        pins_before: dict[str, set[str]] = {}
        for name in (older, newer, newer, older):
            said = done("hid", "attach", str(fixups.path_of(name)), "--device", plugged.sysname).out
            assert said.startswith(f"{name} {'replaced on' if pins_before else 'attached to'}")
            pins_before = pins(plugged)
            assert list(pins_before) == [f"{name}_bpf"]
            assert plugged.device.rdesc != was
        done("hid", "detach", plugged.sysname, "Huion__Inspiroy-2-S")
        assert (pins(plugged), plugged.device.rdesc) == ({}, was)


def test_it_is_attached_to_what_it_names_and_with_force_to_others(foreign: Path) -> None:
    path = f"{foreign}/0010-Test__mouse.bpf.o"
    with Plugged("Another mouse", MOUSE, bus=3, vendor=0x1234, product=1) as other:
        assert other.is_bound()
        refused = scxhid("hid", "attach", path, "--device", other.sysname)
        assert refused.status == 2
        assert "is for USB 1209:any, and" in refused.errors[0]
        assert "is USB 1234:0001 (generic); --force" in refused.errors[0]
        in_folder = scxhid("hid", "attach", str(foreign), "--device", other.sysname)
        assert in_folder.status == 2
        assert "Test__mouse: none is for" in in_folder.errors[0]
        attach(path, other, "--force")
        done("hid", "detach", other.sysname)


def test_what_fails_leaves_what_was_there(
    mouse: Plugged, foreign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{foreign}/0010-Test__mouse.bpf.o"

    def fail(*_: object) -> None:
        raise AttachError("no driver took it")

    def state() -> object:
        shown = done("hid", "info", mouse.sysname, "--json").json
        return pins(mouse), mouse.device.rdesc, sorted(p["ops"] for p in shown["programs"])

    for prepare in (lambda: None, lambda: attach(path, mouse)):
        prepare()
        before = state()
        with monkeypatch.context() as patch:
            patch.setattr("pyloader.hid.steps.wait_bound", fail)
            assert scxhid("hid", "attach", path, "--device", mouse.sysname).status == 1
        wait_for(lambda: mouse.device.node.is_bound)
        assert state() == before
        assert not STAGE.exists() or list(STAGE.iterdir()) == []
    done("hid", "detach", mouse.sysname)
    assert mouse.device.rdesc == MOUSE


@pytest.mark.slow
def test_killed_at_any_step_nothing_is_half(mouse: Plugged, foreign: Path) -> None:
    command = ("hid", "attach", f"{foreign}/0010-Test__mouse.bpf.o", "--device", mouse.sysname)
    steps = steps_of(*command)
    assert "rename" in steps
    done("hid", "detach", mouse.sysname)
    whole = {"0010-Test__mouse_bpf": OF_FOREIGN}
    for number in worth_killing(steps):
        assert killed_before(number, *command), f"{steps[number]} was not reached"
        assert pins(mouse) in ({}, whole), f"after {steps[:number]}"
        done(*command)
        assert pins(mouse) == whole
        done("hid", "detach", mouse.sysname)
        assert (pins(mouse), mouse.device.rdesc) == ({}, MOUSE), f"after {steps[:number]}"


def test_what_it_asks_for_is_told(mouse: Plugged) -> None:
    name = "0010-Huion__Dial-2"
    with fixups.plug(name) as plugged:
        assert plugged.is_bound()
        path, was = str(fixups.path_of(name)), plugged.device.rdesc
        attach(path, plugged, "--property", "HUION_FIRMWARE_ID=HUION_T216_210325")
        assert plugged.device.rdesc != was
        done("hid", "detach", plugged.sysname)
        wrong = scxhid("hid", "attach", path, "--device", plugged.sysname, "--property", "FIRM=1")
        assert wrong.status == 2
        assert "reads HUION_FIRMWARE_ID" in wrong.errors[0]
        long = f"HUION_FIRMWARE_ID={'x' * 64}"
        wrong = scxhid("hid", "attach", path, "--device", plugged.sysname, "--property", long)
        assert wrong.status == 2
        assert "has room for 63 bytes" in wrong.errors[0]


def test_what_a_touchpad_says_of_itself_is_found_out() -> None:
    path = str(fixups.path_of("0010-Generic__touchpad"))
    with Plugged(
        "A touchpad", touchpad(), {2: bytes([2, 0x15])}, bus=3, vendor=1, product=1
    ) as pad:
        assert pad.is_bound()
        said = attach(path, pad)
        assert list(said["properties"]) == ["HID_DIGITIZER_PAD_TYPE"]
        assert pins(pad) == {"0010-Generic__touchpad_bpf": {"UDEV_PROP_HID_DIGITIZER_PAD_TYPE"}}
        theirs = said["properties"]
        done("hid", "detach", pad.sysname)
        tool("add", f"/sys/bus/hid/devices/{pad.sysname}", path)
        assert done("hid", "info", pad.sysname, "--json").json["properties"] == theirs
        done("hid", "detach", pad.sysname)
        assert pins(pad) == {}
    with Plugged("Another", touchpad(pad_type=False), bus=3, vendor=1, product=1) as pad:
        assert pad.is_bound()
        refused = scxhid("hid", "attach", path, "--device", pad.sysname)
        assert refused.status == 1
        assert "itself refuses" in refused.errors[0]


def test_those_for_older_kernels_are_refused(mouse: Plugged) -> None:
    for path in fixups.objects():
        spec = ObjectSpec.open(path)
        if udev.is_of_old_form(spec):
            refused = scxhid("hid", "attach", str(path), "--device", mouse.sysname, "--force")
            assert refused.status == 1
            assert "is of the form for Linux before 6.11" in refused.errors[0]
    assert pins(mouse) == {}


def test_a_name_is_looked_for_where_that_tool_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(fixups.path_of("x").parent)
    monkeypatch.setattr("pyloader.hid.installed.DIRECTORIES", (folder,))
    name = "0020-Huion__Inspiroy-2-S"
    with fixups.plug(name) as plugged:
        assert plugged.is_bound()
        said = attach("Huion__Inspiroy-2-S", plugged)
        assert said["program"] == name
        unknown = scxhid("hid", "attach", "Huion__Inspiro", "--device", plugged.sysname)
        assert unknown.status == 2
        done("hid", "detach", plugged.sysname)
