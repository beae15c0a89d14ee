"""A reproducible initramfs of one program, and the bare boot of a kernel with it.

The bare boot is the shortest way from nothing to a program of ours in a guest: the yardstick for
``vm run``'s boot, and the probe that tells whether KVM works (its device file proves nothing).
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vm import klog
from vm.errors import VmLost
from vm.kernels import Kernel
from vm.lifeline import Leashed
from vm.programs import program
from vm.qemu import QEMU, accelerator_arguments
from vm.rundirs import run_directory

_DIRECTORY = 0o040755
_PROGRAM = 0o100755
_DEVICE = 0o020600

_INIT = b"""#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
read -r up rest </proc/uptime
echo "init $up" >/dev/ttyS1
/bin/busybox poweroff -f
"""


@dataclass(frozen=True)
class Entry:
    """One file of an archive: its path without a leading slash, mode with type, content.

    ``device`` is the (major, minor) of a device node.
    """

    path: str
    mode: int
    body: bytes = b""
    device: tuple[int, int] = (0, 0)


def archive(entries: Sequence[Entry]) -> bytes:
    """A cpio archive in the kernel's ``newc`` format, the same bytes for the same entries.

    Owners are root, times are zero, inode numbers count up
    (Documentation/driver-api/early-userspace/buffer-format.rst).
    """
    out = bytearray()
    for number, entry in enumerate([*entries, Entry("TRAILER!!!", 0)], start=1):
        name = entry.path.encode() + b"\0"
        links = 2 if entry.mode & 0o170000 == 0o040000 else 1
        fields = (
            *(number, entry.mode, 0, 0, links, 0, len(entry.body)),
            *(0, 0, *entry.device, len(name), 0),
        )
        out += b"070701" + b"".join(b"%08X" % field for field in fields)
        out += name + bytes(-(len(out) + len(name)) % 4)
        out += entry.body + bytes(-len(entry.body) % 4)
    return bytes(out) + bytes(-len(out) % 512)


def bare() -> bytes:
    """The archive whose init reports the guest's uptime on the second serial port and ends."""
    return archive(
        [
            *(Entry(name, _DIRECTORY) for name in ("bin", "dev", "proc")),
            Entry("dev/console", _DEVICE, device=(5, 1)),
            Entry("bin/busybox", _PROGRAM, Path(program("busybox")).read_bytes()),
            Entry("init", _PROGRAM, _INIT),
        ]
    )


@dataclass(frozen=True)
class BareBoot:
    """Seconds from the start of QEMU to the first program (``init_s``), the guest's own clock at
    that moment (``uptime_s``), and seconds until QEMU had ended."""

    init_s: float
    uptime_s: float
    total_s: float


def bare_boot(kernel: Kernel, *, accel: str, cpus: int = 2, timeout_s: float = 120.0) -> BareBoot:
    """Boot ``kernel`` with nothing but the bare initramfs.

    Raises:
        VmLost: no program ran within ``timeout_s``.
    """
    with run_directory(None) as (directory, kept_log):
        (directory / "initramfs").write_bytes(bare())
        reader, writer = os.pipe()
        command = [
            *(program(QEMU), "-nodefaults", "-no-user-config", *accelerator_arguments(accel)),
            *("-machine", "q35", "-m", "512M", "-smp", str(cpus), "-display", "none"),
            *("-no-reboot", "-serial", f"file:{directory / 'kernel.log'}"),
            *("-chardev", f"file,id=report,path=/proc/self/fd/{writer}"),
            *("-serial", "chardev:report"),
            *("-kernel", str(kernel.image), "-initrd", str(directory / "initramfs")),
            *("-append", "console=ttyS0 loglevel=5 oops=panic panic=-1"),
        ]
        started_ns = time.monotonic_ns()
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, reader)
            said = stack.enter_context((directory / "qemu.log").open("wb"))
            quiet = stack.enter_context(open(os.devnull, "rb"))
            try:
                leash = Leashed(
                    command,
                    stdin=quiet.fileno(),
                    stdout=said.fileno(),
                    stderr=said.fileno(),
                    pass_fds=(writer,),
                )
            finally:
                # QEMU has its own copy; ours would hide its end.
                os.close(writer)
            stack.enter_context(contextlib.closing(leash))
            line, at_ns = _first_line(reader, started_ns + int(timeout_s * 1e9))
            word, _, uptime = line.partition(" ")
            if word != "init":
                _raise(kernel, accel, timeout_s, directory, kept_log)
            with contextlib.suppress(subprocess.TimeoutExpired):
                leash.process.wait(timeout_s)
            ended_ns = time.monotonic_ns()
    return BareBoot((at_ns - started_ns) / 1e9, float(uptime), (ended_ns - started_ns) / 1e9)


def _first_line(descriptor: int, deadline_ns: int) -> tuple[str, int]:
    """The first line that comes, and when; an empty one if none does before the deadline."""
    text = b""
    while b"\n" not in text:
        left_s = (deadline_ns - time.monotonic_ns()) / 1e9
        if left_s <= 0 or not select.select([descriptor], [], [], left_s)[0]:
            break
        data = os.read(descriptor, 4096)
        if not data:
            break
        text += data
    now_ns = time.monotonic_ns()
    return (text.split(b"\n", 1)[0].decode(errors="replace").strip(), now_ns)


def _raise(kernel: Kernel, accel: str, timeout_s: float, directory: Path, kept_log: Path) -> None:
    log = directory / "kernel.log"
    # A machine that dies at once has no kernel log; QEMU then says why, in its first line.
    tail = klog.tail(log) or klog.read_lines(directory / "qemu.log")[:3]
    last = tail[0 if not klog.tail(log) else -1] if tail else "it said nothing"
    raise VmLost(
        f"kernel {kernel.version} on {accel} ran no program within {timeout_s:g} s ({last});"
        " try another kernel, or --accel tcg",
        kept_log,
        tail,
    )
