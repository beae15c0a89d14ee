"""From C to a CO-RE object: clang with the flags that every program here is built with."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from pyloader.errors import CompileError, ScxhidError, Unsupported

_TARGET_ARCH = {"x86_64": "x86", "aarch64": "arm64", "riscv64": "riscv", "s390x": "s390"}
_OLDEST_CLANG = 14  # the first that emits BTF declaration tags


def include_dirs() -> list[Path]:
    """Where the shared headers lie: those of the schedulers, then those of the HID programs."""
    from pyloader.catalog import data_root

    return [data_root("schedulers") / "include", data_root("hid") / "include"]


@cache
def find_clang() -> str:
    """Path of the newest clang that can compile BPF; Unsupported if there is none.

    ``$CLANG`` names another.
    """
    named = os.environ.get("CLANG")
    candidates = [named] if named else ["clang", *(f"clang-{n}" for n in range(25, 13, -1))]
    for candidate in candidates:
        path = shutil.which(candidate)
        if path:
            return path
    if named:
        raise Unsupported(f"$CLANG is {named!r}, which is not a program on this machine")
    raise Unsupported("clang is not installed; `scxhid doctor` says how to get it")


def flags() -> list[str]:
    """The flags for this machine, without the input and the output."""
    machine = platform.machine()
    multiarch = sysconfig.get_config_var("MULTIARCH") or f"{machine}-linux-gnu"
    return [
        *("-O2", "-g", "-target", "bpf", "-mcpu=v3"),
        f"-D__TARGET_ARCH_{_TARGET_ARCH.get(machine, machine)}",
        *("-Wall", "-Wextra", "-Wno-unused-parameter"),
        *(f"-I{path}" for path in include_dirs() if path.is_dir()),
        f"-I/usr/include/{multiarch}",
    ]


def compile_object(
    source: Path, out: Path | None = None, warn: Callable[[str], None] | None = None
) -> Path:
    """Compile ``source`` and return the object's path: ``out``, or a place in the cache.

    ``warn`` gets clang's warnings, once per compile.

    The cache is keyed by the preprocessed text, the flags and the compiler, so that
    a changed header is noticed. Raises CompileError with clang's own words.
    """
    if not source.is_file():
        raise ScxhidError(f"{source} does not exist")
    clang = find_clang()
    key = _key(clang, source)
    cached = cache_dir() / key[:24] / f"{source.name.split('.')[0]}.bpf.o"
    if not cached.is_file():
        warnings = _compile(clang, source, cached)
        if warn and warnings:
            warn(warnings)
    if out is None:
        return cached
    try:
        shutil.copyfile(cached, out)
    except OSError as error:
        raise ScxhidError(f"{out} cannot be written: {error.strerror}") from None
    return out


def cache_dir() -> Path:
    """Where compiled objects are kept: ``$XDG_CACHE_HOME/scxhid/objects``."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "scxhid" / "objects"


def _key(clang: str, source: Path) -> str:
    text, _ = _run([clang, *flags(), "-E", str(source)], source)
    stat = os.stat(clang)
    words = f"{clang}{stat.st_size}{stat.st_mtime_ns}{flags()}".encode()
    return hashlib.sha256(words + text).hexdigest()


def _compile(clang: str, source: Path, target: Path) -> str:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.mkdtemp(prefix=".compile-", dir=target.parent)
    except OSError as error:
        # A read-only or full cache must not stand in the way of a compile.
        if target.parent.is_dir() and os.access(target.parent, os.W_OK):
            raise ScxhidError(f"{target.parent} cannot be written: {error.strerror}") from None
        raise ScxhidError(
            f"the cache {target.parent} cannot be written ({error.strerror}); "
            "set XDG_CACHE_HOME to a place that can"
        ) from None
    try:
        partial = Path(scratch) / "object"
        _, words = _run([clang, *flags(), "-c", str(source), "-o", str(partial)], source)
        _strip(partial)
        partial.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return words.rstrip()


def _strip(path: Path) -> None:
    """Drop the DWARF that -g brings along with BTF; without the tool the object is just larger."""
    strip = shutil.which("llvm-strip") or shutil.which("llvm-strip-14")
    if strip:
        subprocess.run([strip, "-g", str(path)], check=False, capture_output=True)


def _run(command: list[str], source: Path) -> tuple[bytes, str]:
    done = subprocess.run(command, capture_output=True, check=False)
    words = done.stderr.decode(errors="replace")
    if done.returncode:
        raise CompileError(str(source), words)
    return done.stdout, words
