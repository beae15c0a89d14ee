"""Debian's package of udev-hid-bpf, unpacked in the cache: what tests attach and compare with.

Its objects are attached as they are. The program itself needs a newer C library than the machine
may have, so that of its suite lies beside it, and ``program`` starts it by that suite's loader.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from vm import apt
from vm.apt import Apt
from vm.cache import cache_root, make_directory, replacing_directory, require_free
from vm.fetch import unpack

SUITE = "sid"
PACKAGE = "udev-hid-bpf"
_LIBRARIES = (
    *("libbpf1", "libc6", "libcap2", "libelf1t64", "libgcc-s1", "libudev1", "libzstd1"),
    "zlib1g",
)
_UNPACKED_BYTES = 40_000_000


def fetch() -> Path:
    """The directory with the unpacked packages; the network is asked only if it is not there.

    Raises:
        KernelFetchError: no network, a corrupt file, a full disk. The cache is as it was.
        Unsupported: there is no apt here, or it knows no Debian archive.
    """
    target = cache_root() / PACKAGE
    if target.is_dir():
        return target
    require_free(make_directory(cache_root()), _UNPACKED_BYTES, f"the package {PACKAGE}")
    source = Apt(apt.mirror(), SUITE)
    source.update()
    with replacing_directory(target) as new, tempfile.TemporaryDirectory(dir=new) as debs:
        Path(debs).chmod(0o755)
        for file in source.download((PACKAGE, *_LIBRARIES), Path(debs), None):
            unpack(file, new)
    return target


def objects(root: Path) -> Path:
    """Where the package keeps its objects."""
    return next((root / "usr/lib").glob("*/bpf"))


def program(root: Path) -> list[str]:
    """The words that start the package's own program."""
    libraries = next(root.glob("usr/lib/*-linux-gnu"))
    loader = next(libraries.glob("ld-linux-*.so.*"))
    return [str(loader), "--library-path", str(libraries), str(root / "usr/bin/udev-hid-bpf")]
