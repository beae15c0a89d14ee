"""Other processes, forked from this warm one: a new interpreter takes seconds in the guest."""

from __future__ import annotations

import os
import pickle
import signal
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any


class Child:
    """A forked process that runs ``work`` and ends; its result comes back by ``result``.

    ``work`` gets a function that tells the parent something before the end; the
    parent reads it by ``hear``.
    """

    def __init__(self, work: Callable[[Callable[[Any], None]], Any]) -> None:
        from_child, to_parent = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(from_child)
            _live(work, to_parent)
        os.close(to_parent)
        self._from_child = os.fdopen(from_child, "rb")
        self._status: int | None = None

    def hear(self) -> Any:
        """What the child told next; AssertionError with its traceback if it failed."""
        try:
            kind, value = pickle.load(self._from_child)
        except EOFError:
            raise AssertionError(f"the child ended with status {self.wait()}") from None
        if kind == "failed":
            self.wait()
            raise AssertionError(f"in the child: {value}")
        return value

    def result(self) -> Any:
        """What ``work`` returned, once it has."""
        value = self.hear()
        self.wait()
        return value

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Its exit status, negative for a signal."""
        if self._status is None:
            _, status = os.waitpid(self.pid, 0)
            self._status = os.waitstatus_to_exitcode(status)
            self._from_child.close()
        return self._status

    def kill(self) -> None:
        if self._status is None:
            self.signal(signal.SIGKILL)
            self.wait()


def _live(work: Callable[[Callable[[Any], None]], Any], to_parent: int) -> None:
    def tell(kind: str, value: Any) -> None:
        os.write(to_parent, pickle.dumps((kind, value)))

    try:
        value = work(lambda told: tell("told", told))
        tell("done", value)
    except BaseException:
        tell("failed", traceback.format_exc())
    finally:
        os._exit(0)


def forked(work: Callable[[], Any]) -> Any:
    """What ``work`` returns in another process."""
    return Child(lambda _: work()).result()


def pause() -> None:
    """Sleep until a signal ends it."""
    while True:
        time.sleep(60)


@contextmanager
def hogs(per_cpu: int = 2, nice: int = 0) -> Generator[list[int]]:
    """Busy loops, ``per_cpu`` times as many as CPUs; yields their pids."""
    pids: list[int] = []
    try:
        for _ in range(per_cpu * (os.cpu_count() or 1)):
            pid = os.fork()
            if pid == 0:
                os.nice(nice)
                while True:
                    pass
            pids.append(pid)
        yield pids
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            os.waitpid(pid, 0)
