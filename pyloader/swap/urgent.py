"""Ahead of the queue for a moment: between two schedulers the caller must not wait for its turn."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress

#: The least that is above every task that a scheduler of sched_ext holds.
PRIORITY = 1

_DEADLINE = 6  # uapi/linux/sched.h: the module os has no name for it


@contextmanager
def urgent() -> Generator[None]:
    """The calling thread is real-time inside, and what it starts there is not.

    Without the privilege, or for a thread that is real-time already, nothing changes.
    """
    before = _raise()
    try:
        yield
    finally:
        if before:
            with suppress(OSError):
                os.sched_setscheduler(0, *before)


def _raise() -> tuple[int, os.sched_param] | None:
    """The policy and parameters from before; None if nothing was changed."""
    try:
        policy, param = os.sched_getscheduler(0), os.sched_getparam(0)
        if policy & ~os.SCHED_RESET_ON_FORK in (os.SCHED_FIFO, os.SCHED_RR, _DEADLINE):
            return None
        fifo = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, fifo, os.sched_param(PRIORITY))
    except OSError:
        return None
    return policy, param
