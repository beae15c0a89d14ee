"""A kernel's image without its compression, which a guest under emulation unpacks slowly.

The payload of a bzImage is the ELF file vmlinux (Documentation/arch/x86/boot.rst, payload_offset).
QEMU starts such a file directly if it carries the note of the PVH boot protocol, as distributions'
kernels do (CONFIG_PVH).
"""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
from pathlib import Path

from pyloader.errors import Unsupported
from vm.cache import make_directory
from vm.kernels import Kernel
from vm.programs import program

_ZSTD = b"\x28\xb5\x2f\xfd"

#: ELF notes XEN_ELFNOTE_PHYS32_ENTRY of 4 or 8 bytes: the PVH entry point.
_PVH_NOTES = tuple(struct.pack("<III4s", 4, size, 18, b"Xen") for size in (4, 8))


def fastest_image(kernel: Kernel) -> Path:
    """The uncompressed image, made once; the kernel's own where that cannot be had or booted."""
    plain = kernel.derived / "vmlinux"
    source = kernel.image.stat()
    if plain.is_file() and plain.stat().st_mtime_ns == source.st_mtime_ns:
        return plain
    content = payload(kernel.image.read_bytes())
    if not any(note in content for note in _PVH_NOTES):
        return kernel.image
    make_directory(plain.parent)
    partial = plain.with_name(f".vmlinux.{os.getpid()}")
    try:
        partial.write_bytes(content)
        os.utime(partial, ns=(source.st_mtime_ns, source.st_mtime_ns))
        partial.rename(plain)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
        return kernel.image
    return plain


def payload(image: bytes) -> bytes:
    """What a bzImage unpacks to if it is zstd, or nothing."""
    if image[0x202:0x206] != b"HdrS":
        return b""
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = ((image[0x1F1] or 4) + 1) * 512 + offset
    packed = image[start : start + length - 4]  # its last word is the unpacked size
    if not packed.startswith(_ZSTD):
        return b""
    try:
        done = subprocess.run(
            [program("zstd"), "-d", "-c"], input=packed, capture_output=True, check=False
        )
    except Unsupported:
        return b""
    return b"" if done.returncode else done.stdout
