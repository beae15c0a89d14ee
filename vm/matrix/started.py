"""A workload's process in the guest: in a session and a cgroup of its own, and with an end.

Its output goes to files in memory, so that nobody has to run while it measures.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

CGROUPS = Path("/sys/fs/cgroup")

_RUN = "scxhid-run"

#: What it may print, in bytes, at most.
MOST_OUTPUT = 64 << 20

#: How often is looked whether there is any sense in waiting on.
_LOOK_S = 1.0

#: Above all that is measured: a scheduler that lets everything starve must not take us along.
_PRIORITY = 50


@dataclass(frozen=True)
class Limits:
    """Seconds that it may take, and those in which nobody looks at it: a look is work that the
    scheduler under measurement would have to find room for."""

    timeout_s: float
    quiet_s: float


@dataclass(frozen=True)
class Ended:
    """``status`` is the exit status, or the negative number of a signal; None: it was stopped."""

    status: int | None
    stdout: bytes
    stderr: bytes
    seconds: float


def run(work: Callable[[], object], limits: Limits, goes_on: Callable[[], bool]) -> Ended:
    """Let a child process do ``work``, and wait for its end.

    It is stopped, with all that it has started, when its time is over, or ``goes_on`` says no.
    What its descendants leave behind is killed in any case, and cgroups that they made go.
    """
    before = set(_cgroups(CGROUPS))
    group = CGROUPS / _RUN
    with _files() as (out, err):
        group.mkdir(exist_ok=True)
        started_ns = time.monotonic_ns()
        with _undisturbed():
            child = os.fork()
            if child == 0:
                _become(work, group, out, err)
            try:
                status = _wait(child, limits, goes_on)
                seconds = (time.monotonic_ns() - started_ns) / 1e9
            finally:
                _kill(group, child)
                for other in set(_cgroups(CGROUPS)) - before:
                    _remove(other)
            return Ended(status, _content(out), _content(err), seconds)


def _become(work: Callable[[], object], group: Path, out: int, err: int) -> NoReturn:
    """What the child does: never returns."""
    status = 1
    try:
        os.setsid()
        (group / "cgroup.procs").write_text("0")
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, descriptor in enumerate((nothing, out, err)):
            os.dup2(descriptor, number)
        resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_OUTPUT, MOST_OUTPUT))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        work()
        status = 0
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(2, f"{' '.join(str(error).split()) or type(error).__name__}\n".encode())
    finally:
        os._exit(status)


def _wait(child: int, limits: Limits, goes_on: Callable[[], bool]) -> int | None:
    descriptor = os.pidfd_open(child)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        until = time.monotonic() + limits.timeout_s
        next_s = limits.quiet_s
        while not poll.poll(max(1.0, min(next_s, until - time.monotonic()) * 1000)):
            if time.monotonic() >= until or not goes_on():
                return None
            next_s = _LOOK_S
    finally:
        os.close(descriptor)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextlib.contextmanager
def _undisturbed() -> Generator[None]:
    """Real-time meanwhile; children are not."""
    os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(_PRIORITY))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@contextlib.contextmanager
def _files() -> Generator[tuple[int, int]]:
    with tempfile.TemporaryFile(dir="/run") as out, tempfile.TemporaryFile(dir="/run") as err:
        yield out.fileno(), err.fileno()


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, MOST_OUTPUT, 0)


def _kill(group: Path, child: int) -> None:
    _remove(group)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)


def _remove(group: Path) -> None:
    """Kill all that is in it and below, and take it away."""
    deadline = time.monotonic() + 10
    while group.exists() and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            (group / "cgroup.kill").write_text("1")
        for each in [*sorted(_cgroups(group), key=lambda path: -len(path.parts)), group]:
            with contextlib.suppress(OSError):
                each.rmdir()
        time.sleep(0.01)


def _cgroups(root: Path) -> list[Path]:
    """All cgroups below."""
    return [Path(at) / name for at, names, _ in os.walk(root) for name in names]
