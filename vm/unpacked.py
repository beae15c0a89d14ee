"""Debian packages unpacked in the cache, not installed: what tests and benchmarks compare with."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from vm import apt
from vm.apt import Apt
from vm.cache import cache_root, make_directory, replacing_directory, require_free
from vm.fetch import unpack

#: The suite with the newest release of each.
SUITE = "sid"


def fetch(package: str, others: Sequence[str] = (), *, unpacked_bytes: int) -> Path:
    """The directory with ``package`` and ``others``, unpacked into one tree.

    The network is asked only if it is not there. ``unpacked_bytes`` must be free on the disk.

    Raises:
        KernelFetchError: no network, a corrupt file, a full disk. The cache is as it was.
        Unsupported: there is no apt here, or it knows no Debian archive.
    """
    target = cache_root() / package
    if target.is_dir():
        return target
    require_free(make_directory(cache_root()), unpacked_bytes, f"the package {package}")
    source = Apt(apt.mirror(), SUITE)
    source.update()
    with replacing_directory(target) as new, tempfile.TemporaryDirectory(dir=new) as debs:
        Path(debs).chmod(0o755)
        for file in source.download((package, *others), Path(debs), None):
            unpack(file, new)
    return target
