"""What the virtual machines need of this machine, for ``scxhid doctor``. Boots nothing."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from pathlib import Path

from pyloader.doctor import Check
from pyloader.packages import install_command
from vm import accel, apt
from vm.cache import cache_root
from vm.kernels import cached
from vm.programs import PACKAGES, find_program
from vm.qemu import OLDEST_QEMU, QEMU, qemu_version

_NEEDED_FOR = "vm"

#: A kernel's packages and what they unpack to, side by side for a moment.
_KERNEL_BYTES = 400_000_000


def checks() -> list[Check]:
    """All of them, in the order in which they would fail."""
    return [
        qemu(),
        virtme_ng(),
        busybox(),
        tools(),
        udev(),
        kvm(),
        archive(),
        kernel(),
        space(),
    ]


def qemu() -> Check:
    version = qemu_version()
    remedy = install_command(["qemu-system-x86"])
    if version is None:
        return Check("QEMU", False, f"{QEMU} is not installed", remedy, _NEEDED_FOR)
    text = ".".join(map(str, version))
    if version < OLDEST_QEMU:
        detail = f"{text}; before {OLDEST_QEMU[0]} it crashes guests that change schedulers"
        return Check("QEMU", False, detail, remedy, _NEEDED_FOR)
    return Check("QEMU", True, text, "", _NEEDED_FOR)


def virtme_ng() -> Check:
    try:
        version = importlib.metadata.version("virtme-ng")
    except importlib.metadata.PackageNotFoundError:
        version = ""
    if find_program("virtme-run") is None or not version:
        return Check("virtme-ng", False, "not installed", "pip install 'scxhid[vm]'", _NEEDED_FOR)
    return Check("virtme-ng", True, version, "", _NEEDED_FOR)


def busybox() -> Check:
    path = find_program("busybox")
    remedy = install_command(["busybox-static"])
    if path is None:
        return Check("busybox", False, "not installed", remedy, _NEEDED_FOR)
    if not is_static(Path(path)):
        detail = f"{path} needs shared libraries, which a guest's first program has not"
        return Check("busybox", False, detail, remedy, _NEEDED_FOR)
    return Check("busybox", True, f"{path}, static", "", _NEEDED_FOR)


def is_static(path: Path) -> bool:
    """Whether an ELF program names no interpreter (no PT_INTERP among its program headers)."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head[:5] != b"\x7fELF\x02":
        return False
    offset = int.from_bytes(head[0x20:0x28], "little")
    size = int.from_bytes(head[0x36:0x38], "little")
    count = int.from_bytes(head[0x38:0x3A], "little")
    kinds = (head[offset + n * size : offset + n * size + 4] for n in range(count))
    return not any(int.from_bytes(kind, "little") == 3 for kind in kinds)


def tools() -> Check:
    lacking = [name for name in ("modprobe", "depmod", "zstd", "file") if not find_program(name)]
    if lacking:
        remedy = install_command(sorted({PACKAGES[name][0] for name in lacking}))
        return Check("VM tools", False, f"missing: {', '.join(lacking)}", remedy, _NEEDED_FOR)
    return Check("VM tools", True, "kmod, zstd and file are there", "", _NEEDED_FOR)


def udev() -> Check:
    # Only `vm run --udev` starts it, so it is no condition.
    if os.access("/lib/systemd/systemd-udevd", os.X_OK):
        return Check("udev", True, "there, for guests that ask for it")
    remedy = install_command(["udev"])
    return Check("udev", None, "not installed; 'vm run --udev' would need it", remedy)


def kvm() -> Check:
    works = accel.remembered_kvm()
    if works:
        return Check("KVM", True, "a trial boot has shown that it works")
    if works is None:
        detail = "not tried yet; the first machine started finds out"
        return Check("KVM", None, detail, "scxhid vm run -- true")
    detail = f"{accel.remembered_trouble()}; machines are emulated, about ten times slower"
    return Check("KVM", None, detail)


def archive() -> Check:
    if not apt.available():
        detail = "no apt here, so no kernel can be fetched"
        remedy = "scxhid vm run --kernel /path/to/vmlinuz …"
        return Check("kernel archive", None, detail, remedy)
    if not apt.KEYRING.is_file():
        remedy = install_command(["debian-archive-keyring"])
        return Check("kernel archive", False, f"{apt.KEYRING} is missing", remedy, _NEEDED_FOR)
    return Check("kernel archive", True, "apt and the archive's key are there", "", _NEEDED_FOR)


def kernel() -> Check:
    here = cached()
    if not here:
        return Check("VM kernel", None, "none in the cache yet", "scxhid vm fetch")
    versions = ", ".join(item.version for item in here)
    return Check("VM kernel", True, f"in the cache: {versions}", "", _NEEDED_FOR)


def space() -> Check:
    root = cache_root()
    place = next(path for path in (root, *root.parents) if path.exists())
    free = shutil.disk_usage(place).free
    detail = f"{free / 1e9:.1f} GB free for {root}"
    if free < _KERNEL_BYTES:
        remedy = "make room, or set XDG_CACHE_HOME to a directory on another disk"
        return Check("cache space", None if cached() else False, detail, remedy, _NEEDED_FOR)
    return Check("cache space", True, detail, "", _NEEDED_FOR)
