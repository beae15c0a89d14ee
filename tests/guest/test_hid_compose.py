"""One file of rules for a keyboard and a mouse."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import IO

import pytest

from pyloader.errors import AttachError
from pyloader.hid.remap import apply as applying
from pyloader.hid.remap.plan import Plan
from tests.guest.command import done, scxhid
from tests.guest.hid import Plugged
from tests.guest.typist import Typist
from tests.hid_descriptors import KEYBOARD, MOUSE, nkro
from tests.hid_reports import sets

PINS = Path("/sys/fs/bpf/scxhid/hid")

DESK = """\
include = ["capslock-escape"]

[[device]]
name = "Some keyboard"
[device.keys]
a = "b"

[[device]]
name = "* mouse"
[device.buttons]
left = "right"

[[device]]
name = "No such device"
[device.keys]
a = "c"

[default.keys]
a = "d"
"""


@pytest.fixture
def keyboard() -> Generator[Plugged]:
    with Plugged("Some keyboard", KEYBOARD) as plugged:
        assert plugged.is_bound()
        yield plugged


@pytest.fixture
def mouse() -> Generator[Plugged]:
    with Plugged("Some mouse", MOUSE) as plugged:
        assert plugged.is_bound()
        yield plugged


@pytest.fixture
def other() -> Generator[Plugged]:
    """A keyboard that no section is about."""
    with Plugged("Another one", nkro(3)) as plugged:
        assert plugged.is_bound()
        yield plugged


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    path = tmp_path / "desk.toml"
    path.write_text(DESK)
    return path


def is_nothing_remapped() -> bool:
    return not PINS.exists() or not list(PINS.iterdir())


@pytest.mark.slow
def test_each_device_gets_its_section_and_others_the_default(
    keyboard: Plugged, mouse: Plugged, other: Plugged, desk: Path
) -> None:
    said = done("hid", "remap", str(desk))
    lines = said.out.splitlines()
    assert lines[0].startswith(f"{desk}:3: 2 rules count now on {keyboard.sysname} (Some keyboard)")
    assert lines[1].startswith(f"{desk}:8: 1 rule counts now on {mouse.sysname} (Some mouse)")
    assert lines[2].startswith(f"{desk}:18: 2 rules count now on {other.sysname} (Another one)")
    assert f"warning: {desk}:13 is for no device that is there" in said.err
    assert "capslock" not in said.err
    with Typist(keyboard) as hands, Typist(mouse) as hand, Typist(other) as others:
        assert hands.press("a") == sets("b")
        assert hands.release("a") == sets("")
        assert hand.press("btn_left") == sets("btn_right")
        assert hand.release("btn_left") == sets("")
        assert others.press("a") == sets("d")
        others.release("a")
        others.press("capslock")
        assert others.release("capslock")[-2:] == sets("esc", "")


def test_as_json_each_device_is_told(keyboard: Plugged, mouse: Plugged, desk: Path) -> None:
    said = done("hid", "remap", str(desk), "--json").json
    assert said["file"] == str(desk)
    assert said["unused"] == [f"{desk}:13"]
    assert [(each["device"], each["section"]) for each in said["devices"]] == [
        (keyboard.sysname, f"{desk}:3"),
        (mouse.sysname, f"{desk}:8"),
    ]
    assert all(each["applied"] and each["file"] == str(desk) for each in said["devices"])
    # Nothing for capslock, which is common to all: a mouse is no keyboard for it.
    assert [each["added_keys"] for each in said["devices"]] == [[], []]
    assert [len(each["rules"]) for each in said["devices"]] == [2, 1]


def test_a_device_that_is_named_is_the_only_one(
    keyboard: Plugged, mouse: Plugged, desk: Path
) -> None:
    said = done("hid", "remap", str(desk), "--device", mouse.sysname)
    assert [line.split(":8: ")[0] for line in said.out.splitlines()] == [str(desk)]
    assert not said.err.count("no device that is there")
    with Typist(keyboard) as typist:
        assert typist.press("a") == sets("a")
        typist.release("a")


def test_a_device_without_a_section_is_told(keyboard: Plugged, mouse: Plugged, desk: Path) -> None:
    desk.write_text(DESK.partition('[[device]]\nname = "* mouse"')[0])
    refused = scxhid("hid", "remap", str(desk), "--device", mouse.sysname)
    assert refused.status == 2
    assert (
        f"{desk} has no section for {mouse.sysname} (Some mouse), and no [default]" in refused.err
    )
    desk.write_text(desk.read_text() + '[default.keys]\na = "b"\n')
    refused = scxhid("hid", "remap", str(desk), "--device", mouse.sysname)
    assert refused.status == 2
    assert f"has none of the keys and axes that {desk}:8 is about" in refused.err
    desk.write_text('[[device]]\nname = "No such"\n[device.keys]\na = "b"\n')
    refused = scxhid("hid", "remap", str(desk))
    assert refused.status == 2
    assert f"{desk} is for no device that is there" in refused.err
    assert is_nothing_remapped()


def test_a_section_counts_only_where_its_keys_are(
    keyboard: Plugged, mouse: Plugged, desk: Path
) -> None:
    desk.write_text(
        '[[device]]\nbus = "virtual"\n[device.keys]\na = "b"\n'
        '[[device]]\nname = "Some *"\n[device.buttons]\nleft = "right"\n'
    )
    devices = done("hid", "remap", str(desk), "--json").json["devices"]
    assert [(each["device"], each["section"]) for each in devices] == [
        (keyboard.sysname, f"{desk}:1"),
        (mouse.sysname, f"{desk}:5"),
    ]


def test_keys_that_were_added_for_a_section_are_no_reason_for_another(
    keyboard: Plugged, desk: Path
) -> None:
    desk.write_text(
        '[[device]]\nname = "Some *"\n[device.buttons]\nleft = "right"\n'
        '[default.keys]\na = "btn_left"\n'
    )
    first, again = (done("hid", "remap", str(desk), "--json").json["devices"] for _ in range(2))
    assert [each["added_keys"] for each in (*first, *again)] == [["btn_left"], []]
    assert [each["section"] for each in (*first, *again)] == [f"{desk}:5"] * 2


def test_where_one_cannot_be_planned_none_is_changed(mouse: Plugged, desk: Path) -> None:
    long = nkro(0)[:-1] + bytes.fromhex("0600ff0901750895288102c0")
    with Plugged("Some keyboard", long) as keyboard:
        assert keyboard.is_bound()
        desk.write_text(DESK.replace('a = "b"', 'a = "playpause"'))
        refused = scxhid("hid", "remap", str(desk))
        assert refused.status == 2
        assert "cannot say playpause, and cannot be given it" in refused.err
        assert is_nothing_remapped()


def test_where_one_fails_the_others_go_on(
    keyboard: Plugged, mouse: Plugged, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = applying.apply

    def one_fails(planned: Plan) -> applying.Applied:
        if planned.device.sysname == keyboard.sysname:
            raise AttachError("the kernel does not want it")
        return true(planned)

    monkeypatch.setattr(applying, "apply", one_fails)
    said = scxhid("hid", "remap", str(desk))
    assert said.status == 1
    assert said.errors == [
        f"scxhid: {desk}:3 on {keyboard.sysname} (Some keyboard): the kernel does not want it"
    ]
    assert f"1 rule counts now on {mouse.sysname}" in said.out
    as_json = scxhid("hid", "remap", str(desk), "--json")
    assert as_json.status == 1
    assert [each["applied"] for each in as_json.json["devices"]] == [False, True]
    assert as_json.json["devices"][0]["error"] == "the kernel does not want it"


def test_check_explains_each_and_changes_nothing(
    keyboard: Plugged, mouse: Plugged, desk: Path
) -> None:
    said = done("hid", "remap", str(desk), "--check").out
    assert f"{desk}:3 on {keyboard.sysname} (Some keyboard):" in said
    assert f"{desk}:8 on {mouse.sysname} (Some mouse):" in said
    assert said.endswith("\nnothing was changed\n")
    checked = done("hid", "remap", str(desk), "--check", "--json").json
    assert [each["applied"] for each in checked["devices"]] == [False, False]
    assert is_nothing_remapped()


def test_a_trial_that_nobody_wanted_is_over_everywhere(
    keyboard: Plugged, mouse: Plugged, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    master, slave = os.openpty()
    with os.fdopen(slave) as terminal, os.fdopen(master, "w") as hands:
        monkeypatch.setattr("sys.stdin", terminal)
        kept = done("hid", "remap", str(desk), "--device", mouse.sysname)
        hands.write("n\n")
        hands.flush()
        said = scxhid("hid", "remap", str(desk), "--trial", "20")
    assert said.status == 1
    assert f"count now on {keyboard.sysname}" in said.out
    assert f"counts now on {mouse.sysname}" in kept.out
    assert said.err.rstrip().endswith(
        f"scxhid: not kept: nothing is remapped on {keyboard.sysname};"
        f" the rules from before count again on {mouse.sysname}"
    )
    with Typist(keyboard) as typist:
        assert typist.press("a") == sets("a")
        typist.release("a")


def test_a_keymap_by_its_name(keyboard: Plugged) -> None:
    done("hid", "remap", "capslock-escape", "--device", keyboard.sysname)
    with Typist(keyboard) as typist:
        typist.press("capslock")
        assert typist.press("c")[-1] == {"leftctrl", "c"}
        typist.release("c", "capslock")
    refused = scxhid("hid", "remap", "capslock-escap", "--device", keyboard.sysname)
    assert refused.status == 1
    said = "no file 'capslock-escap' and no keymap of that name; did you mean capslock-escape?"
    assert said in refused.err


def said(stream: IO[str], within_s: float = 60) -> str:
    """The next line."""
    assert select.select([stream], [], [], within_s)[0], f"nothing was said for {within_s} s"
    return stream.readline()


def save(path: Path, text: str) -> None:
    """As editors do: the old contents or the new ones are there, never a part."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)


def test_it_stays_and_follows_the_file(keyboard: Plugged, tmp_path: Path) -> None:
    """What counts follows each save; a file that is wrong changes nothing; Ctrl-C leaves it."""
    base, mine = tmp_path / "base.toml", tmp_path / "mine.toml"
    base.write_text('[keys]\nf1 = "1"\n')
    mine.write_text('include = ["base.toml"]\n[keys]\na = "b"\n')
    words = ("hid", "remap", str(mine), "--device", keyboard.sysname, "--watch")
    watcher = subprocess.Popen(
        [Path(sys.executable).with_name("scxhid"), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watcher.stdout
    assert watcher.stderr
    try:
        assert "rules count now on" in said(watcher.stdout)
        with Typist(keyboard) as typist:
            assert typist.press("a") == sets("b")
            typist.release("a")
            save(base, '[keys]\nf1 = "2"\n')
            assert "count now instead of others" in said(watcher.stdout)
            assert typist.press("f1") == sets("2")
            typist.release("f1")
            save(mine, "[keys]\na = 'nokey'\n")
            assert "what counted before counts on" in said(watcher.stderr)
            assert typist.press("a") == sets("b")
            typist.release("a")
            watcher.send_signal(signal.SIGINT)
            assert watcher.wait(10) == 0
            assert typist.press("f1") == sets("2")
            typist.release("f1")
    finally:
        watcher.kill()
        watcher.communicate()


def test_a_device_is_left_alone(
    keyboard: Plugged, mouse: Plugged, other: Plugged, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text('[keys]\na = "e"\n')
    path = tmp_path / "desk.toml"
    path.write_text(
        '[[device]]\nname = "Some keyboard"\nignore = true\n[[device]]\nname = "*one"\n'
        'include = "own.toml"\n[default.keys]\na = "b"\n[default.buttons]\nleft = "right"\n'
    )
    said = done("hid", "remap", str(path), "--check").out
    assert f"{path}:1 leaves {keyboard.sysname} (Some keyboard) alone" in said
    alone = done("hid", "remap", str(path), "--json").json["left_alone"]
    assert alone == [{"section": f"{path}:1", "device": keyboard.sysname}]
    with Typist(keyboard) as hands, Typist(mouse) as hand, Typist(other) as others:
        assert hands.press("a") == sets("a")
        assert hand.press("btn_left") == sets("btn_right")
        assert others.press("a") == sets("e")
    refused = scxhid("hid", "remap", str(path), "--device", keyboard.sysname)
    assert refused.status == 2
    assert "is to be left alone" in refused.err
