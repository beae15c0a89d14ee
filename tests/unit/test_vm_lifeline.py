"""A process group that ends with us, however we end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vm.lifeline import Leashed

pytestmark = pytest.mark.skipif(not shutil.which("busybox"), reason="needs busybox")

OWNER = """\
import os, sys, time
from vm.lifeline import Leashed
with open(os.devnull, "r+b") as null:
    n = null.fileno()
    leash = Leashed(["sh", "-c", "sleep 1000 & wait"], stdin=n, stdout=n, stderr=n)
print(leash.process.pid, flush=True)
time.sleep(1000)
"""


def group_of(leader: int) -> list[int]:
    """Processes of that process group that are not zombies."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def children() -> list[int]:
    return [
        int(pid)
        for task in Path("/proc/self/task").iterdir()
        for pid in (task / "children").read_text().split()
    ]


def gone(leader: int) -> bool:
    for _ in range(200):
        if not group_of(leader):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_the_group_ends_with_its_owner(number: signal.Signals) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    leader = int(owner.stdout.readline())
    assert group_of(leader)
    owner.send_signal(number)
    owner.wait()
    owner.stdout.close()
    assert gone(leader)


def test_closing_ends_the_whole_group() -> None:
    with open(os.devnull, "r+b") as null:
        end = null.fileno()
        leash = Leashed(["sh", "-c", "sleep 1000 & wait"], stdin=end, stdout=end, stderr=end)
    leader = leash.process.pid
    leash.close()
    assert gone(leader)


def test_a_command_that_has_ended_is_no_error() -> None:
    with open(os.devnull, "r+b") as null:
        end = null.fileno()
        leash = Leashed(["true"], stdin=end, stdout=end, stderr=end)
    leash.process.wait()
    leash.close()
    assert leash.process.returncode == 0


def test_a_command_that_is_not_there_leaves_no_watcher() -> None:
    with open(os.devnull, "r+b") as null:
        end = null.fileno()
        with pytest.raises(FileNotFoundError):
            Leashed(["/no/such/program"], stdin=end, stdout=end, stderr=end)
    assert not children()
