"""Commands that are imported only when they are called, those of other packages among them."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import EntryPoint
from typing import Any

import click
import pytest
from click.testing import CliRunner

from pyloader.cli import COMMANDS, cli
from pyloader.cli.lazy import LazyGroup, Target
from pyloader.errors import Unsupported


@click.command()
def hello() -> None:
    """Say hello."""
    click.echo("hello")


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> LazyGroup:
    """One command that works, one whose package is missing, and one of another distribution."""

    def found(**_: Any) -> list[EntryPoint]:
        return [EntryPoint("theirs", f"{__name__}:hello", "some.commands")]

    monkeypatch.setattr("importlib.metadata.entry_points", found)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    targets = {
        "good": Target(f"{__name__}:hello", "says hello"),
        "bad": Target("package_of_tomorrow.cli:run", "needs what is not here"),
    }
    return LazyGroup("test", targets=targets, entry_points="some.commands")


def test_command_is_imported_when_it_is_called(group: LazyGroup) -> None:
    assert CliRunner().invoke(group, ["good"]).output == "hello\n"


def test_command_of_another_package_joins_in(group: LazyGroup) -> None:
    assert CliRunner().invoke(group, ["theirs"]).output == "hello\n"


def test_help_lists_all_without_importing_any(group: LazyGroup) -> None:
    shown = CliRunner().invoke(group, ["--help"]).output
    assert "good    says hello" in shown
    assert "bad     needs what is not here" in shown
    assert "theirs  from" in shown


def test_command_whose_package_is_missing_says_which(group: LazyGroup) -> None:
    raised = CliRunner().invoke(group, ["bad"]).exception
    assert isinstance(raised, Unsupported)
    assert "the command bad needs the Python package package_of_tomorrow" in str(raised)
    assert raised.exit_status == 3


def test_completion_lists_all_without_importing_any(group: LazyGroup) -> None:
    items = group.shell_complete(click.Context(group), "")
    assert [item.value for item in items] == ["good", "bad", "theirs"]
    assert [item.value for item in group.shell_complete(click.Context(group), "b")] == ["bad"]


def test_every_command_of_ours_has_a_line_of_help() -> None:
    assert all(target.short_help for target in COMMANDS.values())
    assert cli.list_commands(click.Context(cli))[: len(COMMANDS)] == list(COMMANDS)


# What it takes to look inside a scheduler of ours is allowed where there can be one.
HEAVY = ["numpy", "rich", "textual", "vm", "tui"]
INSIDE = ["pyloader.libbpf", "pyloader.spec", "pyloader.sched"]
IMPORTED = """
import json, sys
sys.argv = ["scxhid", "status"]
from pyloader.cli import main
try:
    main()
finally:
    print(json.dumps(list(sys.modules)), file=sys.stderr)
"""


def test_status_imports_nothing_heavy() -> None:
    command = [sys.executable, "-c", IMPORTED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = set(json.loads(done.stderr))
    assert not imported & set(HEAVY)
    if "no sched_ext" in done.stdout:
        assert not imported & set(INSIDE)
