"""``vm test``: the tests inside are reported as if they ran outside, the kernel log included."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

from tests.vm.started import Ended
from vm.kernels import Kernel

TESTS = """\
import pytest

def test_passes():
    pass

def test_fails():
    assert 1 == 2

@pytest.mark.skip(reason="not today")
def test_skips():
    pass

def test_makes_the_kernel_complain():
    with open("/dev/kmsg", "w") as log:
        log.write("<4>BUG: made up by a test\\n")

def test_makes_the_kernel_complain_and_says_so(record_property):
    record_property("kernel_log", "an announced one")
    with open("/dev/kmsg", "w") as log:
        log.write("<4>WARNING: an announced one\\n")
"""


def test_a_run_in_the_guest(
    scxhid_vm: Callable[..., Ended], kernel: Kernel, tmp_path: Path
) -> None:
    guest = tmp_path / "tests" / "guest"
    guest.mkdir(parents=True)
    (guest / "test_made.py").write_text(TESTS)
    ended = scxhid_vm("test", "--kernel", kernel.version, "--", "-rs", cwd=tmp_path)
    output = ended.stdout.decode()
    assert ended.status == 1
    assert "3 passed, 1 skipped" in output.replace("1 failed, ", "")
    assert "assert 1 == 2" in output
    assert "not today" in output
    assert "no test announced, so the run fails: BUG: made up by a test" in ended.stderr
    assert "an announced one" not in ended.stderr
    junit = ElementTree.parse(tmp_path / "build" / f"guest-{kernel.version}.xml")
    [suite] = junit.iter("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "1", "1")
    assert (tmp_path / "build" / f"guest-{kernel.version}.log").stat().st_size > 0
