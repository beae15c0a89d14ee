"""What holds for every test: where it may run, and that a skip is never silent when asked.

The folder says what a test needs: ``unit`` nothing, ``host`` root and this kernel's
BPF, ``vm`` QEMU, ``guest`` a kernel with sched_ext (``scxhid vm test`` runs those).
With ``--no-skip`` or ``SCXHID_NO_SKIP=1`` (``make test`` sets it) a test that would be
skipped fails, so that a green run means that everything ran.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FOLDER_MARKS = ("host", "vm", "guest")

# A job in the background of a script starts with SIGINT ignored, and so would all that it starts:
# the tests of Ctrl-C need what a terminal's foreground job has.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skip",
        action="store_true",
        default=os.environ.get("SCXHID_NO_SKIP", "") not in ("", "0"),
        help="let a test that would be skipped fail",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not item.path.is_relative_to(HERE):
            continue
        folder = item.path.relative_to(HERE).parts[0]
        if folder in FOLDER_MARKS:
            item.add_marker(folder)
        reason = _unfit(folder)
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


def _unfit(folder: str) -> str:
    """Why tests of ``folder`` cannot run here; empty if they can."""
    if folder == "host" and os.geteuid() != 0:
        return "needs root, for bpf(2)"
    if folder == "guest" and not os.path.isdir("/sys/kernel/sched_ext"):
        return "this kernel has no sched_ext; `scxhid vm test` runs it in a virtual machine"
    return ""


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport, config: pytest.Config) -> None:
    if not report.skipped or hasattr(report, "wasxfail") or not config.getoption("--no-skip"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"not run, and nothing may be skipped: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report, item.config)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report, collector.config)
    return report
