"""The command line of ``vm``: what needs no machine, and what is wrong use."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pyloader.errors import Unsupported, WrongUse
from vm import cli, guest_tests, listing, machine
from vm.errors import KernelFetchError
from vm.guest_test_run import summary
from vm.guest_tests import Outcome
from vm.index import Offer, Package

JUNIT = """<?xml version="1.0"?>
<testsuites><testsuite tests="5" failures="1" errors="1" skipped="1">
<testcase name="a"><properties><property name="kernel_log" value="WARN.*here"/>
<property name="other" value="x"/></properties></testcase></testsuite></testsuites>"""


def call(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.vm, words, prog_name="scxhid vm")
    return done.exit_code, done.output


@pytest.mark.parametrize("command", ["kernels", "fetch", "run", "shell", "test"])
def test_each_command_shows_an_example_or_its_json(command: str) -> None:
    status, output = call(command, "--help")
    assert status == 0
    assert f"scxhid vm {command}" in output or "JSON" in output


@pytest.mark.parametrize(
    "words",
    [
        ("run",),
        ("run", "--cpus", "0", "--", "true"),
        ("run", "--accel", "fast", "--", "true"),
        ("run", "--memory", "1Q", "--", "true"),
        ("run", "--memory", "2G,maxmem=4G", "--", "true"),
        ("run", "--rw", "/no/such/directory", "--", "true"),
        ("run", "--env", "novalue", "--", "true"),
        ("run", "--env", "1X=2", "--", "true"),
    ],
)
def test_wrong_use_is_2(words: tuple[str, ...]) -> None:
    assert call(*words)[0] == 2


def test_the_commands_own_options_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[str]] = []

    def run(command: Sequence[str], **_: Any) -> None:
        asked.append(command)
        raise Unsupported("no machine in this test")

    monkeypatch.setattr(machine, "run", run)
    status, output = call("run", "--cpus", "1", "--", "ls", "--cpus", "-h")
    assert asked == [("ls", "--cpus", "-h")]
    assert status == 125
    assert output == "scxhid: no machine in this test\n"


def offer(version: str) -> Offer:
    return Offer(version, (Package("linux-image", "1", 170_000_000, 20),))


def test_kernels_as_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(listing.fetching, "offered", lambda **_: [offer("7.3.4"), offer("5.10.1")])
    status, output = call("kernels", "--json")
    assert status == 0
    assert json.loads(output)[-1] == {
        "version": "7.3.4",
        "series": "7.3",
        "cached": False,
        "offered": True,
        "supported": True,
        "download_bytes": 170_000_000,
        "path": None,
    }
    assert json.loads(output)[0]["supported"] is False


def test_kernels_offline_with_an_empty_cache_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def offline(**_: Any) -> list[Offer]:
        raise KernelFetchError("no network")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(listing.fetching, "offered", offline)
    with pytest.raises(KernelFetchError):
        cli.vm.main(["kernels"], standalone_mode=False)


def test_a_shell_without_a_terminal_is_refused() -> None:
    status, output = call("shell")
    assert status == 125
    assert "scxhid vm run" in output


def test_junit_is_counted_and_says_what_was_announced(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(JUNIT)
    assert guest_tests.junit_counts(path) == (2, 2, 1)
    assert guest_tests.junit_allowed(path) == ["WARN.*here"]
    path.write_text("<broken")
    assert guest_tests.junit_counts(path) == (0, 0, 0)
    assert guest_tests.junit_allowed(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("status", "lost", "verdict"),
    [
        (0, "", "passed"),
        (1, "", "failed"),
        (124, "it panicked", "machine lost"),
        (5, "", "no tests"),
    ],
)
def test_an_outcome_has_one_word(status: int, lost: str, verdict: str) -> None:
    outcome = Outcome(
        *("7.3.4", status, 3, 0, 0, 12.0, 6.0, "tcg", Path("j"), Path("l"), ()), lost=lost
    )
    assert outcome.verdict == verdict
    assert summary(outcome)["verdict"] == verdict
    json.dumps(summary(outcome))


def test_outside_a_checkout_there_are_no_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(guest_tests, "__file__", str(tmp_path / "vm" / "guest_tests.py"))
    with pytest.raises(WrongUse, match="in a checkout"):
        guest_tests.checkout()


def test_a_path_of_tests_is_told_from_a_word_of_a_filter(tmp_path: Path) -> None:
    (tmp_path / "tests" / "guest").mkdir(parents=True)
    (tmp_path / "vm").mkdir()
    assert guest_tests.names_tests(tmp_path, "tests/guest")
    assert guest_tests.names_tests(tmp_path, f"{tmp_path}/tests/guest::test_a")
    assert not guest_tests.names_tests(tmp_path, "vm")
    assert not guest_tests.names_tests(tmp_path, "-x")
    assert not guest_tests.names_tests(tmp_path, "tests/none.py")
