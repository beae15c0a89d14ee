"""The guest's one program, and what is preloaded into QEMU: compiled here, kept in the cache."""

from __future__ import annotations

from pathlib import Path

from vm.c_compiler import compile_kept, has_library

SOURCES = Path(__file__).parent / "guest"

_LOCKSTEP = Path(__file__).parent / "qemu" / "lockstep.c"

_LIBRARIES = ("libbpf.a", "libelf.a", "libz.a")

#: What libelf needs besides, where it was built with it (elfutils 0.189 and newer).
_ZSTD = "libzstd.a"


def lockstep() -> Path:
    """The library to preload into QEMU, so that its threads take turns.

    Raises:
        Unsupported: there is no C compiler.
    """
    return compile_kept("lockstep", [_LOCKSTEP], "-shared", "-fPIC", "-ldl")


def guest_program() -> Path:
    """The compiled program.

    Raises:
        Unsupported: there is no C compiler, or a static library is missing.
    """
    libraries = (*_LIBRARIES, _ZSTD) if has_library(_ZSTD) else _LIBRARIES
    return compile_kept(
        "init",
        sorted(SOURCES.glob("*.c")),
        "-static",
        *(f"-l:{library}" for library in libraries),
        headers=sorted(SOURCES.glob("*.h")),
    )
