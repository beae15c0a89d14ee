"""What every test in the guest stands on: an empty slate before it, a clean kernel log after it.

``scxhid vm test`` runs this folder inside a virtual machine, in one boot.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.guest import kernel
from tests.guest.command import scxhid
from vm import klog
from vm.guest_tests import ALLOWED_PROPERTY, OBJECTS_VARIABLE, PASSED_VARIABLE

# One thread: a forked child has only the one that forked, and numpy starts more.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

OBJECTS = Path(os.environ.get(OBJECTS_VARIABLE, ""))

#: Tests that have passed, in this boot or one before it.
PASSED = Path(os.environ[PASSED_VARIABLE]) if os.environ.get(PASSED_VARIABLE) else None

#: Tests of which some part did not pass.
_unfinished: set[str] = set()

#: Gives the path of the object compiled from a source of that name.
Program = Callable[[str], str]

_KMSG = "/dev/kmsg"
_EJECTED = re.compile(r'BPF scheduler ".*" disabled \((?!unregistered from user space)')


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "kernel_log(regex): a report in the kernel log that this test provokes on purpose",
    )
    config.addinivalue_line("markers", "ejects: a scheduler is thrown out, or ends, on purpose")
    config.addinivalue_line("markers", "slow: takes minutes; runs only with -m slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    passed = frozenset(PASSED.read_text().splitlines()) if PASSED else frozenset()
    slow = not config.option.markexpr
    left_out = [
        item
        for item in items
        if item.nodeid in passed or (slow and item.get_closest_marker("slow"))
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note down each test that has passed, for another boot should this machine crash."""
    if not report.passed:
        _unfinished.add(report.nodeid)
    elif report.when == "teardown" and report.nodeid not in _unfinished and PASSED:
        with PASSED.open("a") as file:
            file.write(f"{report.nodeid}\n")
            file.flush()
            os.fsync(file.fileno())


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
def empty_slate(
    clean_kernel_log: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[None]:
    """The kernel's own scheduler, no pins and no history, before and after each test."""
    monkeypatch.setenv("SCXHID_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SCXHID_RUN_DIR", str(tmp_path / "run"))
    _back_to_the_kernels_own()
    yield
    _back_to_the_kernels_own()


@pytest.fixture(autouse=True)
def no_ejection(request: pytest.FixtureRequest, empty_slate: None) -> Generator[None]:
    """Fail a test during which the kernel threw a scheduler out, unless it is marked ``ejects``."""
    kmsg = os.open(_KMSG, os.O_RDONLY | os.O_NONBLOCK)
    try:
        os.lseek(kmsg, 0, os.SEEK_END)
        yield
        ended = [line for line in _records(kmsg) if _EJECTED.search(line)]
    finally:
        os.close(kmsg)
    if ended and request.node.get_closest_marker("ejects") is None:
        log = scxhid("sched", "log", "--dump").out
        pytest.fail("\n".join(["thrown out during this test:", *ended, log]), pytrace=False)


@pytest.fixture(scope="session")
def program() -> Program:
    """The compiled object of a test program or scheduler, by the name of its source.

    A copy in a place that every user may read: the checkout may lie in root's home.
    """
    copies = Path("/run/scxhid-test-objects")
    copies.mkdir(exist_ok=True)

    def find(name: str) -> str:
        path, copy = OBJECTS / f"{name}.bpf.o", copies / f"{name}.bpf.o"
        assert path.is_file(), f"{path} is missing; `scxhid vm test` makes it before the boot"
        if not copy.exists():
            shutil.copyfile(path, copy)
        return str(copy)

    return find


@pytest.fixture
def simple(program: Program) -> str:
    return program("simple")


def _back_to_the_kernels_own() -> None:
    kernel.unpin()
    if kernel.state() != "disabled":
        try:
            kernel.wait_disabled()
        except AssertionError:
            # Held by a process that a test did not end: SysRq-S ejects whatever runs.
            Path("/proc/sysrq-trigger").write_text("S")
            kernel.wait_disabled()


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
