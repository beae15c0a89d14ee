"""What sysfs says of sched_ext and of HID devices: the truth, read afresh each time."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import NamedTuple

_ROOT = "/sys/kernel/sched_ext"  # no Path: `scxhid status` starts without pathlib
_HID = "/sys/bus/hid"
_INPUT = "/sys/class/input"
_CPUS = "/sys/devices/system/cpu"
_NODES = "/sys/devices/system/node"
_UDEV = "/run/udev/data"
_BUS_I8042 = "0011"  # include/uapi/linux/input.h: PS/2
_PAGE = 4096  # bytes: no sysfs file gives more at once


class SchedExt(NamedTuple):
    """``/sys/kernel/sched_ext`` at one moment.

    ``state`` is the kernel's word (enabled, enabling, disabling, disabled), or
    ``unsupported`` where the kernel has no sched_ext. ``ops`` is the name of the
    root scheduler while there is one; ``enable_seq`` counts the attaches since boot.
    """

    state: str
    ops: str | None = None
    enable_seq: int = 0

    @property
    def is_supported(self) -> bool:
        return self.state != "unsupported"

    def runs(self, name: str) -> bool:
        """Whether the scheduler of that name is the one that runs."""
        return self.state == "enabled" and self.ops == name


def _read(name: str) -> str | None:
    # Unbuffered, for it is done at every step of a change: a text file object costs three times it.
    try:
        fd = os.open(f"{_ROOT}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(fd, _PAGE).decode(errors="replace").strip()
    except OSError:  # ENODEV, from a scheduler that leaves while it is read
        return None
    finally:
        os.close(fd)


def read() -> SchedExt:
    """The state of sched_ext now."""
    state = _read("state")
    if state is None:
        return SchedExt("unsupported")
    return SchedExt(state, _read("root/ops") or None, int(_read("enable_seq") or 0))


def events() -> dict[str, int]:
    """The kernel's own counters of the root scheduler (Linux 6.15); empty if none runs."""
    found: dict[str, int] = {}
    for line in (_read("root/events") or "").splitlines():
        name, _, count = line.partition(" ")
        if count.strip().isdigit():
            found[name] = int(count)
    return found


def hotplug_seq() -> int:
    """How often CPUs have come or gone since boot; 0 where the kernel does not count that.

    Put into ``ops.hotplug_seq`` at load, it makes the kernel refuse the attach if one
    comes or goes in between (0: it does not look).
    """
    return int(_read("hotplug_seq") or 0)


class HidNode(NamedTuple):
    """One entry of ``/sys/bus/hid/devices``.

    ``sysname`` is ``BUS:VENDOR:PRODUCT.NUMBER`` in hexadecimal; ``group`` is the kernel's of what
    its reports hold (``HID_GROUP_*``); ``driver`` is None while the device is bound to none.
    ``inputs`` are its input devices, ``inputN`` with its name and its event node, if it has one;
    nodes are named as below ``/dev``.
    """

    sysname: str
    name: str
    phys: str
    uniq: str
    driver: str | None
    inputs: tuple[tuple[str, str, str | None], ...]
    hidraw: str | None
    group: int = 0

    @property
    def is_bound(self) -> bool:
        """Whether a driver has it; while one only looks at it, it is named as well."""
        return bool(self.driver and (self.hidraw or self.inputs))


def hid_devices() -> list[str]:
    """The names of all HID devices, sorted; empty where the kernel has no HID bus."""
    return _listed(f"{_HID}/devices")


def has_hid() -> bool:
    """Whether there is a HID bus (its module may not be loaded)."""
    return os.path.isdir(_HID)


def hid_device(sysname: str) -> HidNode | None:
    """What is said of one device; None if it is gone."""
    root = f"{_HID}/devices/{sysname}"
    lines = _text(f"{root}/uevent").splitlines()
    said = {key: value for key, _, value in (line.partition("=") for line in lines)}
    if not said:
        return None
    driver = None
    with suppress(OSError):
        driver = os.path.basename(os.readlink(f"{root}/driver"))
    inputs: list[tuple[str, str, str | None]] = []
    for each in _listed(f"{root}/input"):
        events = [x for x in _listed(f"{root}/input/{each}") if x.startswith("event")]
        name = _text(f"{root}/input/{each}/name").strip()
        inputs.append((each, name, f"input/{events[0]}" if events else None))
    hidraw = next(iter(_listed(f"{root}/hidraw")), None)
    return HidNode(
        sysname,
        said.get("HID_NAME", ""),
        said.get("HID_PHYS", ""),
        said.get("HID_UNIQ", ""),
        driver,
        tuple(inputs),
        hidraw,
        _group(said.get("MODALIAS", "")),
    )


def _group(modalias: str) -> int:
    """Of ``hid:bBBBBgGGGGvVVVVVVVVpPPPPPPPP``."""
    digits = modalias.removeprefix("hid:b")[5:9]
    with suppress(ValueError):
        return int(digits, 16)
    return 0


def udev_properties(sysname: str) -> dict[str, str]:
    """What udev knows of a HID device: the kernel's own words and what its rules have added."""
    said = [
        *_text(f"{_HID}/devices/{sysname}/uevent").splitlines(),
        *(
            line.removeprefix("E:")
            for line in _text(f"{_UDEV}/+hid:{sysname}").splitlines()
            if line.startswith("E:")
        ),
    ]
    return {name: value for name, equals, value in (line.partition("=") for line in said) if equals}


def report_descriptor(sysname: str) -> bytes | None:
    """A device's report descriptor as drivers see it, after all fixups; None if it is gone."""
    with suppress(OSError), open(f"{_HID}/devices/{sysname}/report_descriptor", "rb") as file:
        return file.read()
    return None


class InputNode(NamedTuple):
    """One input device: ``inputN``, its name, and the ids that its driver gave it."""

    sysname: str
    name: str
    bus: int
    vendor: int
    product: int


def input_devices() -> list[InputNode]:
    """Every input device, whatever bus it is on."""
    found: list[InputNode] = []
    for each in _listed(_INPUT):
        if not each.startswith("input"):
            continue
        ids = [_text(f"{_INPUT}/{each}/id/{of}") for of in ("bustype", "vendor", "product")]
        with suppress(ValueError):  # it is gone
            bus, vendor, product = (int(text, 16) for text in ids)
            name = _text(f"{_INPUT}/{each}/name").strip()
            found.append(InputNode(each, name, bus, vendor, product))
    return found


def ps2_inputs() -> list[str]:
    """Names of the input devices on PS/2, which have no report that a HID program could change."""
    return [
        _text(f"{_INPUT}/{each}/name").strip()
        for each in _listed(_INPUT)
        if each.startswith("input") and _text(f"{_INPUT}/{each}/id/bustype").strip() == _BUS_I8042
    ]


def reach() -> str:
    """How far sched_ext reaches: ``none``, ``policy`` (tasks with SCHED_EXT alone) or ``all``."""
    if _read("state") not in ("enabled", "enabling"):
        return "none"
    return "policy" if _read("switch_all") == "0" else "all"


def cpu_list(text: str) -> list[int]:
    """The CPUs of a list as the kernel writes it, ``0-3,8``; what is none is left out."""
    found: list[int] = []
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        if first.isdigit() and (not last or last.isdigit()):
            found.extend(range(int(first), int(last or first) + 1))
    return found


def cpu_cache(cpu: int) -> int:
    """The lowest CPU with which it shares its last-level cache; -1 where that is not told."""
    caches = [name for name in _listed(f"{_CPUS}/cpu{cpu}/cache") if name.startswith("index")]
    if not caches:
        return -1
    shared = cpu_list(_text(f"{_CPUS}/cpu{cpu}/cache/{caches[-1]}/shared_cpu_list"))
    return min(shared, default=-1)


def cpu_nodes() -> dict[int, int]:
    """The memory node of each CPU; empty where there are none."""
    return {
        cpu: int(name[4:])
        for name in _listed(_NODES)
        if name.startswith("node") and name[4:].isdigit()
        for cpu in cpu_list(_text(f"{_NODES}/{name}/cpulist"))
    }


def cpu_mhz(cpu: int) -> int | None:
    """Its frequency now, as its driver tells; None where none does."""
    fd = open_cpu_mhz(cpu)
    if fd is None:
        return None
    try:
        return read_cpu_mhz(fd)
    finally:
        os.close(fd)


def open_cpu_mhz(cpu: int) -> int | None:
    """A descriptor for ``read_cpu_mhz``, which the caller closes; None where no driver tells."""
    with suppress(OSError):
        path = f"{_CPUS}/cpu{cpu}/cpufreq/scaling_cur_freq"
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return None


def read_cpu_mhz(fd: int) -> int | None:
    """The frequency that ``open_cpu_mhz`` has opened; None if it is not told, or not any more."""
    with suppress(OSError):
        text = os.pread(fd, _PAGE, 0).strip()
        return int(text) // 1000 if text.isdigit() else None
    return None


def _listed(folder: str) -> list[str]:
    with suppress(OSError):
        return sorted(os.listdir(folder))
    return []


def _text(path: str) -> str:
    with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
    return ""
