"""From C to a CO-RE object: clang with the flags that every program here is built with."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from pyloader.errors import CompileError, ScxhidError, Unsupported
from pyloader.places import data_root

_TARGET_ARCH = {"x86_64": "x86", "aarch64": "arm64", "riscv64": "riscv", "s390x": "s390"}
_OLDEST_CLANG = 14  # the first that emits BTF declaration tags
_TIMES_TELL_NS = 2_000_000_000  # two changes nearer to each other may bear the same time


def include_dirs() -> list[Path]:
    """Where the shared headers lie: those of the schedulers, then those of the HID programs."""
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


def flags(include: Sequence[Path] = ()) -> list[str]:
    """The flags for this machine, without the input and the output.

    Headers are looked for in ``include`` before the shared ones.
    """
    machine = platform.machine()
    multiarch = sysconfig.get_config_var("MULTIARCH") or f"{machine}-linux-gnu"
    return [
        *("-O2", "-g", "-target", "bpf", "-mcpu=v3"),
        f"-D__TARGET_ARCH_{_TARGET_ARCH.get(machine, machine)}",
        *("-Wall", "-Wextra", "-Wno-unused-parameter"),
        *(f"-I{path}" for path in (*include, *include_dirs()) if path.is_dir()),
        f"-I/usr/include/{multiarch}",
    ]


def compile_object(
    source: Path,
    out: Path | None = None,
    warn: Callable[[str], None] | None = None,
    include: Sequence[Path] = (),
) -> Path:
    """Compile ``source`` and return the object's path: ``out``, or a place in the cache.

    The cache goes by content: of the source, of every header that it took in, of the
    flags and the compiler. A hit starts no process. ``warn`` gets clang's warnings,
    once per compile. Directories of headers in ``include`` come before the shared ones.
    Raises CompileError with clang's own words.
    """
    if not source.is_file():
        raise ScxhidError(f"{source} does not exist")
    clang = find_clang()
    entry = cache_dir() / _key(clang, source, include)
    cached = _cached(entry)
    if cached is None:
        cached, warnings = _compile(clang, source, include, entry)
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


def _key(clang: str, source: Path, include: Sequence[Path]) -> str:
    stat = os.stat(clang)
    compiler = f"{clang}{stat.st_size}{stat.st_mtime_ns}{flags(include)}{source.resolve()}"
    return _sha256(f"{compiler}{_digest(source)}".encode())[:24]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(path: Path) -> str:
    """The digest of a file; read again only if its times, size or place say that it changed."""
    stat = os.stat(path)
    if time.time_ns() - stat.st_ctime_ns < _TIMES_TELL_NS:
        return _sha256(path.read_bytes())
    return _digest_of(path, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@lru_cache(maxsize=1024)
def _digest_of(path: Path, *_identity: int) -> str:
    return _sha256(path.read_bytes())


def _cached(entry: Path) -> Path | None:
    """The object of a cache entry, if every header is still what it was."""
    try:
        manifest: Any = json.loads((entry / "manifest.json").read_text())
        for path, digest in manifest["headers"].items():
            if _digest(Path(path)) != digest:
                return None
        found = entry / manifest["object"]
        return found if found.is_file() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _compile(clang: str, source: Path, include: Sequence[Path], entry: Path) -> tuple[Path, str]:
    """Compile into the cache; the object's path and clang's warnings."""
    try:
        entry.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".compile-", dir=entry))
    except OSError as error:
        raise ScxhidError(
            f"the cache {entry.parent} cannot be written ({error.strerror}); "
            "set XDG_CACHE_HOME to a place that can"
        ) from None
    try:
        made, depends = scratch / "object", scratch / "depends"
        given = ("-MD", "-MF", str(depends), "-c", str(source), "-o", str(made))
        command = [clang, *flags(include), *given]
        done = subprocess.run(command, capture_output=True, check=False)
        words = done.stderr.decode(errors="replace").rstrip()
        if done.returncode:
            raise CompileError(str(source), words)
        _strip(made)
        paths = {str(Path(path).resolve()) for path in _prerequisites(depends)}
        headers = {path: _sha256(Path(path).read_bytes()) for path in sorted(paths)}
        name = f"{_sha256(json.dumps(headers).encode())[:16]}/{source.name.split('.')[0]}.bpf.o"
        (entry / name).parent.mkdir(exist_ok=True)
        made.rename(entry / name)
        manifest = scratch / "manifest"
        manifest.write_text(json.dumps({"object": name, "headers": headers}))
        manifest.rename(entry / "manifest.json")  # last: what it names is there
    except OSError as error:
        raise ScxhidError(f"{entry.parent} cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return entry / name, words


def _prerequisites(depends: Path) -> list[str]:
    """The files that a make rule, as clang writes it, depends on."""
    rule = depends.read_text().replace("\\\n", " ").partition(": ")[2]
    return [word.replace("\\ ", " ") for word in re.findall(r"(?:\\ |\S)+", rule)]


def _strip(path: Path) -> None:
    """Drop the DWARF that -g brings along with BTF; without the tool the object is just larger."""
    strip = shutil.which("llvm-strip") or shutil.which("llvm-strip-14")
    if strip:
        subprocess.run([strip, "-g", str(path)], check=False, capture_output=True)
