"""A scheduler attached by itself for as long as it is measured: no host, no pin, no other's place.

It goes with the process that attached it, however that ends.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyloader import BpfObject

_OPS = "sched_ext_ops"
_STATE_WITHIN_NS = 5_000_000_000


@contextmanager
def attached(scheduler: BpfObject | None) -> Generator[None]:
    """Let it run inside the block; None: the kernel's own does.

    Raises:
        ScxhidError: it does not run, or was thrown out meanwhile.
    """
    if scheduler is None:
        yield
        return
    ops = scheduler.spec.sole_ops(_OPS)
    link: Any = scheduler.attach(ops.name)
    try:
        _wait(ops.kernel_name, scheduler)
        yield
        _require(ops.kernel_name, scheduler)
    finally:
        link.close()
        _wait(None)


def _wait(name: str | None, scheduler: BpfObject | None = None) -> None:
    """Until that scheduler runs; None: until none does."""
    from pyloader import ScxhidError, sysfs

    deadline_ns = time.monotonic_ns() + _STATE_WITHIN_NS
    while True:
        now = sysfs.read()
        if now.runs(name) if name else now.state == "disabled":
            return
        if time.monotonic_ns() > deadline_ns:
            raise ScxhidError(f"it does not run ({_reason(scheduler)}), sched_ext is {now.state}")
        time.sleep(0.02)


def _require(name: str, scheduler: BpfObject) -> None:
    from pyloader import ScxhidError, sysfs

    if not sysfs.read().runs(name):
        raise ScxhidError(f"the kernel threw it out while it was measured: {_reason(scheduler)}")


def _reason(scheduler: BpfObject | None) -> str:
    record = scheduler.exit_record if scheduler else None
    info = record.read() if record else None
    return info.sentence() if info else "no reason was recorded"
