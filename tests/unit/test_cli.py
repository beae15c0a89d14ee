"""The command line: forms, exit statuses and words, on a kernel without sched_ext."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from pyloader.cli import cli
from pyloader.cli.lazy import LazyGroup


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Scxhid = Callable[..., Outcome]


def _commands(group: click.Group, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        yield (*prefix, name)
        if name == "sched":
            command = group.get_command(context, name)
            assert isinstance(command, LazyGroup)
            yield from _commands(command, (*prefix, name))


# Those of vm are tested where they live.
COMMANDS = [words for words in _commands(cli) if words[0] not in ("vm", "demo")]


def test_commands_of_the_design_are_there() -> None:
    sched = {words[1] for words in COMMANDS if words[0] == "sched" and len(words) == 2}
    assert sched == {"list", "info", "use", "back", "stop", "knobs", "set", "stats", "rules", "log"}
    assert {"status", "doctor", "build", "check"} <= {words[0] for words in COMMANDS}


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache for sources that are written for one test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_that_starts_with_a_sentence(
    words: tuple[str, ...], scxhid: Scxhid
) -> None:
    for option in ("--help", "-h"):
        done = scxhid(*words, option)
        assert done.status == 0
        assert done.out.startswith(f"Usage: scxhid {' '.join(words)} ")
        paragraph = done.out.split("\n\n")[1].strip()
        assert paragraph[0].isupper()
        assert paragraph.endswith((".", ":"))
        assert done.err == ""


def test_help_lists_every_command_with_what_it_does(scxhid: Scxhid) -> None:
    done = scxhid("--help")
    listed = dict(
        line.split(maxsplit=1) for line in done.out.split("Commands:\n")[1].splitlines() if line
    )
    assert set(cli.list_commands(click.Context(cli))) == set(listed)
    assert "Exit status: 0 done" in done.out


def test_version_is_told(scxhid: Scxhid) -> None:
    from pyloader import __version__

    assert scxhid("--version").out == f"scxhid, version {__version__}\n"


@pytest.mark.parametrize(
    ("words", "meant"),
    [(("stauts",), "status"), (("sched", "lst"), "list"), (("sched", "knob"), "knobs")],
)
def test_unknown_command_is_wrong_use_and_names_the_nearest(
    words: tuple[str, ...], meant: str, scxhid: Scxhid
) -> None:
    done = scxhid(*words)
    assert done.status == 2
    assert f"No such command {words[-1]!r}. Did you mean {meant}" in done.err
    assert done.out == ""


WRONG = {
    "no such option": (("status", "--yaml"), "No such option"),
    "no scheduler named": (("sched", "use"), "Missing argument 'NAME|FILE'"),
    "unknown scheduler": (("sched", "use", "simpel"), "did you mean simple?"),
    "unknown scheduler to check": (("check", "simpel"), "did you mean simple?"),
    "unknown scheduler to explain": (("sched", "info", "zzz"), "`scxhid sched list` shows all"),
    "no equals sign": (("sched", "use", "simple", "fifo"), "'fifo' is not of the form KNOB=VALUE"),
    "no name": (("sched", "use", "simple", "=5"), "'=5' is not of the form KNOB=VALUE"),
    "unknown knob": (("sched", "use", "simple", "slice=5"), "did you mean slice_us?"),
    "twice": (("sched", "use", "simple", "fifo=on", "fifo=off"), "fifo is given twice"),
    "out of range": (
        ("sched", "use", "simple", "slice_us=1"),
        "slice_us=1 is out of range: it takes 100 to 100000 us",
    ),
    "no number": (
        ("sched", "use", "simple", "slice_us=fast"),
        "slice_us is u64 (us) and takes a whole number, not 'fast'",
    ),
    "no switch": (("sched", "use", "simple", "fifo=5"), "fifo is a switch and takes on or off"),
    "nothing to set": (("sched", "set"), "no knob is given"),
    "trial below zero": (
        ("sched", "use", "simple", "--trial", "-1"),
        "Invalid value for '--trial'",
    ),
    "trial without a number": (("sched", "back", "--trial", "nan"), "is not a number of seconds"),
    "endless watch": (("sched", "stats", "--watch", "inf"), "is not a number of seconds"),
    "no count": (("sched", "log", "-n", "0"), "Invalid value for '-n'"),
    "not C": (("build", "README.md"), "README.md is not C source; build takes FILE.bpf.c"),
    "no such shell": (("completion", "tcsh"), "'tcsh' is not one of"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_is_status_2_and_one_clear_sentence(case: str, scxhid: Scxhid) -> None:
    words, sentence = WRONG[case]
    done = scxhid(*words)
    assert done.status == 2
    assert sentence in done.err
    assert done.out == ""
    assert "Traceback" not in done.err


FAILED = {
    "missing object": (("sched", "use", "./none.bpf.o"), "scxhid: ./none.bpf.o does not exist\n"),
    "missing source": (("sched", "use", "none.bpf.c"), "scxhid: none.bpf.c does not exist\n"),
    "missing source to build": (("build", "none.bpf.c"), "scxhid: none.bpf.c does not exist\n"),
    "missing file to check": (("check", "none.bpf.o"), "scxhid: none.bpf.o does not exist\n"),
    "directory": (("sched", "info", "./"), "scxhid: ./ does not exist\n"),
}


@pytest.mark.parametrize("case", FAILED)
def test_missing_file_is_status_1(
    case: str, scxhid: Scxhid, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    words, sentence = FAILED[case]
    assert scxhid(*words) == (1, "", sentence)


@pytest.mark.parametrize(
    "words",
    [("use", "simple"), ("use", "simple", "--no-pin"), ("stop",), ("back",), ("knobs",),
     ("set", "fifo=on"), ("stats",)],
    ids=" ".join,
)  # fmt: skip
def test_kernel_without_sched_ext_is_status_3_and_points_to_doctor(
    words: tuple[str, ...], scxhid: Scxhid
) -> None:
    done = scxhid("sched", *words)
    assert done.status == 3
    assert "has no sched_ext (CONFIG_SCHED_CLASS_EXT); `scxhid doctor` says" in done.err
    assert done.err.count("\n") == 1
    assert done.out == ""


def test_status_is_json_of_the_documented_form(scxhid: Scxhid) -> None:
    done = scxhid("status", "--json")
    told = json.loads(done.out)
    assert done.status == 0
    assert set(told) == {"sched", "hid", "input"}
    assert {"state", "ops", "policy", "mode", "since", "knobs_changed"} <= set(told["sched"])
    assert told["sched"]["state"] == "unsupported"
    assert told["sched"]["mode"] == "none"
    assert told["sched"]["ops"] is None
    assert told["sched"]["knobs_changed"] == {}
    assert told["hid"] == []


def test_status_says_that_the_kernels_own_scheduler_runs(scxhid: Scxhid) -> None:
    assert scxhid("status") == (
        0,
        "scheduler  the kernel's own (this kernel has no sched_ext)\n",
        "",
    )


def test_list_names_every_scheduler_with_what_it_is(scxhid: Scxhid) -> None:
    root = Path(__file__).resolve().parents[2] / "schedulers"
    names = {path.name.removesuffix(".bpf.c") for path in root.glob("*.bpf.c")}
    told = json.loads(scxhid("sched", "list", "--json").out)
    assert {entry["name"] for entry in told} == names
    assert all(entry["about"] and entry["good_for"] for entry in told)
    assert not any(entry["runs"] for entry in told)
    shown = scxhid("sched", "list").out
    assert all(any(line.startswith(name) for line in shown.splitlines()) for name in names)


def test_info_is_json_with_knobs_stats_and_ops(scxhid: Scxhid) -> None:
    told = json.loads(scxhid("sched", "info", "simple", "--json").out)
    assert told["knobs"]["slice_us"] == {
        "value": 5000,
        "default": 5000,
        "min": 100,
        "max": 100_000,
        "unit": "us",
        "live": True,
        "doc": "time a task may run while others wait",
    }
    assert told["knobs"]["fifo"]["live"] is False
    assert next(iter(told["stats"])) == "dispatched_local"
    assert told["ops"]["simple"]["kind"] == "sched_ext_ops"
    assert told["license"] == "GPL"


def test_info_shows_variables_of_an_object_made_elsewhere(
    scxhid: Scxhid, object_of: Callable[[str], Path]
) -> None:
    shown = scxhid("sched", "info", object_of("no_tags")).out
    assert "no knobs are declared" in shown
    rows = {line.split()[0]: line.split()[1:] for line in shown.splitlines() if line.strip()}
    assert rows["slice_ns"] == ["u64", ".rodata", "10000000"]
    assert rows["smt_enabled"] == ["bool", ".rodata", "on"]


@pytest.mark.usefixtures("own_cache")
def test_build_compiles_beside_the_source_or_where_asked(scxhid: Scxhid, tmp_path: Path) -> None:
    source = tmp_path / "mine.bpf.c"
    source.write_text('#include "scx.h"\nchar _license[] SEC("license") = "GPL";\n')
    done = scxhid("build", source)
    made = tmp_path / "mine.bpf.o"
    assert done.status == 0
    assert done.out == f"{made} ({made.stat().st_size:,} bytes)\n"
    assert scxhid("build", source, "-o", tmp_path / "other.o").status == 0
    assert (tmp_path / "other.o").read_bytes() == made.read_bytes()


@pytest.mark.usefixtures("own_cache")
def test_build_shows_what_clang_says(scxhid: Scxhid, tmp_path: Path) -> None:
    source = tmp_path / "wrong.bpf.c"
    source.write_text("int main(void) { return nothing; }\n")
    done = scxhid("build", source)
    assert done.status == 1
    assert "wrong.bpf.c:1:25: error: use of undeclared identifier 'nothing'" in done.err
    assert done.err.endswith("does not compile; clang's diagnostics are above\n")
    assert done.out == ""
    assert not (tmp_path / "wrong.bpf.o").exists()
