"""Kernels that a machine can be started with: which there are, and which one a wish means."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pyloader.errors import Unsupported
from vm.cache import cache_root
from vm.errors import KernelFetchError, VmError
from vm.fetch import Progress, fetch, offered, stale_offers
from vm.versions import order, series


@dataclass(frozen=True)
class Kernel:
    """A kernel that can be booted.

    ``image`` is its bzImage, ``modules`` its ``lib/modules/<version>``, ``derived`` the
    directory for what is made from it (the slim module tree).
    """

    version: str
    image: Path
    modules: Path
    derived: Path

    @property
    def series(self) -> str:
        """Major and minor number, ``7.3``."""
        return series(self.version)


def cached() -> list[Kernel]:
    """Kernels unpacked in the cache, oldest first."""
    root = cache_root() / "kernels"
    found: list[Kernel] = []
    for directory in root.iterdir() if root.is_dir() else ():
        modules = directory / "lib" / "modules" / directory.name
        image = modules / "vmlinuz"
        if not directory.name.startswith(".") and image.is_file():
            found.append(Kernel(directory.name, image, modules, _derived(directory.name)))
    return sorted(found, key=lambda kernel: order(kernel.version))


def choose(
    wish: str = "",
    *,
    say: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> Kernel:
    """The kernel that ``wish`` means, fetched if it is not in the cache.

    ``wish`` is empty (the newest that the archive offers), a version or its beginning (the newest
    that fits), the path of an image, or ``host``. Where the archive cannot be asked, the newest
    fitting kernel of the cache is taken and ``say`` is told.

    Raises:
        VmError: no such image; no kernel fits.
        KernelFetchError: nothing in the cache fits, and it could not be fetched.
    """
    if wish == "host":
        return host()
    if "/" in wish or Path(wish).is_file():
        return at_path(Path(wish))
    if wish:
        order(wish)
    here = [kernel for kernel in cached() if matches(kernel.version, wish)]
    exact = [kernel for kernel in here if kernel.version == wish]
    if exact:
        return exact[0]
    try:
        offers = [offer for offer in offered() if matches(offer.version, wish)]
        if not offers:
            if here:
                return here[-1]
            raise VmError(nothing_fits(wish))
        best = offers[-1]
        if here and order(here[-1].version) >= order(best.version):
            return here[-1]
        if say is not None:
            say(f"fetching kernel {best.version} ({best.download_bytes / 1e6:.0f} MB), once")
        fetch(best, progress)
    except (KernelFetchError, Unsupported) as error:
        if not here:
            raise
        if say is not None:
            say(f"{error}. Going on with kernel {here[-1].version} from the cache")
        return here[-1]
    return in_cache(best.version)


def in_cache(version: str) -> Kernel:
    """The cached kernel of exactly this version."""
    return next(kernel for kernel in cached() if kernel.version == version)


def nothing_fits(wish: str) -> str:
    """The sentence for a version that the archive does not have."""
    known = ", ".join(sorted({offer.series for offer in stale_offers()}, key=order))
    return f"no kernel {wish} is offered; choose from {known or 'those of scxhid vm kernels'}"


def matches(version: str, wish: str) -> bool:
    """Whether ``version`` is ``wish`` or goes on from it after a boundary (7.3 fits 7.3.4)."""
    return not wish or (
        version.startswith(wish) and not version[len(wish) : len(wish) + 1].isdigit()
    )


def host() -> Kernel:
    """The kernel that runs here."""
    version = os.uname().release
    for image in (Path(f"/boot/vmlinuz-{version}"), Path(f"/lib/modules/{version}/vmlinuz")):
        if image.is_file():
            return _with_modules(image, version, Path("/lib/modules") / version)
    raise VmError(
        f"the image of the running kernel {version} is not on this machine (no"
        f" /boot/vmlinuz-{version}); give the path of one, or leave --kernel out"
    )


def at_path(image: Path) -> Kernel:
    """The kernel whose image is ``image``; its modules are searched from there upwards."""
    image = image.resolve()
    if not image.is_file():
        raise VmError(f"there is no kernel image {image}; give a vmlinuz, a version, or 'host'")
    version = image_version(image)
    for parent in image.parents:
        for modules in (
            parent,
            parent / "lib" / "modules" / version,
            parent / "usr" / "lib" / "modules" / version,
        ):
            if modules.name == version and (modules / "modules.dep").is_file():
                return _with_modules(image, version, modules)
    raise VmError(
        f"no modules for {image} ({version}) in or above its directory: lib/modules/{version} with"
        " a modules.dep is needed; run depmod there"
    )


def image_version(image: Path) -> str:
    """The release that a bzImage carries (offset at 0x20e, Documentation/arch/x86/boot.rst)."""
    try:
        with image.open("rb") as file:
            head = file.read(0x10000)
    except OSError as error:
        raise VmError(
            f"the kernel image {image} cannot be read ({error.strerror}); copy it to a place where"
            " you may, beside its modules, or leave --kernel out"
        ) from None
    if head[0x202:0x206] != b"HdrS":
        raise VmError(f"{image} is no x86 kernel image (bzImage); give a vmlinuz")
    start = int.from_bytes(head[0x20E:0x210], "little") + 0x200
    text = head[start : start + 256].split(b"\0", 1)[0].decode(errors="replace")
    found = re.match(r"\S+", text)
    if found is None:
        raise VmError(f"{image} does not tell its kernel version")
    return found[0]


def _with_modules(image: Path, version: str, modules: Path) -> Kernel:
    # Anybody's kernel may have any version: what is made of it goes by its place as well.
    place = hashlib.sha256(os.fsencode(image)).hexdigest()[:8]
    return Kernel(version, image, modules, _derived(f"{version}-{place}"))


def _derived(name: str) -> Path:
    return cache_root() / "derived" / name
