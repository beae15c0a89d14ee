"""Every scheduler in a bare machine with many CPUs: attach, load, detach, one after the other.

A guest of virtme-ng with 64 emulated CPUs takes minutes; one whose whole user space is a static
loader and a static load takes half of that. It is the loader of the exact runs, on a machine that
does not count instructions.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyloader.hosted import NAME as HOST_NAME
from vm import accel as accelerators
from vm import klog
from vm.errors import VmError, VmLost
from vm.exact.plan import attach_lines, initramfs
from vm.exact.subject import Subject, subject
from vm.guest_workloads import compile_workloads
from vm.initramfs import Entry, archive
from vm.kernels import Kernel
from vm.lifeline import Leashed
from vm.programs import program
from vm.qemu import QEMU, accelerator_arguments, require_qemu
from vm.rundirs import run_directory

#: What runs under each scheduler, beside one hog a CPU, for so many seconds.
LOAD = ("hog,nice=19", "hog,cpu=-1", "8xsleep", "4xpair", "fork", "8xaffinity", "4xyield")
LOAD_S = 4

#: Real-time tasks beside it: what they are late, the machine itself was late.
FLOOR = ("floor,cpu=0", "floor,cpu=-1")

#: Longer than any task may be kept waiting beyond that.
LIMIT_US = 3_000_000

#: What the kernel's watchdog is given. Where 64 emulated CPUs take turns on two real ones its own
#: worker may be later than the schedulers' timeout; the kernel takes no more than 30 s.
WATCHDOG_MS = 30_000

_PROGRAM = 0o100755
_CROWD = "crowd"


@dataclass(frozen=True)
class Stay:
    """One scheduler's time in the machine: ``worst_us`` is the longest that one of ``tasks`` tasks
    of the load was kept from going on, ``task`` which one, and ``floor_us`` how late the machine
    itself was."""

    label: str
    tasks: int
    worst_us: int
    task: str
    floor_us: int


@dataclass(frozen=True)
class Outcome:
    """How it went. ``stays`` has one entry a scheduler and way of attaching, in order."""

    kernel: str
    cpus: int
    accel: str
    boot_s: float
    seconds: float
    stays: tuple[Stay, ...]

    def kept_waiting(self) -> list[str]:
        """A sentence for each scheduler under which a task waited too long."""
        return [
            f"{stay.label}: {stay.task} was kept waiting for {stay.worst_us / 1e6:.2f} s (the"
            f" machine itself was up to {stay.floor_us / 1e6:.2f} s late)"
            for stay in self.stays
            if stay.worst_us - stay.floor_us > LIMIT_US
        ]


def subjects(names: Sequence[str], *, as_used: bool = False) -> list[Subject]:
    """Each scheduler by itself, and again under the host where it can be hosted.

    ``as_used``: once each, as ``sched use`` puts it on.
    """
    used = [subject(name) for name in names]
    if as_used:
        return used
    direct = [subject(name, direct=True) for name in names]
    return [*direct, *(each for each in used if each.mode == "hosted")]


def plan(each: Sequence[Subject], cpus: int) -> str:
    """The loader's commands."""
    load = f"run /{_CROWD} {LOAD_S} {cpus}xhog {' '.join(LOAD + FLOOR)}"
    lines = ["sleep 1000", f"watchdog {WATCHDOG_MS}"]
    for what in each:
        lines += attach_lines([what])
        lines += [load, "detach"]
    return "\n".join(lines) + "\n"


def run(
    kernel: Kernel,
    names: Sequence[str],
    *,
    root: Path,
    cpus: int = 64,
    as_used: bool = False,
    accel: str = "auto",
    timeout_s: float = 900.0,
    say: Callable[[str], None] | None = None,
) -> Outcome:
    """Boot ``kernel`` with ``cpus`` CPUs and try all schedulers called ``names``.

    ``root`` is the checkout that holds the load's source; ``as_used`` is that of :func:`subjects`.

    Raises:
        VmLost: the machine did not end within ``timeout_s``, or died.
        VmError: a scheduler failed, or the kernel warned of something.
    """
    require_qemu()
    mode = accelerators.resolve(accel, kernel, say=say)
    all_ = subjects(names, as_used=as_used)
    with run_directory(None) as (directory, kept_log):
        [crowd] = [p for p in compile_workloads(root, directory) if p.name == _CROWD]
        # The kernel unpacks archives that follow each other.
        packed = initramfs(all_, plan(all_, cpus))
        packed += archive([Entry(_CROWD, _PROGRAM, crowd.read_bytes())])
        (directory / "initramfs").write_bytes(packed)
        started = time.monotonic()
        boot_s = _boot(kernel, cpus, mode, directory, timeout_s, kept_log)
        seconds = time.monotonic() - started
        stays = read_report((directory / "report").read_text(errors="replace"), all_)
        trouble = klog.scan_file(directory / "kernel.log")
        if trouble:
            raise VmError(
                f"the guest's kernel says: {trouble[0].line}; the whole log is {kept_log}"
            )
    return Outcome(kernel.version, cpus, mode, boot_s, seconds, tuple(stays))


def read_report(text: str, all_: Sequence[Subject]) -> list[Stay]:
    """What the loader reported of each scheduler.

    Raises:
        VmError: it gave up; the sentence says with which scheduler and why.
    """
    stays: list[Stay] = []
    rows: list[list[str]] = []
    for line in [*text.splitlines(), "program end"]:
        word, _, rest = line.partition(" ")
        if word == "said":
            rows.append(rest.split("\t"))
        elif word == "error":
            # Lines that are already there are those of the one before. If that was thrown out it
            # shows when it is to be detached, and the error begins with its name.
            at = all_[min(len(stays) + bool(rows), len(all_) - 1)]
            before = all_[min(len(stays), len(all_) - 1)]
            listed = HOST_NAME if before.mode == "hosted" else before.name
            if rest.startswith(f"{listed} was thrown out"):
                at = before
            raise VmError(f"{at.name} {at.mode} failed: {rest}")
        elif word == "program" and rows:
            what = all_[len(stays)]
            floors = [int(row[2]) for row in rows if row[0].startswith("floor")]
            tasks = [row for row in rows if not row[0].startswith("floor")]
            worst = max(tasks, key=lambda row: int(row[2]))
            broken = [row[0] for row in rows if int(row[3])]
            if broken:
                raise VmError(f"under {what.name} {what.mode} these went wrong: {broken}")
            label = f"{what.name} {what.mode}"
            stays.append(Stay(label, len(tasks), int(worst[2]), worst[0], max(floors)))
            rows = []
    if len(stays) != len(all_):
        raise VmError(f"the guest reported {len(stays)} of {len(all_)} schedulers")
    return stays


def _boot(
    kernel: Kernel, cpus: int, mode: str, directory: Path, timeout_s: float, kept_log: Path
) -> float:
    """Run the machine to its end; returns the seconds until its first program spoke."""
    words = [
        *(program(QEMU), "-nodefaults", "-no-user-config", *accelerator_arguments(mode)),
        *("-machine", "q35", "-m", "2G", "-smp", str(cpus), "-display", "none", "-no-reboot"),
        *("-serial", f"file:{directory / 'kernel.log'}"),
        *("-chardev", f"file,id=report,path={directory / 'report'}"),
        *("-device", "isa-debugcon,iobase=0xe9,chardev=report"),
        *("-device", "isa-debug-exit,iobase=0xf4,iosize=1"),
        *("-kernel", str(kernel.image), "-initrd", str(directory / "initramfs")),
        # An emulated CPU that waits for its turn looks locked up to the kernel's watchdogs.
        *("-append", "console=ttyS0 loglevel=6 oops=panic panic=-1 nowatchdog"),
    ]
    report = directory / "report"
    with (
        (directory / "qemu.log").open("wb") as said,
        open(os.devnull, "rb") as quiet,
        contextlib.closing(
            Leashed(words, stdin=quiet.fileno(), stdout=said.fileno(), stderr=said.fileno())
        ) as leash,
    ):
        started = time.monotonic()
        boot_s = 0.0
        what = f"did not end within {timeout_s:g} s"
        while time.monotonic() < started + timeout_s:
            if not boot_s and report.exists() and report.stat().st_size:
                boot_s = time.monotonic() - started
            with contextlib.suppress(subprocess.TimeoutExpired):
                leash.process.wait(0.2)
                what = "ended before its report was complete"
                break
    if not report.exists() or not report.read_bytes().endswith(b"end\n"):
        tail = klog.tail(directory / "kernel.log") or klog.read_lines(directory / "qemu.log")[:3]
        lines = [line for line in klog.read_lines(report) if line]
        done = sum(line.startswith("program ") for line in lines)
        raise VmLost(
            f"the machine with {cpus} CPUs and kernel {kernel.version} {what}; {done} schedulers"
            f" had run, and its loader's last words were: {lines[-1] if lines else 'none'}",
            kept_log,
            tail,
        )
    return boot_s
