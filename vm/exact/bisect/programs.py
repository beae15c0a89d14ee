"""The C programs of ``bench bisect``: its workload, and the plugin that counts in QEMU."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from pyloader.compile import compile_object
from vm.c_compiler import compile_kept
from vm.programs import program
from vm.qemu import QEMU, qemu_version

_SOURCES = Path(__file__).parent / "programs"

#: The first whose plugins can read the bytes of an instruction as ours does.
_OLDEST_FOR_PLUGIN = (9, 1)


def workload() -> Path:
    """The static program of the workload ``callbacks``."""
    return _compiled("callbacks.c", "-static")


def empty() -> Path:
    """The object of a scheduler with one empty callback."""
    return compile_object(_SOURCES / "empty.bpf.c")


@cache
def counter() -> Path | None:
    """The plugin that counts each instruction of BPF programs; None if this QEMU takes none.

    Without it calls and instructions are as exact; how they spread over lines is not known.
    """
    version = qemu_version()
    if version is None or version < _OLDEST_FOR_PLUGIN:
        return None
    plugin = _compiled("counter.c", "-shared", "-fPIC", "-fvisibility=hidden")
    command = [program(QEMU), "-nodefaults", "-machine", "none", "-accel", "tcg"]
    command += ["-display", "none", "-S", "-plugin", f"{plugin},to=/dev/null", "-monitor", "stdio"]
    try:
        tried = subprocess.run(
            command, input=b"quit\n", capture_output=True, timeout=20, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    return plugin if tried.returncode == 0 else None


def _compiled(name: str, *options: str) -> Path:
    return compile_kept(name.partition(".")[0], [_SOURCES / name], *options)
