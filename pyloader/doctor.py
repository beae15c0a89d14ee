"""What this machine can do, what it lacks for the rest, and the command that mends it.

Each check looks at one thing and changes nothing. It needs no privilege; what only
root can see is reported as unknown to anybody else.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pyloader import packages, sysfs
from pyloader.errors import ScxhidError, Unsupported

PURPOSES = ("schedulers", "hid", "build", "vm")
_KERNEL_BTF = Path("/sys/kernel/btf/vmlinux")
_LOCKDOWN = Path("/sys/kernel/security/lockdown")
_JIT = Path("/proc/sys/net/core/bpf_jit_enable")
_OLDEST_KERNEL = (6, 12)
_OLDEST_TESTED_KERNEL = (6, 16)
_OLDEST_CLANG = 14
# Another package's checks, looked up at run time because the core imports nothing above it.
_FURTHER_CHECKS = ("vm.checks:checks",)
_NEW_KERNEL = "boot Linux 6.16 or newer with {}; `scxhid vm shell` has one in a virtual machine"


@dataclass(frozen=True)
class Check:
    """One thing looked at: ``ok`` is None if it could not be told.

    ``needed_for`` names what fails without it, of PURPOSES, separated by blanks; empty
    for a mere piece of information. ``remedy`` is a command or what to do, empty if ok.
    """

    name: str
    ok: bool | None
    detail: str
    remedy: str = ""
    needed_for: str = ""


def run() -> list[Check]:
    """Every check, in the order in which a reader wants them."""
    core: tuple[Callable[[], Check], ...] = (
        kernel_version,
        sched_ext,
        hid_bpf,
        kernel_btf,
        jit,
        lockdown,
        bpf_file_system,
        loader,
        clang,
        privilege,
        attached,
    )
    return [check() for check in core] + [check for source in _further() for check in source()]


def abilities(checks: Iterable[Check]) -> dict[str, bool]:
    """Purpose → whether this machine can do it: something was checked and nothing is missing."""
    found: dict[str, list[bool]] = {purpose: [] for purpose in PURPOSES}
    for check in checks:
        for purpose in check.needed_for.split():
            found[purpose].append(check.ok is not False)
    return {purpose: bool(results) and all(results) for purpose, results in found.items()}


def _further() -> Iterator[Callable[[], list[Check]]]:
    for target in _FURTHER_CHECKS:
        module, _, attribute = target.partition(":")
        try:
            yield getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            # An installation may lack that package; a fault inside it must show.
            if not module.startswith(error.name or "."):
                raise


def kernel_version() -> Check:
    release = platform.release()
    found = re.match(r"(\d+)\.(\d+)", release)
    major, minor = (int(found[1]), int(found[2])) if found else (0, 0)
    version = (major, minor)
    remedy = _NEW_KERNEL.format("CONFIG_SCHED_CLASS_EXT=y")
    if version < _OLDEST_KERNEL:
        return Check(
            "kernel version", False, f"Linux {release} is too old", remedy, "schedulers hid"
        )
    if version < _OLDEST_TESTED_KERNEL:
        detail = f"Linux {release}; tested from 6.16 on"
        return Check("kernel version", None, detail, remedy, "schedulers hid")
    return Check("kernel version", True, f"Linux {release}", "", "schedulers hid")


def sched_ext() -> Check:
    state = sysfs.read()
    if state.is_supported:
        return Check("sched_ext", True, f"in the kernel, {state.state}", "", "schedulers")
    return Check(
        "sched_ext",
        False,
        "the kernel was built without CONFIG_SCHED_CLASS_EXT",
        _NEW_KERNEL.format("CONFIG_SCHED_CLASS_EXT=y"),
        "schedulers",
    )


def hid_bpf() -> Check:
    # The kernel's BTF has this type exactly if hid_bpf_ops is a struct_ops type (Linux 6.11).
    try:
        there = b"\0bpf_struct_ops_hid_bpf_ops\0" in _KERNEL_BTF.read_bytes()
    except OSError:
        return Check("HID-BPF", None, "the kernel has no BTF that would tell", "", "hid")
    if there:
        return Check("HID-BPF", True, "in the kernel", "", "hid")
    return Check(
        "HID-BPF",
        False,
        "the kernel was built without CONFIG_HID_BPF, or is older than 6.11",
        _NEW_KERNEL.format("CONFIG_HID_BPF=y"),
        "hid",
    )


def kernel_btf() -> Check:
    try:
        size = _KERNEL_BTF.stat().st_size
    except OSError:
        return Check(
            "kernel BTF",
            False,
            f"there is no {_KERNEL_BTF}",
            _NEW_KERNEL.format("CONFIG_DEBUG_INFO_BTF=y"),
            "schedulers hid",
        )
    return Check("kernel BTF", True, f"{size / 1e6:.1f} MB", "", "schedulers hid")


def jit() -> Check:
    try:
        on = _JIT.read_text().strip() != "0"
    except FileNotFoundError:
        on = False
    except OSError:
        return Check(
            "BPF compiler", None, "only root can see whether it is on", "sudo scxhid doctor"
        )
    return Check(
        "BPF compiler",
        on,
        "the kernel's just-in-time compiler is on" if on else "it is off, and struct_ops needs it",
        "" if on else "sudo sysctl net.core.bpf_jit_enable=1",
        "schedulers hid",
    )


def lockdown() -> Check:
    try:
        found = re.search(r"\[(\w+)\]", _LOCKDOWN.read_text())
    except OSError:
        found = None
    mode = found[1] if found else "none"
    # In that mode no BPF program may read kernel memory, which all of ours do on exit.
    ok = mode != "confidentiality"
    return Check(
        "kernel lockdown",
        ok,
        mode,
        "" if ok else "boot without lockdown=confidentiality",
        "schedulers hid",
    )


def bpf_file_system() -> Check:
    try:
        from pyloader import bpffs
    except Unsupported:
        return Check("BPF file system", None, "not to be told without the libbpf module")
    if bpffs.is_mounted():
        return Check("BPF file system", True, f"mounted at {bpffs.MOUNT}", "", "schedulers hid")
    return Check(
        "BPF file system",
        False,
        f"not mounted at {bpffs.MOUNT}",
        f"sudo mount -t bpf bpf {bpffs.MOUNT}",
        "schedulers hid",
    )


def loader() -> Check:
    try:
        libbpf = importlib.import_module("pyloader.libbpf")
    except ScxhidError as error:
        remedy = packages.install_command(["libbpf-dev"])
        if not packages.in_checkout():
            remedy = "pipx reinstall scxhid"
        return Check("libbpf module", False, str(error), remedy, "schedulers hid")
    version = ".".join(str(part) for part in libbpf.version())
    return Check("libbpf module", True, f"libbpf {version}", "", "schedulers hid")


def clang() -> Check:
    from pyloader.compile import find_clang

    remedy = packages.install_command(["clang", "llvm"])
    try:
        path = find_clang()
        words = subprocess.run(
            [path, "--version"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
    except (ScxhidError, OSError, subprocess.SubprocessError) as error:
        return Check("clang", False, str(error), remedy, "build")
    found = re.search(r"version (\d+)(\.\d+)*", words)
    if found is None:
        return Check("clang", None, f"{path} does not tell its version", remedy, "build")
    if int(found[1]) < _OLDEST_CLANG:
        detail = f"{path} is {found[0]}; {_OLDEST_CLANG} is the first with BTF declaration tags"
        return Check("clang", False, detail, remedy, "build")
    return Check("clang", True, f"{path}, {found[0]}", "", "build")


def privilege() -> Check:
    # Not a property of the machine, so nothing depends on it here.
    if os.geteuid() == 0:
        return Check("privilege", True, "root")
    detail = "loading into the kernel needs root; building and `vm` do not"
    return Check("privilege", False, detail, "sudo scxhid …")


def attached() -> Check:
    ops = sysfs.read().ops
    if ops is None:
        return Check("attached", True, "the kernel's own scheduler runs")
    try:
        from pyloader import bpffs

        ours = bpffs.current().is_attached() and bpffs.current().ops_name() == ops
    except Unsupported:
        return Check(
            "attached", None, f"{ops}; by whom is not to be told without the libbpf module"
        )
    except ScxhidError:
        return Check("attached", None, f"{ops}; only root can see by whom", "sudo scxhid doctor")
    if ours:
        return Check("attached", True, f"{ops}, by scxhid")
    remedy = f"stop the program that holds {ops}, or `scxhid sched use --replace …`"
    return Check("attached", None, f"{ops}, by another program", remedy)
