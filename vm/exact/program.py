"""The guest's one program, and what is preloaded into QEMU: compiled here, kept in the cache by
content."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
from pathlib import Path

from pyloader.errors import Unsupported
from vm.c_compiler import compile_c
from vm.cache import cache_root, replacing_directory

SOURCES = Path(__file__).parent / "guest"

_FLAGS = ("-O2", "-static", "-Wall", "-Wextra")
_LIBRARIES = ("-l:libbpf.a", "-l:libelf.a", "-l:libz.a")

#: What libelf needs besides, where it was built with it (elfutils 0.189 and newer).
_ZSTD = "-l:libzstd.a"


_LOCKSTEP = Path(__file__).parent / "qemu" / "lockstep.c"


def lockstep() -> Path:
    """The library to preload into QEMU, so that its threads take turns.

    Raises:
        Unsupported: there is no C compiler.
    """
    digest = hashlib.sha256(_LOCKSTEP.read_bytes()).hexdigest()[:24]
    target = cache_root() / "exact" / f"lockstep-{digest}.so"
    return compile_c([_LOCKSTEP], target, "-shared", "-fPIC", "-ldl")


def guest_program() -> Path:
    """The compiled program.

    Raises:
        Unsupported: there is no C compiler, or a static library is missing.
    """
    compiler = shlex.split(os.environ.get("CC", "cc"))
    sources = sorted(SOURCES.glob("*.c"))
    digest = hashlib.sha256(repr((compiler, _FLAGS, _LIBRARIES)).encode())
    for path in sorted(SOURCES.glob("*.[ch]")):
        digest.update(path.name.encode() + path.read_bytes())
    directory = cache_root() / "exact" / digest.hexdigest()[:24]
    program = directory / "init"
    if program.is_file():
        return program
    with replacing_directory(directory) as new:
        command = [*compiler, *_FLAGS, "-o", str(new / "init"), *map(str, sources), *_LIBRARIES]
        said = _try(command)
        if said and _try([*command, _ZSTD]):
            raise Unsupported(
                "the program of exact runs does not compile"
                f" ({said.splitlines()[-1]}); it needs a C compiler and the static libraries"
                " libbpf.a, libelf.a, libz.a, which `make setup` installs"
            )
    return program


def _try(command: list[str]) -> str:
    """What the compiler says when it fails, or an empty string."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Unsupported(
            f"the C compiler {command[0]} cannot be run ({error.strerror}); `make setup` installs"
            " one"
        ) from None
    return (done.stderr.strip() or "no word why") if done.returncode else ""
