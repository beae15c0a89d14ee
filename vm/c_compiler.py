"""C programs that run in a guest: compiled here, each kept until one of its sources changes."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pyloader.errors import ScxhidError, Unsupported
from vm.cache import cache_root, make_directory, replacing_directory

#: For a program that also runs where nothing else is.
STATIC = ("-static", "-pthread")


class BadSource(ScxhidError):
    """A C file that does not compile; ``diagnostics`` are the compiler's words, unchanged."""

    def __init__(self, source: Path, diagnostics: str) -> None:
        self.source, self.diagnostics = source, diagnostics
        lines = diagnostics.strip().splitlines()
        first = next(
            (line for line in lines if "error:" in line), lines[-1] if lines else "no word"
        )
        super().__init__(f"{source} does not compile ({first.strip()})")


def compile_kept(
    name: str, sources: Sequence[Path], *options: str, headers: Sequence[Path] = ()
) -> Path:
    """Compile ``sources`` for exact runs, as ``compile_c``, to a program of which there is one for
    each compiler, content and set of options."""
    digest = hashlib.sha256(repr((_compiler(), options)).encode())
    for path in (*sources, *headers):
        digest.update(path.name.encode() + path.read_bytes())
    directory = cache_root() / "exact" / f"{name}-{digest.hexdigest()[:24]}"
    if (directory / name).is_file():
        return directory / name
    with replacing_directory(directory) as new:
        compile_c(sources, new / name, *options)
    return directory / name


def compile_c(
    sources: Sequence[Path], target: Path, *options: str, headers: Sequence[Path] = ()
) -> Path:
    """Compile ``sources`` to the program ``target``, unless it is newer than they and ``headers``.

    Raises:
        Unsupported: there is no C compiler, or none that links statically.
        BadSource: the compiler refused it; its first complaint is in the sentence.
    """
    newest_ns = max(path.stat().st_mtime_ns for path in (*sources, *headers))
    if target.exists() and target.stat().st_mtime_ns > newest_ns:
        return target
    make_directory(target.parent)
    # Another run may be using the old one: the new one takes its name when it is complete.
    made = target.with_name(f".{target.name}.{os.getpid()}")
    flags = ("-O2", "-Wall", "-Wextra", "-o", str(made))
    done = _run([*_compiler(), *flags, *map(str, sources), *options])
    if done.returncode:
        raise _refused(sources, done.stderr)
    made.rename(target)
    return target


def has_library(name: str) -> bool:
    """Whether the compiler finds a library of that name (``libz.a``).

    Raises:
        Unsupported: there is no C compiler.
    """
    return "/" in _run([*_compiler(), f"-print-file-name={name}"]).stdout


def _compiler() -> list[str]:
    return shlex.split(os.environ.get("CC", "cc"))


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise Unsupported(
            f"the C compiler {command[0]} cannot be run ({error.strerror}); `make setup`"
            " installs one"
        ) from None


def _refused(sources: Sequence[Path], said: str) -> BadSource | Unsupported:
    missing = next((line for line in said.splitlines() if "cannot find -l" in line), "")
    if missing:
        library = missing.rpartition("cannot find ")[2]
        return Unsupported(
            f"{sources[0]} cannot be linked since there is no {library}; `make setup` installs it"
        )
    return BadSource(sources[0], said)
