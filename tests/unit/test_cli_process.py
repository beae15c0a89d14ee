"""The command as a process of its own: pipes, closed and full outputs, completion."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest


def _run(
    launcher: Path, *words: str, shell: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    command = f'set -o pipefail; "$@" {shell}' if shell else '"$@"'
    return subprocess.run(
        ["bash", "-c", command, "bash", str(launcher), *words],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
        timeout=60,
    )


def test_status_of_this_machine_is_json(launcher: Path) -> None:
    done = _run(launcher, "status", "--json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert told["sched"]["state"] in ("unsupported", "disabled", "enabled")


@pytest.mark.parametrize(
    "words", [("--help",), ("sched", "info", "simple"), ("sched", "list"), ("status", "--json"),
              ("completion", "bash")], ids=" ".join
)  # fmt: skip
@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_reader_that_leaves_early_is_no_traceback(
    words: tuple[str, ...], reader: str, launcher: Path
) -> None:
    done = _run(launcher, *words, shell=f"| {reader}")
    assert done.stderr == ""
    assert done.returncode in (0, 1)


@pytest.mark.parametrize("words", [("status",), ("sched", "info", "simple"), ("--help",)])
def test_full_disk_under_the_output_is_one_sentence(words: tuple[str, ...], launcher: Path) -> None:
    done = _run(launcher, *words, shell="> /dev/full")
    assert done.returncode == 1
    assert done.stderr == "scxhid: the output cannot be written: no space is left there\n"


def test_closed_output_is_no_error(launcher: Path) -> None:
    done = _run(launcher, "status", shell=">&-")
    assert (done.returncode, done.stderr) == (0, "")


def test_lines_are_not_cut_off_in_a_pipe(launcher: Path) -> None:
    done = _run(launcher, "sched", "info", "simple", COLUMNS="40")
    doc = "time a task may run while others wait"
    row = next(line for line in done.stdout.splitlines() if line.startswith("slice_us"))
    assert doc in row
    assert "…" not in done.stdout
    assert "\x1b" not in done.stdout


def test_error_goes_to_stderr_with_its_status(launcher: Path) -> None:
    done = _run(launcher, "sched", "use", "simpel")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("scxhid: no scheduler is called 'simpel'; did you mean simple?")


@pytest.mark.parametrize("encoding", ["ascii", "iso8859-1"])
def test_terminal_without_our_letters_is_no_error(
    encoding: str, launcher: Path, tmp_path: Path
) -> None:
    source = tmp_path / "abroad.bpf.c"
    source.write_text(
        '#include "scx.h"\n#include "declare.h"\nchar _license[] SEC("license") = "GPL";\n'
        'ABOUT("to the →", "all ♥");\nKNOB(u64, a, 1, 0, 2, "♥", "→");\n'
    )
    own = {"PYTHONIOENCODING": encoding, "XDG_CACHE_HOME": str(tmp_path)}
    done = _run(launcher, "sched", "info", str(source), **own)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("abroad: to the ")


# --- completion ---


def _complete(launcher: Path, *words: str) -> list[str]:
    """What bash is told when the last of ``words`` is to be completed."""
    done = _run(
        launcher,
        _SCXHID_COMPLETE="bash_complete",
        COMP_WORDS=" ".join(["scxhid", *words]),
        COMP_CWORD=str(len(words)),
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_commands_are_completed(launcher: Path) -> None:
    assert _complete(launcher, "st") == ["status"]
    assert {"list", "use", "stop", "set"} <= set(_complete(launcher, "sched", ""))


def test_keymaps_are_completed_and_files_left_to_the_shell(launcher: Path) -> None:
    assert _complete(launcher, "hid", "remap", "vim") == ["vim-nav"]
    assert _complete(launcher, "hid", "remap", "min") == ["min"]


def test_schedulers_are_completed(launcher: Path) -> None:
    assert _complete(launcher, "sched", "use", "sim") == ["simple"]
    assert _complete(launcher, "sched", "info", "simpl") == ["simple"]
    assert _complete(launcher, "check", "zz") == []


def test_knobs_of_the_named_scheduler_are_completed(launcher: Path) -> None:
    assert sorted(_complete(launcher, "sched", "use", "simple", "")) == ["fifo=", "slice_us="]
    assert _complete(launcher, "sched", "use", "simple", "sl") == ["slice_us="]


def test_knobs_of_nothing_are_no_error(launcher: Path) -> None:
    assert _complete(launcher, "sched", "use", "nonsense", "") == []


def test_options_are_completed(launcher: Path) -> None:
    assert "--trial" in _complete(launcher, "sched", "use", "simple", "--t")
    assert "--version" in _complete(launcher, "--")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_for_each_shell_asks_this_command(shell: str, launcher: Path) -> None:
    done = _run(launcher, "completion", shell)
    assert done.returncode == 0
    assert f"_SCXHID_COMPLETE={shell}_complete" in done.stdout
    assert "scxhid" in done.stdout


def test_bash_takes_the_script(launcher: Path, tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(_run(launcher, "completion", "bash").stdout)
    listed = subprocess.run(
        ["bash", "-c", f"source {script} && complete -p scxhid"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "_scxhid_completion scxhid" in listed.stdout
