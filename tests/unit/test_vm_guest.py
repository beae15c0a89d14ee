"""What is written for the guest: its init, and the command with its words as they were given."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vm import guest
from vm.qemu import Plan

WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))


def plan(run: Path, *rw: Path) -> Plan:
    return Plan(
        tree=run / "tree",
        version="7.3.4",
        run=run,
        cpus=2,
        memory="2G",
        accel="tcg",
        rw=rw,
    )


@pytest.fixture(autouse=True)
def busybox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest, "program", lambda name: f"/bin/{name}")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(WORDS)
def test_words_survive_the_shell(tmp_path: Path, words: list[str]) -> None:
    guest.write_command(plan(tmp_path), ["printf", "%s\\0", *words], Path("/"), {})
    script = str(tmp_path / "command")
    done = subprocess.run(["/bin/sh", script], capture_output=True, check=True)
    assert done.stdout.decode() == "".join(f"{word}\0" for word in words or [""])


def test_the_environment_and_directory_are_those_asked_for(tmp_path: Path) -> None:
    directory = tmp_path / "a 'b' $c"
    directory.mkdir()
    guest.write_command(
        plan(tmp_path), ["sh", "-c", 'echo "$HOME|$NEW|$PWD"'], directory, {"NEW": "x y;'z"}
    )
    done = subprocess.run(
        ["/bin/sh", str(tmp_path / "command")], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"/root|x y;'z|{directory}\n"


def test_a_program_that_is_nowhere_is_127(tmp_path: Path) -> None:
    guest.write_command(plan(tmp_path), ["no-such-program"], Path("/"), {})
    done = subprocess.run(
        ["/bin/sh", str(tmp_path / "command")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 127
    assert "no-such-program" in done.stderr


def test_a_program_is_the_systems_and_not_the_shells_own() -> None:
    assert guest.resolved("sh").startswith("/")
    assert guest.resolved("./mine") == "./mine"


def test_the_init_is_a_script_that_a_shell_can_read(tmp_path: Path) -> None:
    guest.write_init(plan(tmp_path, Path("/a 'b'")), ("hid",), udev=False)
    text = (tmp_path / "init").read_text()
    assert text.startswith("#!/bin/busybox sh\n")
    assert "RW_0='/a '\"'\"'b'\"'\"''" in text
    shells = [["/bin/sh"]] + ([["busybox", "sh"]] if shutil.which("busybox") else [])
    for shell in shells:
        subprocess.run([*shell, "-n", str(tmp_path / "init")], check=True)
