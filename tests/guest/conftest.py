"""What every test in the guest stands on: an empty slate before it, a clean kernel log after it.

``scxhid vm test`` runs this folder inside a virtual machine, in one boot.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from pyloader import sched, sysfs
from vm import klog
from vm.guest_tests import ALLOWED_PROPERTY

_KMSG = "/dev/kmsg"
_SYSRQ = "/proc/sysrq-trigger"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "kernel_log(regex): a report in the kernel log that this test provokes on purpose",
    )


@pytest.fixture(autouse=True)
def clean_kernel_log(request: pytest.FixtureRequest) -> Generator[None]:
    """Fail a test during which the kernel reported a bug; ``kernel_log`` markers announce some."""
    allowed = [str(mark.args[0]) for mark in request.node.iter_markers("kernel_log")]
    for pattern in allowed:
        request.node.user_properties.append((ALLOWED_PROPERTY, pattern))
    kmsg = os.open(_KMSG, os.O_RDONLY | os.O_NONBLOCK)
    try:
        os.lseek(kmsg, 0, os.SEEK_END)
        yield
        reports = klog.scan(_records(kmsg), allowed)
    finally:
        os.close(kmsg)
    if reports:
        text = "\n".join(line for report in reports for line in report.lines)
        pytest.fail(f"the kernel reported, during this test:\n{text}", pytrace=False)


@pytest.fixture(autouse=True)
def no_scheduler_left(clean_kernel_log: None) -> Generator[None]:
    """Put the kernel's own scheduler back before and after each test, whoever attached another."""
    _back_to_the_kernels_own()
    yield
    _back_to_the_kernels_own()


def _back_to_the_kernels_own() -> None:
    if not sysfs.read().is_supported or sysfs.read().ops is None:
        return
    sched.stop()
    if sysfs.read().ops is not None:
        # Held by an object that a test did not close: SysRq-S ejects whatever runs.
        with open(_SYSRQ, "w") as trigger:
            trigger.write("S")


def _records(kmsg: int) -> list[str]:
    """New records of /dev/kmsg as console lines (Documentation/ABI/testing/dev-kmsg)."""
    lines: list[str] = []
    while True:
        try:
            record = os.read(kmsg, 8192).decode(errors="replace")
        except BlockingIOError:
            return lines
        except BrokenPipeError:
            # Records were overwritten before they were read; the next read goes on after them.
            continue
        head, _, text = record.partition(";")
        stamp_us = int(head.split(",")[2])
        line = text.split("\n", 1)[0]
        lines.append(f"[{stamp_us // 1_000_000:5d}.{stamp_us % 1_000_000:06d}] {line}")
