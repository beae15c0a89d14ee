"""Debian's package of udev-hid-bpf, unpacked in the cache: what tests attach and compare with.

Its objects are attached as they are. The program itself needs a newer C library than the machine
may have, so that of its suite lies beside it, and ``program`` starts it by that suite's loader.
"""

from __future__ import annotations

from pathlib import Path

from vm import unpacked

PACKAGE = "udev-hid-bpf"
_LIBRARIES = (
    *("libbpf1", "libc6", "libcap2", "libelf1t64", "libgcc-s1", "libudev1", "libzstd1"),
    "zlib1g",
)
_UNPACKED_BYTES = 40_000_000


def fetch() -> Path:
    """The directory with the package and the libraries of its program.

    Raises:
        KernelFetchError, Unsupported: as ``unpacked.fetch`` does.
    """
    return unpacked.fetch(PACKAGE, _LIBRARIES, unpacked_bytes=_UNPACKED_BYTES)


def objects(root: Path) -> Path:
    """Where the package keeps its objects."""
    return next((root / "usr/lib").glob("*/bpf"))


def program(root: Path) -> list[str]:
    """The words that start the package's own program."""
    libraries = next(root.glob("usr/lib/*-linux-gnu"))
    loader = next(libraries.glob("ld-linux-*.so.*"))
    return [str(loader), "--library-path", str(libraries), str(root / "usr/bin/udev-hid-bpf")]
