"""A HID device made by a process: for replaying recordings, and for trying programs without one.

The messages are those of include/uapi/linux/uhid.h (packed, in the machine's byte order).
"""

from __future__ import annotations

import os
import select
import struct
from collections.abc import Mapping
from typing import NamedTuple

from pyloader.closing import Closing
from pyloader.errors import NotPermitted, Unsupported
from pyloader.hid.descriptor import Descriptor

PATH = "/dev/uhid"
UHID_DATA_MAX = 4096  # bytes of a report descriptor, and of a report
_ROOM_STEP = 64  # bytes; __hid_bpf_allocate_data

_DESTROY, _START, _STOP, _OPEN, _CLOSE, _OUTPUT = range(1, 7)
_GET_REPORT, _GET_REPORT_REPLY, _CREATE2, _INPUT2, _SET_REPORT, _SET_REPORT_REPLY = range(9, 15)

_CREATE = struct.Struct("=I128s64s64sHHIIII")
_INPUT = struct.Struct("=IH")
_REQUEST = struct.Struct("=IIBB")
_GET_REPLY = struct.Struct("=IIHH")
_SET_REPLY = struct.Struct("=IIH")
_EVENT_SIZE = 4 + 128 + 64 + 64 + 2 * 2 + 4 * 4 + UHID_DATA_MAX
_FEATURE_REPORT, _INPUT_REPORT = 0, 2
_EIO = 5


def room(descriptor: Descriptor) -> int:
    """How many bytes of a report fit into the buffer in which programs see it.

    The kernel copies a report there however long it is (dispatch_hid_bpf_device_event, at least up
    to 7.3): one that is longer overwrites other memory as soon as any HID program is attached.
    """
    longest = max((descriptor.size_bytes(r) for r in descriptor.reports.values()), default=0)
    return -(-longest // _ROOM_STEP) * _ROOM_STEP


class Asked(NamedTuple):
    """What the kernel wants of the device: ``opened`` and ``closed`` by readers, ``output`` or
    ``set`` of a report with its bytes, ``get`` of one."""

    what: str
    data: bytes = b""


class Uhid(Closing):
    """One device, there until ``close``. ``bus`` is one of linux/input.h."""

    def __init__(
        self,
        name: str,
        rdesc: bytes,
        *,
        bus: int = 0x06,
        vendor: int = 0,
        product: int = 0,
        phys: str = "",
        uniq: str = "",
        features: Mapping[int, bytes] | None = None,
        inputs: Mapping[int, bytes] | None = None,
        longest: int = UHID_DATA_MAX,
    ) -> None:
        """Make it; drivers are bound a moment later, by the kernel's own worker.

        ``features`` are the feature reports that can be read, ``inputs`` the input reports, by id
        and with the id's byte. What they hold when they are asked for counts. Input reports
        longer than ``longest`` bytes are cut off there.

        Raises:
            Unsupported: the kernel has no uhid.
            NotPermitted: needs root, or the right to write to /dev/uhid.
            ValueError: the descriptor is empty or longer than ``UHID_DATA_MAX``.
        """
        if not 0 < len(rdesc) <= UHID_DATA_MAX:
            raise ValueError(
                f"a report descriptor of {len(rdesc)} bytes, of {UHID_DATA_MAX} at most"
            )
        none: Mapping[int, bytes] = {}
        self._reports = {
            _FEATURE_REPORT: none if features is None else features,
            _INPUT_REPORT: none if inputs is None else inputs,
        }
        self._longest = longest
        try:
            self._fd = os.open(PATH, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        except PermissionError:
            raise NotPermitted(f"{PATH} cannot be opened: run scxhid as root") from None
        except OSError as error:
            raise Unsupported(
                f"{PATH} cannot be opened ({error.strerror}); `modprobe uhid` loads its module"
            ) from None
        head = _CREATE.pack(
            _CREATE2,
            name.encode()[:127],
            phys.encode()[:63],
            uniq.encode()[:63],
            len(rdesc),
            bus,
            vendor,
            product,
            0,
            0,
        )
        self._write(head + rdesc)

    def send(self, report: bytes) -> None:
        """Let the device send an input report, with its id's byte where ids are used.

        When it returns, all programs and drivers have seen it.
        """
        report = report[: self._longest]
        self._write(_INPUT.pack(_INPUT2, len(report)) + report)

    def answer(self, wait_s: float = 0.0) -> list[Asked]:
        """Take what the kernel asked meanwhile, and refuse it what there is no answer to.

        Whoever makes a device must call this now and then: a request that nobody answers holds the
        kernel up for five seconds.
        """
        asked: list[Asked] = []
        while select.select([self], [], [], 0.0 if asked else wait_s)[0]:
            asked.append(self._take(os.read(self._fd, _EVENT_SIZE)))
        return asked

    def fileno(self) -> int:
        """The open file, for ``select`` and for a process that sends reports itself."""
        return self._fd

    def _take(self, event: bytes) -> Asked:
        (kind,) = struct.unpack_from("=I", event)
        if kind in (_GET_REPORT, _SET_REPORT):
            _, request, number, type_ = _REQUEST.unpack_from(event)
            if kind == _GET_REPORT:
                said = self._reports[type_].get(number) if type_ in self._reports else None
                error, said = (_EIO, b"") if said is None else (0, said)
                self._write(_GET_REPLY.pack(_GET_REPORT_REPLY, request, error, len(said)) + said)
                return Asked("get")
            self._write(_SET_REPLY.pack(_SET_REPORT_REPLY, request, 0))
            (size,) = struct.unpack_from("=H", event, _REQUEST.size)
            start = _REQUEST.size + 2
            return Asked("set", event[start : start + size])
        if kind == _OUTPUT:
            (size,) = struct.unpack_from("=H", event, 4 + UHID_DATA_MAX)
            return Asked("output", event[4 : 4 + size])
        names = {_START: "started", _STOP: "stopped", _OPEN: "opened", _CLOSE: "closed"}
        return Asked(names.get(kind, f"event {kind}"))

    def _write(self, event: bytes) -> None:
        os.write(self._fd, event)

    def close(self) -> None:
        """Unplug it. Again is no error."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
