"""Tasks of a known name, user, nice value and cgroup; what they had of the CPUs."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

_LIBC = ctypes.CDLL(None)
_PR_SET_NAME = 15  # linux/prctl.h

CGROUPS = Path("/sys/fs/cgroup")


class Identity(NamedTuple):
    """What a task shall be; ``cgroup`` is a path below the root of the cgroups."""

    comm: str
    cgroup: str = "/"
    uid: int = 0
    nice: int = 0
    cpus: frozenset[int] = frozenset()


def spin() -> None:
    while True:
        pass


def doze() -> None:
    while True:
        time.sleep(0.002)


@contextmanager
def crowd(
    who: Iterable[Identity], work: Callable[[], None] = spin, renamed: str = "renamed"
) -> Generator[list[int]]:
    """A process for each identity; yields their pids. SIGUSR1 lets one call itself ``renamed``."""
    pids: list[int] = []
    try:
        for identity in who:
            ready, done = os.pipe()
            pid = os.fork()
            if pid == 0:
                _live(identity, work, renamed, done)
            pids.append(pid)
            os.close(done)
            told = os.read(ready, 100)
            os.close(ready)
            assert told == b"ready", told
        yield pids
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            os.waitpid(pid, 0)


def _live(identity: Identity, work: Callable[[], None], renamed: str, done: int) -> None:
    try:
        signal.signal(signal.SIGUSR1, lambda *_: _rename(renamed))
        if CGROUPS.joinpath(identity.cgroup.lstrip("/")) != CGROUPS:
            join(os.getpid(), identity.cgroup)
        _rename(identity.comm)
        os.setpriority(os.PRIO_PROCESS, 0, identity.nice)
        if identity.cpus:
            os.sched_setaffinity(0, identity.cpus)
        if identity.uid:
            os.setresuid(identity.uid, identity.uid, identity.uid)
        os.write(done, b"ready")
        work()
    except BaseException as error:
        os.write(done, repr(error)[:100].encode())
    finally:
        os._exit(1)


def _rename(name: str) -> None:
    # Not through /proc/self/comm: who has changed its user may not write there any more.
    assert _LIBC.prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()[:15]), 0, 0, 0) == 0


def join(pid: int, cgroup: str) -> None:
    """Move a process into a cgroup, which is made."""
    folder = CGROUPS / cgroup.lstrip("/")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.procs").write_text(str(pid))


def remove_cgroup(cgroup: str) -> None:
    """Take away a cgroup and those in it, which hold nothing."""
    top = CGROUPS / cgroup.lstrip("/")
    for folder, _, _ in os.walk(top, topdown=False):
        with suppress(OSError):  # files of cgroups go with their directory
            os.rmdir(folder)


def run_ns(pids: Iterable[int]) -> int:
    """CPU time that the processes have had, together."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids)


def ran_in(seconds: float, *groups: list[int]) -> list[int]:
    """CPU time (ns) that each group gets in that time."""
    before = [run_ns(group) for group in groups]
    time.sleep(seconds)
    return [run_ns(group) - then for group, then in zip(groups, before, strict=True)]


def last_cpu(pid: int) -> int:
    """The CPU that a process runs on or last ran on (proc(5), field 39 of stat)."""
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[36])


def set_online(cpu: int, online: bool) -> None:
    Path(f"/sys/devices/system/cpu/cpu{cpu}/online").write_text(str(int(online)))
