"""Recordings of HID devices in the format of hid-recorder, which hid-tools and libinput read.

A line each, by its first letter: ``D`` which device the lines after it are of, ``N`` its name,
``P`` where it is plugged in, ``I`` bus, vendor and product in hexadecimal, ``R`` its report
descriptor, ``E`` a report: when, in seconds and microseconds since the first, its length, its
bytes. Lines that begin with ``#`` are remarks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pyloader.errors import ScxhidError

if TYPE_CHECKING:
    from pyloader.hid.device import Device

_MOST_BYTES = 4096  # of a descriptor and of a report, as in uhid
_NS_PER_US, _US_PER_S = 1000, 1_000_000


class BadRecording(ScxhidError):
    """A file that is no recording; the sentence names the line."""

    def __init__(self, path: str, number: int, why: str) -> None:
        where = f"{path}: line {number}" if number else path
        super().__init__(f"{where} {why}")


@dataclass
class Recorded:
    """One device of a recording."""

    index: int = 0
    name: str = ""
    phys: str = ""
    bus: int = 3
    vendor: int = 0
    product: int = 0
    rdesc: bytes = b""


class Report(NamedTuple):
    """A report of the device number ``device``, ``at_ns`` after the recording's begin."""

    at_ns: int
    device: int
    data: bytes


@dataclass
class Recording:
    """Devices by index, and their reports in order."""

    devices: dict[int, Recorded] = field(default_factory=dict[int, Recorded])
    reports: list[Report] = field(default_factory=list[Report])


def of_device(device: Device, rdesc: bytes | None = None) -> Recorded:
    """One that is plugged in; with its report descriptor as it is now, or another."""
    at = device.node.phys
    ids = device.bus, device.vendor, device.product
    return Recorded(0, device.name, at, *ids, device.rdesc if rdesc is None else rdesc)


def head(device: Recorded) -> Iterator[str]:
    """The lines that begin a recording of ``device``."""
    yield f"D: {device.index}"
    yield f"R: {len(device.rdesc)} {device.rdesc.hex(' ')}"
    yield f"N: {device.name}"
    yield f"P: {device.phys}"
    yield f"I: {device.bus:x} {device.vendor:04x} {device.product:04x}"


def line(report: Report) -> str:
    """The line of one report."""
    seconds, rest_us = divmod(report.at_ns // _NS_PER_US, _US_PER_S)
    return f"E: {seconds:06d}.{rest_us:06d} {len(report.data)} {report.data.hex(' ')}"


def read(lines: Iterable[str], path: str) -> Recording:
    """A recording from its lines; ``path`` is for the sentences of errors.

    Raises:
        BadRecording: a line has another form, or a device has no descriptor.
    """
    found = Recording()
    index = 0
    for number, text in enumerate(lines, 1):
        letter, colon, rest = text.strip().partition(":")
        if not letter or letter.startswith("#") or not colon:
            continue
        try:
            if letter == "D":
                index = int(rest)
                continue
            if letter == "E":
                at_ns, data = _report(rest)
                if index not in found.devices:
                    raise ValueError("has a report of a device that was not described")
                found.reports.append(Report(at_ns, index, data))
                continue
            device = found.devices.setdefault(index, Recorded(index))
            _describe(device, letter, rest.strip())
        except ValueError as error:
            raise BadRecording(path, number, _why(error, letter)) from None
    _check(found, path)
    return found


def _describe(device: Recorded, letter: str, text: str) -> None:
    if letter == "N":
        device.name = text
    elif letter == "P":
        device.phys = text
    elif letter == "I":
        device.bus, device.vendor, device.product = (int(word, 16) for word in text.split())
    elif letter == "R":
        device.rdesc = _bytes(text)


def _report(text: str) -> tuple[int, bytes]:
    when, _, rest = text.strip().partition(" ")
    seconds, _, fraction = when.partition(".")
    at_ns = (int(seconds) * _US_PER_S + int(fraction or 0)) * _NS_PER_US
    if at_ns < 0:
        raise ValueError("has a time before the recording's begin")
    return at_ns, _bytes(rest)


def _bytes(text: str) -> bytes:
    """``N b0 b1 …``: a length and as many bytes in hexadecimal."""
    length, _, rest = text.strip().partition(" ")
    data = bytes.fromhex(rest)
    if len(data) != int(length):
        raise ValueError(f"says {int(length)} bytes and has {len(data)}")
    if len(data) > _MOST_BYTES:
        raise ValueError(f"has {len(data)} bytes, of {_MOST_BYTES} at most")
    return data


def _why(error: ValueError, letter: str) -> str:
    own = ("has ", "says ")
    return str(error) if str(error).startswith(own) else f"is not of the form of {letter!r} lines"


def _check(found: Recording, path: str) -> None:
    if not found.devices:
        raise BadRecording(path, 0, "is not a recording: it describes no device")
    for device in found.devices.values():
        if not device.rdesc:
            raise BadRecording(path, 0, f"has no report descriptor (R:) of device {device.index}")
