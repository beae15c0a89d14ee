"""Bring a kernel from the archive into the cache, whole or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from vm import apt
from vm.apt import Apt
from vm.cache import (
    cache_root,
    make_directory,
    remember,
    remembered,
    replacing_directory,
    require_free,
)
from vm.errors import KernelFetchError
from vm.index import Offer, offers
from vm.programs import program, run_tool

_INDEX = "index.json"

#: An index younger than this is not asked for again.
INDEX_FRESH_S = 24 * 3600

#: Told (what is being done, bytes so far, bytes in all).
Progress = Callable[[str, int, int], None]


def offered(*, fresh_s: float = INDEX_FRESH_S) -> list[Offer]:
    """The kernels that the archive offers, oldest first.

    The network is asked only when the index at hand is older than ``fresh_s`` seconds or came
    from another mirror than ``SCXHID_MIRROR`` names.

    Raises:
        KernelFetchError: it had to be asked and could not be.
        Unsupported: there is no apt here, or it knows no Debian archive.
    """
    known = remembered(_INDEX)
    age_s = time.time() - known.get("fetched_at_s", 0.0)
    if 0 <= age_s <= fresh_s and apt.named_mirror() in ("", known.get("site")):
        return stale_offers()
    site = apt.mirror()
    source = Apt(site)
    source.update()
    found = offers(source.packages())
    if not found:
        raise KernelFetchError(
            f"{site} offers no kernel in {apt.SUITE};"
            f" name another mirror with {apt.MIRROR_VARIABLE}"
        )
    kernels = [offer.to_json() for offer in found]
    remember(_INDEX, {"site": site, "fetched_at_s": time.time(), "kernels": kernels})
    return found


def stale_offers() -> list[Offer]:
    """What the archive offered when it was last asked, however long ago; may be empty."""
    table = remembered(_INDEX)
    return [Offer.from_json(entry) for entry in table.get("kernels", ())]


def fetch(offer: Offer, progress: Progress | None = None) -> Path:
    """Download and unpack a kernel into the cache; returns its directory.

    Raises:
        KernelFetchError: no network, a corrupt file, a full disk. The cache is as it was.
    """
    kernels = make_directory(cache_root() / "kernels")
    require_free(
        kernels,
        offer.download_bytes + offer.unpacked_bytes + 32_000_000,
        f"kernel {offer.version}",
    )
    target = kernels / offer.version
    with replacing_directory(target) as new, tempfile.TemporaryDirectory(dir=new) as debs:
        Path(debs).chmod(0o755)
        total = offer.download_bytes

        def downloaded(count: int) -> None:
            if progress is not None:
                progress("downloading", min(count, total), total)

        names = [package.name for package in offer.packages]
        files = Apt(apt.mirror()).download(names, Path(debs), downloaded)
        for number, file in enumerate(files):
            if progress is not None:
                progress("unpacking", number, len(files))
            unpack(file, new)
        _arrange(new, offer.version)
    return target


def unpack(file: Path, into: Path) -> None:
    """Unpack a package, without installing it."""
    done = subprocess.run(
        [program("dpkg-deb"), "-x", str(file), str(into)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode:
        raise KernelFetchError(
            f"{file.name} could not be unpacked ({apt.reason(done.stderr)});"
            " nothing was kept of it, try again"
        )


def _arrange(root: Path, version: str) -> None:
    """One layout for both package shapes: ``lib/modules/<version>`` with ``vmlinuz`` in it."""
    usr_lib = root / "usr" / "lib"
    usr_lib.mkdir(parents=True, exist_ok=True)
    lib = root / "lib"
    if lib.is_dir() and not lib.is_symlink():
        # The package's modules are in /lib, which is a link to /usr/lib where it is installed.
        (lib / "modules").rename(usr_lib / "modules")
        shutil.rmtree(lib)
    if not lib.is_symlink():
        lib.symlink_to("usr/lib")
    modules = lib / "modules" / version
    image = modules / "vmlinuz"
    if not image.is_file():
        boot = root / "boot" / f"vmlinuz-{version}"
        if not boot.is_file():
            raise KernelFetchError(
                f"the packages of kernel {version} hold no kernel image; choose another version"
            )
        image.symlink_to(os.path.relpath(boot, modules.resolve()))
    # Documentation and links into build trees are of no use here.
    shutil.rmtree(root / "usr" / "share", ignore_errors=True)
    run_tool("depmod", "-b", str(root), version)
