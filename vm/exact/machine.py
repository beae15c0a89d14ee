"""The exact machine: QEMU counting instructions, one initramfs, nothing of the host inside."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyloader.errors import Unsupported
from vm import klog
from vm.errors import VmError, VmLost
from vm.exact import rounds
from vm.exact.image import fastest_image
from vm.exact.program import lockstep
from vm.kernels import Kernel
from vm.lifeline import Leashed
from vm.programs import program
from vm.qemu import QEMU, qemu_version
from vm.rundirs import run_directory

#: Older ones let one vCPU run to the next timer before another gets its turn.
OLDEST_QEMU = (8, 1)

_MEMORY = "512M"

#: Room for translated code, by default a part of the host's memory. A full one is emptied, which
#: ends the turn of a CPU.
_TRANSLATED_MB = 512

#: The counter of cycles counts instructions, and is not measured against clocks that are coarser.
#: Nothing tests itself first.
_KERNEL = (
    "console=ttyS0 loglevel=5 oops=panic panic=-1 nokaslr cryptomgr.notests"
    " tsc=reliable tsc_early_khz=1000000 hpet=disable pmtmr=0"
)

#: What the kernel's log holds once it is over. QEMU then ends only when all CPUs are idle.
_PANIC = b"Kernel panic - not syncing"

#: How long it may go on after that, to write the rest of its log.
_LAST_WORDS_S = 2.0

#: How long one round of turns through all vCPUs may last, at most; 0: as QEMU does it by itself.
ROUND_US = 50


class Ejected(VmError):
    """The kernel threw the scheduler out in the middle."""


class Stopped(Exception):
    """Nobody wants to know any more."""


@dataclass(frozen=True)
class Run:
    """What a machine left: its report, the seconds it took on the host, how it was started."""

    report: bytes
    host_s: float
    command: tuple[str, ...]


def require_qemu() -> str:
    """QEMU's version, as text.

    Raises:
        Unsupported: it is missing, or too old to share time between vCPUs.
    """
    program(QEMU)
    version = qemu_version()
    text = ".".join(map(str, version)) if version else "an unknown version"
    if version is None or version < OLDEST_QEMU:
        raise Unsupported(
            f"exact runs need QEMU 8.1 or newer and this machine has {text}, which lets one"
            " virtual CPU run on while others wait; install qemu-system-x86 from your"
            " distribution's backports"
        )
    return text


def arguments(
    image: Path,
    cpus: int,
    seed: int,
    directory: Path,
    round_us: int = ROUND_US,
    more: Sequence[str] = (),
    kernel_words: str = "",
) -> list[str]:
    """QEMU's arguments, with ``more`` of them. Files of the run are in ``directory``: initramfs,
    report, kernel.log.

    Whatever could differ between two runs is fixed: the clock is the count of instructions (one
    a ns), the date and QEMU's own chance are given, no device asks the host for anything. The
    default CPU model has no RDRAND.
    """
    return [
        *("-nodefaults", "-no-user-config", "-accel", f"tcg,tb-size={_TRANSLATED_MB}"),
        *("-icount", "shift=0,sleep=off,align=off"),
        *("-rtc", "base=2025-01-01T00:00:00,clock=vm", "-seed", "1"),
        *("-m", _MEMORY, "-smp", str(cpus)),
        *("-display", "none", "-no-reboot", "-serial", f"file:{directory / 'kernel.log'}"),
        *("-chardev", f"file,id=report,path={directory / 'report'}"),
        *("-device", "isa-debugcon,iobase=0xe9,chardev=report"),
        *("-device", "isa-debug-exit,iobase=0xf4,iosize=1"),
        *(rounds.arguments(round_us) if round_us and cpus > 1 else ("-machine", "q35")),
        *("-kernel", str(image), "-initrd", str(directory / "initramfs")),
        "-append",
        f"{_KERNEL} scxhid_seed={seed} {kernel_words}".rstrip(),
        *more,
    ]


def run(
    kernel: Kernel,
    cpus: int,
    seed: int,
    initramfs: bytes,
    *,
    round_us: int = ROUND_US,
    timeout_s: float = 300.0,
    more: Sequence[str] = (),
    kernel_words: str = "",
    is_stopped: Callable[[], bool] = lambda: False,
) -> Run:
    """Boot the machine, wait for its end, and return its report. ``more`` are words for QEMU,
    ``kernel_words`` for the kernel.

    Raises:
        Stopped: ``is_stopped`` said so, which is asked all the while.
        VmLost: it did not end by itself within ``timeout_s``, or died.
        VmError: its kernel warned of something, or its program says why it gave up.
    """
    with run_directory(None) as (directory, kept_log):
        (directory / "initramfs").write_bytes(initramfs)
        (directory / "kernel.log").touch()
        words = arguments(
            fastest_image(kernel), cpus, seed, directory, round_us, more, kernel_words
        )
        started = time.monotonic()
        with contextlib.ExitStack() as stack:
            said = stack.enter_context((directory / "qemu.log").open("wb"))
            leash = Leashed(
                [program(QEMU), *words],
                stdin=subprocess.DEVNULL,
                stdout=said.fileno(),
                stderr=said.fileno(),
                environment={"LD_PRELOAD": _preloaded()},
            )
            stack.enter_context(contextlib.closing(leash))
            if not _ended(leash.process, directory / "kernel.log", started + timeout_s, is_stopped):
                _lost(kernel, f"did not end within {timeout_s:g} s", directory, kept_log)
        host_s = time.monotonic() - started
        report = _read(directory / "report")
        if not report.endswith(b"end\n"):
            full = os.statvfs(directory).f_bavail == 0
            why = ": the disk of its directory is full" if full else ""
            _lost(kernel, f"ended before its report was complete{why}", directory, kept_log)
        trouble = klog.scan_file(directory / "kernel.log")
        _explain_error(report)
        if trouble:
            raise VmError(
                f"the guest's kernel says: {trouble[0].line}; the whole log is {kept_log}"
            )
    shown = tuple(word.replace(f"{directory}/", "") for word in words)
    return Run(report, host_s, (QEMU, *shown))


def _preloaded() -> str:
    """What QEMU runs with, before what everything here does."""
    return " ".join([str(lockstep()), os.environ.get("LD_PRELOAD", "")]).rstrip()


def _ended(
    process: subprocess.Popen[bytes], log: Path, deadline: float, is_stopped: Callable[[], bool]
) -> bool:
    """Wait for QEMU's end, or for that of its kernel; False if neither came in time."""
    while (now := time.monotonic()) < deadline:
        if is_stopped():
            raise Stopped
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(min(0.5, deadline - now))
            return True
        if _PANIC in _read(log):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LAST_WORDS_S)
            return True
    return False


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _explain_error(report: bytes) -> None:
    lines = report.decode(errors="replace").splitlines()
    errors = [line.removeprefix("error ") for line in lines if line.startswith("error ")]
    if errors:
        refused = "the kernel refused" in errors[0]
        advice = (
            "; `scxhid vm run -- scxhid check NAME` shows the verifier's words" if refused else ""
        )
        thrown_out = " was thrown out" in errors[0]
        raise (Ejected if thrown_out else VmError)(f"in the exact machine {errors[0]}{advice}")


def _lost(kernel: Kernel, what: str, directory: Path, kept_log: Path) -> None:
    log = directory / "kernel.log"
    tail = klog.last_words(log) or klog.read_lines(directory / "qemu.log")[:3]
    raise VmLost(f"the exact machine with kernel {kernel.version} {what}", kept_log, tail)
