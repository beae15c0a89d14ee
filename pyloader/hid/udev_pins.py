"""Pins in the form of udev-hid-bpf, so that each tool sees the other's work::

    hid/DEVICE/OBJECT_bpf/   of the object OBJECT.bpf.o on a device
        NAME                 the link of the struct_ops map NAME, or another map of the object

That tool attaches and pins an object file as one; removing a directory takes it off. Data sections
are not pinned. While an object is being attached, its pins are in ``scxhid/hid-udev/``, in a
directory that gets its place and its name when all is done.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress

from pyloader import bpffs, libbpf
from pyloader.bpffs import MOUNT
from pyloader.errors import NotPermitted, ScxhidError

_ROOT = f"{MOUNT}/hid"
_STAGE = f"{MOUNT}/scxhid/hid-udev"
_SUFFIX = "_bpf"  # of OBJECT.bpf, as a pin may be called
NUMBERED = re.compile(r"(\d+)-(.+)")


class UdevPlace:
    """The directory of one object on one device, there or not."""

    def __init__(self, path: str) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """The object's."""
        return os.path.basename(self.path).removesuffix(_SUFFIX)

    def exists(self) -> bool:
        return os.path.isdir(self.path)

    def pins(self) -> dict[str, str]:
        """Paths of the pins, by name."""
        return {name: f"{self.path}/{name}" for name in bpffs.names(self.path)}

    def links(self) -> dict[str, int]:
        """The links among them: new descriptors by name, which the caller closes."""
        return self._opened("link")

    def maps(self) -> dict[str, int]:
        """The maps among them, likewise."""
        return self._opened("map")

    def _opened(self, kind: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, path in self.pins().items():
            fd = bpffs.open_pin(path)
            if kind in os.readlink(f"/proc/self/fd/{fd}"):
                found[name] = fd
            else:
                os.close(fd)
        return found

    def fill(self, fds: Mapping[str, int]) -> None:
        """Create the directory with pins; on failure nothing of it stays."""
        self.clear()
        try:
            bpffs.make(os.path.dirname(self.path), self.path)
            for name, fd in fds.items():
                self.pin(name, fd)
        except BaseException:
            self.clear()
            raise

    def pin(self, name: str, fd: int) -> None:
        try:
            libbpf.pin(fd, f"{self.path}/{name}")
        except libbpf.CallFailed as error:
            raise ScxhidError(f"the BPF file system did not take the pin {name}: {error}") from None

    def clear(self) -> None:
        """Remove it with all its pins, and the device's directory after the last of them."""
        try:
            for path in self.pins().values():
                os.unlink(path)
            with suppress(FileNotFoundError):
                os.rmdir(self.path)
            if os.path.dirname(os.path.dirname(self.path)) == _ROOT:
                with suppress(OSError):  # another object is on the device
                    os.rmdir(os.path.dirname(self.path))
        except PermissionError:
            raise NotPermitted(f"{self.path} cannot be removed: run scxhid as root") from None
        except OSError as error:
            raise ScxhidError(f"{self.path} cannot be removed: {error.strerror}") from None

    def move_to(self, other: UdevPlace) -> None:
        """Take the other's name; what was there is gone."""
        other.clear()
        bpffs.make(os.path.dirname(os.path.dirname(other.path)), os.path.dirname(other.path))
        os.rename(self.path, other.path)


def place(sysname: str, name: str) -> UdevPlace:
    """Of the object ``name`` (without ``.bpf.o``) on a device."""
    return UdevPlace(f"{_ROOT}/{bpffs.device_folder(sysname)}/{name.replace('.', '_')}{_SUFFIX}")


def places(sysname: str) -> dict[str, UdevPlace]:
    """Of all objects on a device, by name."""
    folder = f"{_ROOT}/{bpffs.device_folder(sysname)}"
    return {
        name.removesuffix(_SUFFIX): UdevPlace(f"{folder}/{name}") for name in bpffs.names(folder)
    }


def group_of(name: str) -> str:
    """What the versions of one thing have in common: an object's name without the number."""
    numbered = NUMBERED.fullmatch(name)
    return numbered[2] if numbered else name


def version_of(sysname: str, name: str) -> str | None:
    """The object on a device that an attach of ``name`` replaces: the same, or another version."""
    there = places(sysname)
    if name in there:
        return name
    return next((other for other in there if group_of(other) == group_of(name)), None)


def folders() -> list[str]:
    """Names of the directories of devices that have such objects."""
    return bpffs.names(_ROOT)


def program_of(path: str) -> str | None:
    """The object that is pinned at ``path``; None if that is no pin of this form."""
    parts = path.removeprefix(f"{_ROOT}/").split("/")
    return parts[1].removesuffix(_SUFFIX) if path.startswith(f"{_ROOT}/") and parts[2:] else None


def upcoming() -> UdevPlace:
    """Of one that is being attached."""
    return UdevPlace(f"{_STAGE}/next")


def outgoing() -> UdevPlace:
    """Of the one that it replaces, until it works."""
    return UdevPlace(f"{_STAGE}/before")


def make_stage() -> None:
    """Create the directory of ``upcoming`` and ``outgoing``, mode 0700."""
    bpffs.make(os.path.dirname(_STAGE), _STAGE)


def tidy(present: Sequence[str]) -> None:
    """Drop what an interrupted command left, and the pins of devices that are gone."""
    for left in (upcoming(), outgoing()):
        left.clear()
    with suppress(OSError):
        os.rmdir(_STAGE)
    of_present = {bpffs.device_folder(name) for name in present}
    for folder in folders():
        if folder not in of_present:
            for name in bpffs.names(f"{_ROOT}/{folder}"):
                with suppress(ScxhidError):  # whatever it is, it is not of this form
                    UdevPlace(f"{_ROOT}/{folder}/{name}").clear()
