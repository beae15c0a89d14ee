"""What the running kernel says, read without pyloader, so that nothing tests itself."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable
from pathlib import Path

BPF_FS = Path("/sys/fs/bpf")
PINS = BPF_FS / "scxhid"
CURRENT = PINS / "sched" / "current"
_SCHED_EXT = Path("/sys/kernel/sched_ext")

#: Debian's 7.2.12 hides scx_bpf_kick_cpu from programs (schedulers/include/compat.h).
CAN_KICK = not os.uname().release.startswith("7.2.12+") or (
    b" scx_bpf_kick_cpu_impl" in Path("/proc/kallsyms").read_bytes()
)

# bpf(2) on x86-64 and the commands that walk through ids (enum bpf_cmd, linux/bpf.h).
_SYS_BPF = 321
_NEXT_ID = {"programs": 11, "maps": 12, "links": 31}


def _read(name: str) -> str:
    try:
        return (_SCHED_EXT / name).read_text().strip()
    except OSError:
        return ""


def state() -> str:
    return _read("state")


def ops() -> str:
    """Name of the scheduler that runs; empty if the kernel's own does."""
    return _read("root/ops") if state() == "enabled" else ""


def enable_seq() -> int:
    """How often a scheduler was enabled since boot."""
    return int(_read("enable_seq"))


def context_switches() -> int:
    """Of all CPUs since boot."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith("ctxt "):
            return int(line.split()[1])
    raise AssertionError("/proc/stat has no ctxt line")


def wait_for(what: str, condition: Callable[[], object], timeout_s: float = 15) -> None:
    """Poll until ``condition`` holds; a failed test that says ``what`` if it never does."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s:g} s for {what}"
        time.sleep(0.05)


def wait_disabled() -> None:
    wait_for("sched_ext to be disabled", lambda: state() == "disabled")


def bpf_objects() -> dict[str, int]:
    """How many BPF programs, maps and links the kernel holds."""
    libc = ctypes.CDLL(None, use_errno=True)
    counts: dict[str, int] = {}
    for kind, command in _NEXT_ID.items():
        # struct { __u32 start_id, next_id, open_flags; } in a union of at least 120 bytes
        attr = (ctypes.c_uint32 * 40)()
        counts[kind] = 0
        while libc.syscall(_SYS_BPF, command, ctypes.byref(attr), ctypes.sizeof(attr)) == 0:
            counts[kind] += 1
            attr[0], attr[1] = attr[1], 0
    return counts


def settled_bpf_objects() -> dict[str, int]:
    """The same, once nothing is being freed any more: that happens after a grace period."""
    seen = [bpf_objects()]

    def is_same() -> bool:
        time.sleep(0.1)
        seen.append(bpf_objects())
        return len(seen) > 5 and all(counts == seen[-1] for counts in seen[-5:])

    wait_for("the kernel to free what was loaded before", is_same)
    return seen[-1]


def process_ns(pid: int) -> int:
    """CPU time of a process: its clock's id is made from its pid (clock_getcpuclockid(3))."""
    return time.clock_gettime_ns(~pid << 3 | 2)


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident_bytes() -> int:
    """Memory of this process that is in RAM."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def pins(root: Path = PINS) -> list[Path]:
    """Every file below ``root``."""
    return [Path(folder) / name for folder, _, names in os.walk(root) for name in names]


def unpin(root: Path = PINS) -> None:
    """Remove everything below ``root`` and itself: what only pins kept attached goes off.

    Links first: a scheduler must not live longer than its maps, whose timers and program arrays
    end with their last pin.
    """
    for link in root.rglob("link"):
        link.unlink()
    for folder, directories, names in os.walk(root, topdown=False):
        for name in names:
            (Path(folder) / name).unlink()
        for name in directories:
            (Path(folder) / name).rmdir()
    if root.is_dir():
        root.rmdir()
