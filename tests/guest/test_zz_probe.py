import os

import pytest


def test_root():
    assert os.geteuid() == 0


def test_scx():
    from pyloader import sysfs

    assert sysfs.read().is_supported


@pytest.mark.kernel_log("WARNING: fake")
def test_allowed():
    open("/dev/kmsg", "w").write("<4>WARNING: fake thing\n")


def test_bad():
    open("/dev/kmsg", "w").write("<4>BUG: fake bug\n")
