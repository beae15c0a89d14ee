"""Objects of udev-hid-bpf on this machine: where they lie, and which of several versions to try.

A file is called ``NUMBER-VENDOR__PRODUCT.bpf.o``. Those that differ in the number alone are
versions of one thing; the highest is for the newest kernels, and is tried first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from glob import glob
from pathlib import Path

from pyloader.errors import (
    BadObject,
    LoadError,
    ProbeRefused,
    ScxhidError,
    UnknownName,
    Unsupported,
    WrongUse,
)
from pyloader.hid import matches, udev
from pyloader.hid.attach import AttachResult
from pyloader.hid.device import Device
from pyloader.hid.udev_pins import NUMBERED, group_of
from pyloader.names import nearest
from pyloader.spec import ObjectSpec

#: That of its own `install`, those of its build, those of distributions.
DIRECTORIES = (
    "/etc/udev-hid-bpf",
    "/usr/local/lib/firmware/hid/bpf",
    "/lib/firmware/hid/bpf",
    "/usr/local/lib*/bpf",
    "/usr/lib/*/bpf",
    "/usr/lib*/bpf",
)
_SUFFIX = ".bpf.o"

# An object that ends so leaves its place to the next version.
_NEXT = (LoadError, ProbeRefused, BadObject, Unsupported)


def find(text: str) -> list[Path]:
    """The objects that a user means, the one to try first in front.

    ``text`` is the path of a directory; or a name with or without the number, by itself (looked for
    in ``DIRECTORIES``) or at the end of a path. Empty if it is the path of a file, or a name that
    no object has.

    Raises:
        ScxhidError: the directory holds none.
        UnknownName: none in the directory has that name; the nearest are told.
    """
    if "/" not in text:
        return _newest_first([path for path in installed() if _is_called(path, text)])
    if os.path.isdir(text):
        found = _in(Path(text))
        if not found:
            raise ScxhidError(f"{text} holds no {_SUFFIX} file")
        return _newest_first(found)
    folder, name = os.path.split(text)
    if os.path.lexists(text) or text.endswith((".c", ".o")) or not os.path.isdir(folder):
        return []
    found = _in(Path(folder))
    meant = [path for path in found if _is_called(path, name)]
    if not meant:
        known = {group_of(_name(path)) for path in found}
        raise UnknownName("object", name, nearest(name, known), f"{folder} holds {len(found)}")
    return _newest_first(meant)


def installed() -> list[Path]:
    """All of this machine; of a name that lies in several directories the first."""
    found: dict[str, Path] = {}
    for pattern in DIRECTORIES:
        for folder in sorted(glob(pattern)):
            for path in _in(Path(folder)):
                found.setdefault(path.name, path)
    return list(found.values())


def attach_first(
    paths: Sequence[Path],
    device: Device,
    attach: Callable[[ObjectSpec], AttachResult],
    force: bool,
    tell: Callable[[str], None],
) -> AttachResult:
    """Attach the first of ``paths`` that is for the device, loads and accepts it.

    ``tell`` is told why one before it was passed over.

    Raises:
        WrongUse: none is for this device, or several that are not versions of one thing.
        ScxhidError: none could be attached; with one alone its own error.
    """
    wanted = _for_device(paths, device, force)
    refused: list[str] = []
    for path in wanted:
        try:
            spec = ObjectSpec.open(path)
            done = attach(spec)
        except _NEXT as error:
            if len(wanted) == 1:
                raise
            refused.append(str(error))
            continue
        for each in refused:
            tell(each)
        return done
    raise ScxhidError(
        f"none of {len(refused)} versions could be attached to {device.sysname} ({device.name}): "
        + "; ".join(refused)
    )


def _for_device(paths: Sequence[Path], device: Device, force: bool) -> list[Path]:
    if len(paths) == 1 or force:
        found = list(paths)
    else:
        found = [path for path in paths if _fits(path, device)]
    if not found:
        group = group_of(_name(paths[0])) if len(_groups(paths)) == 1 else f"{len(paths)} objects"
        raise WrongUse(
            f"{group}: none is for {device.sysname} ({device.name}, {device.bus_name}"
            f" {device.ids}); `scxhid hid info FILE` tells what one is for"
        )
    groups = _groups(found)
    if len(groups) > 1:
        raise WrongUse(
            f"several are for {device.sysname} ({device.name}): {', '.join(groups)}; name one"
        )
    return found


def _is_called(path: Path, name: str) -> bool:
    return name in (_name(path), group_of(_name(path)))


def _groups(paths: Sequence[Path]) -> list[str]:
    return sorted({group_of(_name(path)) for path in paths})


def _fits(path: Path, device: Device) -> bool:
    try:
        spec = ObjectSpec.open(path)
        entries = matches.read(spec) if udev.is_one(spec) else None
    except BadObject:
        return False
    return bool(entries) and any(entry.fits(device) for entry in entries)


def _in(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{_SUFFIX}"))


def _name(path: Path) -> str:
    return path.name.removesuffix(_SUFFIX)


def _newest_first(paths: Sequence[Path]) -> list[Path]:
    def number(path: Path) -> int:
        numbered = NUMBERED.fullmatch(_name(path))
        return int(numbered[1]) if numbered else 0

    return sorted(paths, key=lambda path: (-number(path), path.name))
