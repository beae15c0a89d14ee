"""Rules edited from the screen: the editor gets the terminal, and the screen comes back."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from pyloader.view.devices import DeviceState
from tests.terminal import Terminal
from vm.bench.made_up import MadeUp, MadeUpControls

EDITOR = """#!/bin/sh
test -e {folder}/fails && exit 3
echo 'this is the editor'
test -t 1 || exit 4
trap 'echo not now' INT
read -r line || read -r line  # Ctrl-C ends the first
echo "# $line" >> "$1"
"""


class Desk(MadeUp):
    """Its keyboard's rules are in a file that there is."""

    def _hid(self) -> tuple[DeviceState, ...]:
        path = str(Path.cwd() / "desk.toml")
        return tuple(
            replace(each, rules=each.rules and replace(each.rules, file=path))
            for each in super()._hid()
        )


def machine() -> tuple[Desk, MadeUpControls]:
    """For ``scxhid top --source``."""
    desk = Desk(4)
    return desk, MadeUpControls(desk)


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Terminal]:
    rules, editor = tmp_path / "desk.toml", tmp_path / "editor"
    rules.write_text("[keys]\ncapslock = 'esc'\n")
    editor.write_text(EDITOR.format(folder=tmp_path))
    editor.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    scxhid = str(Path(sys.executable).with_name("scxhid"))
    command = [scxhid, "top", "--source", f"{__name__}:machine", "--pane", "devices"]
    # As of a shell that people use: Ctrl-C goes to the command and its editor, not to the shell.
    alone = ["sh", "-mc", shlex.join([*command, "--every", "0.2"]) + "; exit $?"]
    with Terminal(alone) as terminal:
        terminal.shows("Holtek keyboard")
        terminal.press("End")
        terminal.shows("desk.toml")
        yield terminal


def test_what_is_saved_is_applied_and_what_is_not_is_told(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.press("e")
    screen = terminal.shows("this is the editor")
    assert "Holtek keyboard" not in screen
    terminal.press("better", "Enter")
    screen = terminal.shows("Holtek keyboard", "is on")
    assert "1 Overview" in screen
    assert "this is the editor" not in screen
    assert (tmp_path / "desk.toml").read_text().endswith("\n# better\n")

    (tmp_path / "fails").touch()
    terminal.press("e")
    terminal.shows("ended with status 3", "Holtek keyboard")

    (tmp_path / "editor").unlink()
    terminal.press("e")
    terminal.shows("the editor cannot be run", "Holtek keyboard")
    terminal.press("q")
    terminal.shows("ended with 0")


def test_ctrl_c_in_the_editor_is_the_editors(terminal: Terminal) -> None:
    terminal.press("e")
    terminal.shows("this is the editor")
    terminal.press("C-c")
    terminal.shows("not now")
    terminal.press("better", "Enter")
    terminal.shows("Holtek keyboard", "is on")
    terminal.press("q")
    terminal.shows("ended with 0")
