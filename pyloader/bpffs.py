"""Pins: what keeps a scheduler attached after the command that attached it has ended.

The one module that knows paths below the BPF file system. A *place* is a
directory that holds one loaded program set::

    scxhid/sched/current/    the one that is attached (with its ``link``)
    scxhid/sched/previous/   the one before it, loaded and ready to go back on
    scxhid/sched/next/       one that is being attached
    scxhid/sched/host/       the resident host, while a policy of ours is or was hosted
        ops/NAME             the struct_ops map, by the name that the kernel lists
        sections/data …      its data sections, by ELF name without the first dot
        maps/NAME …          its other maps
        progs/NAME …         programs that the loader runs or puts into the host's slots:
                             only the host and what is loaded to be hosted have them
        link                 the attachment; a place without it is a standby, or is hosted

HID programs have one each, ``scxhid/hid/DEVICE/PROGRAM``, of the same form; objects of
udev-hid-bpf are pinned in that tool's form (``pyloader.hid.udev_pins``). Input first is
``scxhid/input/mark``, with a link for each of its programs in ``links``.

All of it mode 0700. The kernel allows no dot in a pin's name, so a dot is written as
a dash, which neither a C name nor the name of a scheduler can have.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress

from pyloader import libbpf
from pyloader.errors import Gone, NotPermitted, ScxhidError, Unsupported

MOUNT = "/sys/fs/bpf"
_SCHED = f"{MOUNT}/scxhid/sched"
_HID = f"{MOUNT}/scxhid/hid"
_INPUT = f"{MOUNT}/scxhid/input"
_UPCOMING = "+"  # before the name of one that is being attached
_BPF_FS_MAGIC_TYPE = "bpf"


def is_mounted() -> bool:
    """Whether the BPF file system is mounted where everybody expects it."""
    try:
        with open("/proc/mounts") as file:
            mounts = (line.split() for line in file)
            return any(m[1] == MOUNT and m[2] == _BPF_FS_MAGIC_TYPE for m in mounts)
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
    """One directory of pins, there or not.

    Paths are text: a change asks some hundred of them, and ``pathlib`` would be a good part of
    its time.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.link = f"{path}/link"

    def exists(self) -> bool:
        """Whether it is there; NotPermitted if this user may not even look."""
        try:
            return stat.S_ISDIR(os.stat(self.path).st_mode)
        except PermissionError:
            raise NotPermitted(f"{self.path} belongs to root: run scxhid as root") from None
        except OSError:
            return False

    def is_attached(self) -> bool:
        """Whether a link is pinned here (it may be a dead one: ask sysfs what runs)."""
        return self.exists() and os.path.exists(self.link)

    def since_ns(self) -> int:
        """When the link was pinned, ns since the epoch."""
        return os.stat(self.link).st_mtime_ns

    def made_ns(self) -> int | None:
        """When the place was filled, ns since the epoch; None if it is not there."""
        return os.stat(self.path).st_mtime_ns if self.exists() else None

    def ops_name(self) -> str | None:
        """Name of the struct_ops pinned here, as sysfs shows it while it is attached."""
        return next(iter(self.pins("ops")), None)

    def is_policy(self) -> bool:
        """Whether it was loaded to be hosted: it is attached through the host, not by a link."""
        return os.path.isdir(f"{self.path}/progs") and self.path != host().path

    def pins(self, folder: str) -> dict[str, str]:
        """Paths of the pins in ``ops``, ``sections``, ``maps`` or ``progs`` by name."""
        path = f"{self.path}/{folder}"
        return {pin.replace("-", "."): f"{path}/{pin}" for pin in names(path)}

    def fill(self, folders: Mapping[str, Mapping[str, int]]) -> None:
        """Create the place with pins by folder and name; on failure nothing of it stays."""
        self.clear()
        try:
            os.mkdir(self.path, 0o700)
            for folder, fds in folders.items():
                path = f"{self.path}/{folder}"
                os.mkdir(path, 0o700)
                for name, fd in fds.items():
                    libbpf.pin(fd, f"{path}/{name.replace('.', '-')}")
        except OSError as error:
            self.clear()
            if isinstance(error, PermissionError):
                raise NotPermitted(f"{self.path} cannot be written: run scxhid as root") from None
            raise ScxhidError(f"the BPF file system did not take the pins: {error}") from None

    def open_ops(self) -> int:
        """A new descriptor of the struct_ops map pinned here; the caller closes it."""
        pins = self.pins("ops")
        if not pins:
            raise Gone(f"nothing is pinned at {self.path}")
        return self.open(next(iter(pins.values())))

    def ops_id(self) -> int:
        """The kernel's id of that map."""
        fd = self.open_ops()
        try:
            return libbpf.map_info(fd).id
        finally:
            os.close(fd)

    def pin_link(self, fd: int) -> None:
        libbpf.pin(fd, self.link)

    def unpin_link(self) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self.link)

    def open(self, path: str) -> int:
        """A new descriptor for a pin of this place; the caller closes it."""
        return open_pin(path)

    def clear(self) -> None:
        """Remove the place, its link first, so that what is attached goes off at once."""
        try:
            if not os.path.isdir(self.path):
                with suppress(FileNotFoundError):
                    os.unlink(self.path)  # somebody pinned something under that name
                return
            self.unpin_link()
            for folder in os.listdir(self.path):
                path = f"{self.path}/{folder}"
                for pin in os.listdir(path):
                    os.unlink(f"{path}/{pin}")
                os.rmdir(path)
            os.rmdir(self.path)
        except OSError as error:
            if isinstance(error, PermissionError):
                raise NotPermitted(f"{self.path} cannot be removed: run scxhid as root") from None
            raise ScxhidError(f"{self.path} cannot be removed: {error.strerror}") from None

    def move_to(self, other: Place) -> None:
        """Take the other place's name; what was there is gone."""
        other.clear()
        os.rename(self.path, other.path)


def open_pin(path: str) -> int:
    """A new descriptor for what is pinned at ``path``; the caller closes it."""
    try:
        return libbpf.open_pin(path)
    except libbpf.CallFailed as error:
        if error.errno == errno.EROFS:  # the kernel opens pins for writing
            raise ScxhidError(
                f"{path} cannot be opened, since the BPF file system is read-only; "
                f"`mount -o remount,rw {MOUNT}` lets it be changed"
            ) from None
        raise OSError(error.errno, error.strerror, path) from None  # of the kind that it is


def names(folder: str) -> list[str]:
    """What is in a directory, sorted; nothing if it is not there."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except PermissionError:
        raise NotPermitted(f"{folder} belongs to root: run scxhid as root") from None


def current() -> Place:
    return Place(f"{_SCHED}/current")


def previous() -> Place:
    return Place(f"{_SCHED}/previous")


def upcoming() -> Place:
    return Place(f"{_SCHED}/next")


def host() -> Place:
    return Place(f"{_SCHED}/host")


def input_mark() -> Place:
    """What marks the tasks that input wakes."""
    return Place(f"{_INPUT}/mark")


def input_mark_upcoming() -> Place:
    """The same while it is being attached."""
    return Place(f"{_INPUT}/{_UPCOMING}mark")


def make_input_folder() -> None:
    """Create the directories above them, mode 0700."""
    make(os.path.dirname(_INPUT), _INPUT)


def clear_input_folder() -> None:
    """Remove all that is pinned for input first, what an attach left behind as well."""
    for name in names(_INPUT):
        Place(f"{_INPUT}/{name}").clear()
    with suppress(OSError):
        os.rmdir(_INPUT)


def hid_place(sysname: str, program: str) -> Place:
    """Of a program on a device; the kernel takes neither colon nor dot."""
    return Place(f"{_HID}/{device_folder(sysname)}/{program.replace('.', '-')}")


def hid_upcoming(sysname: str, program: str) -> Place:
    """Of one that is being attached."""
    place = hid_place(sysname, program)
    folder, _, name = place.path.rpartition("/")
    return Place(f"{folder}/{_UPCOMING}{name}")


def hid_places(sysname: str) -> dict[str, Place]:
    """Of all programs on a device, by name."""
    folder = f"{_HID}/{device_folder(sysname)}"
    return {
        name: Place(f"{folder}/{name}") for name in names(folder) if not name.startswith(_UPCOMING)
    }


def hid_left_behind(sysname: str) -> dict[str, Place]:
    """What was being attached to a device, by the name of the program."""
    folder = f"{_HID}/{device_folder(sysname)}"
    return {
        name.removeprefix(_UPCOMING): Place(f"{folder}/{name}")
        for name in names(folder)
        if name.startswith(_UPCOMING)
    }


def hid_program_of(path: str) -> str | None:
    """The program whose link is pinned at ``path``; None if that is no place of ours."""
    parts = path.removeprefix(f"{_HID}/").split("/")
    return parts[1] if path.startswith(f"{_HID}/") and parts[2:] == ["link"] else None


def all_hid_places() -> list[Place]:
    """Of all programs on all devices."""
    return [
        Place(f"{_HID}/{folder}/{name}")
        for folder in hid_folders()
        for name in names(f"{_HID}/{folder}")
    ]


def hid_folders() -> list[str]:
    """Names of the devices that have programs, as ``is_folder_of`` knows them."""
    return names(_HID)


def is_folder_of(folder: str, sysname: str) -> bool:
    return folder == device_folder(sysname)


def clear_hid_folder(folder: str) -> None:
    """Remove all that is pinned for a device, and its folder."""
    for name in names(f"{_HID}/{folder}"):
        Place(f"{_HID}/{folder}/{name}").clear()
    with suppress(OSError):
        os.rmdir(f"{_HID}/{folder}")


def make_hid_folder(sysname: str) -> None:
    """Create the directories above a device's places, mode 0700."""
    make(os.path.dirname(_HID), _HID, f"{_HID}/{device_folder(sysname)}")


def device_folder(sysname: str) -> str:
    """The name of a device's directory: the kernel takes neither colon nor dot."""
    return sysname.replace(":", "_").replace(".", "_")


def pins_of_link(link_id: int) -> Iterator[str]:
    """Where in the BPF file system the link with that id is pinned."""
    return (path for path, id_ in pinned_links() if id_ == link_id)


def pinned_links() -> Iterator[tuple[str, int]]:
    """Every link that is pinned in the BPF file system: the path and the kernel's id."""
    for folder, _, names in os.walk(MOUNT):
        for name in names:
            path = f"{folder}/{name}"
            try:
                fd = libbpf.open_pin(path)
            except OSError:
                continue
            try:
                if "link" in os.readlink(f"/proc/self/fd/{fd}"):
                    yield path, libbpf.link_info(fd).id
            except OSError:
                continue
            finally:
                os.close(fd)


def tool_of(path: str) -> str | None:
    """Which tool pins links where ``path`` is: scxhid, udev-hid-bpf, or one that is not known."""
    for folder, tool in ((f"{MOUNT}/scxhid/", "scxhid"), (f"{MOUNT}/hid/", "udev-hid-bpf")):
        if path.startswith(folder):
            return tool
    return None


def make_root() -> None:
    """Create the directories above the places of schedulers, mode 0700."""
    make(os.path.dirname(_SCHED), _SCHED)


def make(*paths: str) -> None:
    """Create directories, mode 0700, one after the other; those that are there stay."""
    ensure_mounted()
    for path in paths:
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            continue
        except PermissionError:
            raise NotPermitted(f"{path} cannot be made: run scxhid as root") from None
