"""The kernel's types are read once a process, and those of its modules only if they may matter."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pyloader.libbpf import Btf
from pyloader.object import BpfObject
from pyloader.spec import ObjectSpec

pytestmark = pytest.mark.host

KERNEL_BTF = Path("/sys/kernel/btf/vmlinux")


def read_so_far() -> int:
    """Bytes that this process has read, from wherever (proc_pid_io)."""
    found = re.search(r"rchar: (\d+)", Path("/proc/self/io").read_text())
    assert found
    return int(found[1])


def test_a_second_load_does_not_read_the_kernels_types_again(
    load: Callable[..., BpfObject], spec_of: Callable[[str], ObjectSpec]
) -> None:
    spec_of("host_struct_ops")
    load("host_struct_ops")
    before = read_so_far()
    load("host_struct_ops")
    assert read_so_far() - before < KERNEL_BTF.stat().st_size // 2


def test_who_closes_the_kernels_types_does_not_take_them_from_others() -> None:
    first, second = Btf.of_kernel(), Btf.of_kernel()
    wanted = second.find("task_struct")
    assert wanted
    del first
    assert second.type(wanted).name == "task_struct"
    assert Btf.of_kernel().find("task_struct") == wanted


def test_a_name_that_is_not_there_is_not_there_again() -> None:
    types = Btf.of_kernel()
    assert [types.find("no_such_type_at_all") for _ in range(2)] == [None, None]
