"""Pins: what keeps a scheduler attached after the command that attached it has ended.

The one module that knows paths below the BPF file system. A *place* is a
directory that holds one loaded program set::

    scxhid/sched/current/    the one that is attached (with its ``link``)
    scxhid/sched/previous/   the one before it, loaded and ready to go back on
    scxhid/sched/next/       one that is being attached
        ops/NAME             the struct_ops map, by the name that the kernel lists
        sections/data …      its data sections, by ELF name without the first dot
        maps/NAME …          its other maps
        link                 the attachment; a place without it is a standby

All of it mode 0700. The kernel allows no dot in a pin's name, so a dot is written as
a dash, which neither a C name nor the name of a scheduler can have.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pyloader import libbpf
from pyloader.errors import NotPermitted, ScxhidError, Unsupported

MOUNT = Path("/sys/fs/bpf")
_SCHED = MOUNT / "scxhid" / "sched"
_BPF_FS_MAGIC_TYPE = "bpf"


def is_mounted() -> bool:
    """Whether the BPF file system is mounted where everybody expects it."""
    try:
        with open("/proc/mounts") as file:
            mounts = (line.split() for line in file)
            return any(m[1] == str(MOUNT) and m[2] == _BPF_FS_MAGIC_TYPE for m in mounts)
    except OSError:
        return False


def ensure_mounted() -> None:
    """Unsupported, with the command that mends it, unless the BPF file system is mounted."""
    if not is_mounted():
        raise Unsupported(
            f"no BPF file system is mounted at {MOUNT}, so nothing could be kept attached; "
            f"mount it with `mount -t bpf bpf {MOUNT}`, or use --no-pin"
        )


class Place:
    """One directory of pins, there or not."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def link(self) -> Path:
        return self.path / "link"

    def exists(self) -> bool:
        """Whether it is there; NotPermitted if this user may not even look."""
        try:
            return self.path.is_dir()
        except PermissionError:
            raise NotPermitted(f"{self.path} belongs to root: run scxhid as root") from None

    def is_attached(self) -> bool:
        """Whether a link is pinned here (it may be a dead one: ask sysfs what runs)."""
        return self.exists() and self.link.exists()

    def since_ns(self) -> int:
        """When the link was pinned, ns since the epoch."""
        return self.link.stat().st_mtime_ns

    def ops_name(self) -> str | None:
        """Name of the struct_ops pinned here, as sysfs shows it while it is attached."""
        return next(iter(self.pins("ops")), None)

    def pins(self, folder: str) -> dict[str, Path]:
        """Pins in ``ops``, ``sections`` or ``maps`` by name."""
        pins = _names(self.path / folder)
        return {pin.replace("-", "."): self.path / folder / pin for pin in pins}

    def fill(self, folders: Mapping[str, Mapping[str, int]]) -> None:
        """Create the place with pins by folder and name; on failure nothing of it stays."""
        self.clear()
        try:
            self.path.mkdir(mode=0o700)
            for folder, fds in folders.items():
                (self.path / folder).mkdir(mode=0o700)
                for name, fd in fds.items():
                    libbpf.pin(fd, str(self.path / folder / name.replace(".", "-")))
        except OSError as error:
            self.clear()
            if isinstance(error, PermissionError):
                raise NotPermitted(f"{self.path} cannot be written: run scxhid as root") from None
            raise ScxhidError(f"the BPF file system did not take the pins: {error}") from None

    def pin_link(self, fd: int) -> None:
        libbpf.pin(fd, str(self.link))

    def unpin_link(self) -> None:
        self.link.unlink(missing_ok=True)

    def open(self, path: Path) -> int:
        """A new descriptor for a pin of this place; the caller closes it."""
        return libbpf.open_pin(str(path))

    def clear(self) -> None:
        """Remove the place, its link first, so that what is attached goes off at once."""
        if not self.path.is_dir():
            return
        self.unpin_link()
        for folder in list(self.path.iterdir()):
            for pin in list(folder.iterdir()):
                pin.unlink()
            folder.rmdir()
        self.path.rmdir()

    def move_to(self, other: Place) -> None:
        """Take the other place's name; what was there is gone."""
        other.clear()
        self.path.rename(other.path)


def _names(folder: Path) -> Iterator[str]:
    try:
        yield from sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    except PermissionError:
        raise NotPermitted(f"{folder} belongs to root: run scxhid as root") from None


def current() -> Place:
    return Place(_SCHED / "current")


def previous() -> Place:
    return Place(_SCHED / "previous")


def upcoming() -> Place:
    return Place(_SCHED / "next")


def pins_of_link(link_id: int) -> Iterator[Path]:
    """Where in the BPF file system the link with that id is pinned."""
    for folder, _, names in os.walk(MOUNT):
        for name in names:
            path = Path(folder) / name
            try:
                fd = libbpf.open_pin(str(path))
            except OSError:
                continue
            try:
                if libbpf.link_info(fd).id == link_id and "link" in os.readlink(
                    f"/proc/self/fd/{fd}"
                ):
                    yield path
            except OSError:
                continue
            finally:
                os.close(fd)


def make_root() -> None:
    """Create the directories above the places, mode 0700."""
    ensure_mounted()
    for path in (_SCHED.parent, _SCHED):
        try:
            path.mkdir(mode=0o700, exist_ok=True)
        except PermissionError:
            raise NotPermitted(f"{path} cannot be made: run scxhid as root") from None
