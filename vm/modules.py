"""The slim module tree: what a guest of ours loads, unpacked, and nothing else.

A distribution's kernel brings some 4,000 compressed modules. A guest needs about twenty; reading
an index of twenty and mapping them uncompressed is what makes ``udev`` and ``modprobe`` quick in
an emulated machine.
"""

from __future__ import annotations

import hashlib
import lzma
import shutil
from collections.abc import Iterable
from pathlib import Path

from vm.cache import replacing_directory
from vm.errors import VmError
from vm.programs import run_tool

#: Modules by name, with what they are for; their dependencies come along by ``modules.dep``.
MODULES: dict[str, str] = {
    "virtio_pci": "the bus of the guest's devices",
    "virtio_console": "standard streams, status and log ports",
    "9pnet_virtio": "the host's file system",
    "9p": "the host's file system",
    "overlay": "writable /etc, /tmp, … above the read-only root",
    "hid": "HID bus, HID-BPF",
    "hid_generic": "the driver of devices without one of their own",
    "uhid": "HID devices made by a process",
    "evdev": "/dev/input/event*",
    "uinput": "input devices made by a process (keyd's way)",
    "joydev": "/dev/input/js*",
    "hid_multitouch": "touch pads and screens",
    "usbhid": "its functions are traced by the latency probes",
    "tun": "network workloads on loopback-like devices",
    "dummy": "network workloads on loopback-like devices",
    "cpuid": "CPU topology read by tools",
    "msr": "CPU registers read by tools",
    "sch_fq": "network workloads",
    "loop": "file system images",
    "ext4": "file system images",
}

#: Raise when the way of building the tree changes.
_FORM = 1


def stamp(names: Iterable[str] = MODULES) -> str:
    """A short digest that changes when the list of modules or the form of the tree does."""
    text = f"{_FORM}\n" + "\n".join(sorted(names))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def canonical(name: str) -> str:
    """The kernel's spelling of a module name: underscores, no directory, no suffix."""
    return name.rsplit("/", 1)[-1].split(".ko", 1)[0].replace("-", "_")


def read_dependencies(text: str) -> dict[str, list[str]]:
    """Parse ``modules.dep``: module → the paths of all it needs and its own, in load order."""
    table: dict[str, list[str]] = {}
    for line in text.splitlines():
        path, colon, needs = line.partition(":")
        if colon:
            # depmod lists the nearest dependency first; loading goes the other way.
            table[canonical(path)] = [*reversed(needs.split()), path.strip()]
    return table


def needed_paths(dependencies: dict[str, list[str]], names: Iterable[str]) -> list[str]:
    """Paths of the modules called ``names`` with all they need, dependencies first, each once.

    Names that are not in the table are built in or not offered by this kernel: left out.
    """
    paths: dict[str, None] = {}
    for name in names:
        for path in dependencies.get(canonical(name), ()):
            paths[path] = None
    return list(paths)


def slim_tree(image: Path, full: Path, version: str, under: Path) -> Path:
    """Build (or find) the slim copy of module directory ``full`` below ``under``.

    Returns a directory that holds ``lib/modules/<version>`` with a link to ``image``, the two in
    the place where virtme-ng looks for them. A copy made from another list of modules, or from
    files that have changed since, is replaced.
    """
    tree = under / "slim"
    wanted = _stamp_of(image, full)
    mark = tree / "stamp"
    if wanted is not None and mark.is_file() and mark.read_text() == wanted:
        return tree
    try:
        dependencies = read_dependencies((full / "modules.dep").read_text())
    except OSError as error:
        raise VmError(
            f"{full} is not a kernel's module directory ({error.strerror}: modules.dep);"
            f" run 'depmod {version}' for it or choose another kernel"
        ) from None
    with replacing_directory(tree) as new:
        target = new / "lib" / "modules" / version
        for path in needed_paths(dependencies, MODULES):
            _unpack(full / path, target / path)
        for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
            if (full / name).exists():
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(full / name, target / name)
        run_tool("depmod", "-b", str(new), version)
        (target / "vmlinuz").symlink_to(image)
        (new / "stamp").write_text(wanted or "")
    return tree


def _stamp_of(image: Path, full: Path) -> str | None:
    try:
        made_ns = (full / "modules.dep").stat().st_mtime_ns
    except OSError:
        return None
    return f"{stamp()} {image} {full} {made_ns}\n"


def _unpack(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    match source.suffix:
        case ".xz":
            try:
                unpacked = lzma.decompress(source.read_bytes())
            except lzma.LZMAError:
                raise VmError(
                    f"the kernel module {source} is damaged; fetch that kernel again with"
                    " 'scxhid vm fetch --force VERSION'"
                ) from None
            target.with_suffix("").write_bytes(unpacked)
        case ".zst":
            run_tool("zstd", "-qdf", str(source), "-o", str(target.with_suffix("")))
        case ".gz":
            import gzip

            target.with_suffix("").write_bytes(gzip.decompress(source.read_bytes()))
        case _:
            shutil.copy(source, target)
