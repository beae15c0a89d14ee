"""The C programs of ``bench bisect``: its workload, and the plugin that counts in QEMU."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
from functools import cache
from pathlib import Path

from pyloader.compile import compile_object
from pyloader.errors import ScxhidError, Unsupported
from vm.cache import cache_root, replacing_directory
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
    """A C file of ours, compiled once and kept by content."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    command = [*compiler, "-O2", "-Wall", "-Wextra", *options]
    content = (_SOURCES / name).read_bytes()
    digest = hashlib.sha256(repr(command).encode() + content).hexdigest()
    directory = cache_root() / "exact" / f"{name.partition('.')[0]}-{digest[:24]}"
    target = directory / name.partition(".")[0]
    if target.is_file():
        return target
    with replacing_directory(directory) as new:
        try:
            done = subprocess.run(
                [*command, "-o", str(new / target.name), str(_SOURCES / name)],
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError as error:
            raise Unsupported(
                f"the C compiler {compiler[0]} cannot be run ({error.strerror}); `make setup`"
                " installs one"
            ) from None
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["no word why"]
            raise ScxhidError(f"{_SOURCES / name} does not compile ({said[-1]})")
    return target
