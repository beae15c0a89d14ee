"""The probe of input latency (input.bpf.c): from a report's arrival until a reader has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.catalog import find_probe
from pyloader.closing import Closing
from pyloader.hid.device import devices, require_hid
from pyloader.probes.histogram import to_json

#: Where the time goes, in order: HID programs and the driver, the input core, waking the reader,
#: its wait for a CPU, and what it takes until its read returns.
STAGES = ("fixups", "core", "wake", "wait", "read")
_COUNTS = ("reports", "events", "coalesced", "dropped", "unread")
#: Of input.bpf.c, in the order in which they are attached.
PROGRAMS = (
    # What goes on with a report comes first: one that is seen coming in is seen until its end.
    *("reader_runs", "reader_woken", "read_returns", "reader_gone", "events_told"),
    *("events_queued", "report_done", "report_fixed", "report_in"),
)


@dataclass(frozen=True)
class DeviceLatency:
    """Of one HID device. ``total`` and each of ``stages`` are histograms of ns, shapes
    ``(NR_BUCKETS,)`` and ``(len(STAGES), NR_BUCKETS)``; a stage that a report did not go through
    (the reader was awake) has no sample of it.

    ``reports`` came in; ``events`` were handed to readers, to each its own; ``coalesced`` reports
    came while the reader had not read one before; ``dropped`` events did not fit into a reader's
    buffer; of ``unread`` reports nobody got an event: no reader, or nothing that had changed.
    """

    device: str
    name: str
    total: NDArray[np.uint64]
    stages: NDArray[np.uint64]
    reports: int
    events: int
    coalesced: int
    dropped: int
    unread: int

    def since(self, before: DeviceLatency | None) -> DeviceLatency:
        """What was added to the sums of ``before``; all of it if that is None."""
        if before is None:
            return self
        counts = {name: getattr(self, name) - getattr(before, name) for name in _COUNTS}
        return DeviceLatency(
            self.device, self.name, self.total - before.total, self.stages - before.stages, **counts
        )

    def plus(self, other: DeviceLatency | None) -> DeviceLatency:
        """Both together; this one alone if there is no other."""
        if other is None:
            return self
        counts = {name: getattr(self, name) + getattr(other, name) for name in _COUNTS}
        return DeviceLatency(
            self.device, self.name, self.total + other.total, self.stages + other.stages, **counts
        )

    def to_json(self) -> dict[str, Any]:
        """Samples and percentiles in µs, of the total and of each stage, and the counts."""
        stages = zip(STAGES, self.stages, strict=True)
        return {
            "device": self.device,
            "name": self.name,
            "total": to_json(self.total),
            "stages": {name: to_json(counts) for name, counts in stages},
        } | {name: getattr(self, name) for name in _COUNTS}


class InputProbe(Closing):
    """Sums of all HID devices that sent reports since it was attached, for readers of evdev.

    Raises:
        Unsupported: this kernel has no HID.
        NotPermitted, LoadError, AttachError, CompileError: there is nothing to be seen, for one,
            where the kernel has no evdev.
    """

    def __init__(self) -> None:
        require_hid()
        source = find_probe("input")
        with source.blamed():
            self._object = source.open().load()
        self._names: dict[int, tuple[str, str]] = {}
        try:
            self._devices = self._object.maps["devices"]
            self._readers = self._object.maps["readers"]
            self._refused = self._object.variables["refused"]
            for program in PROGRAMS:
                self._object.attach(program)
        except BaseException:
            self._object.close()
            raise

    @property
    def refused(self) -> int:
        """Reports of devices that there was no room for."""
        return int(self._refused.value)

    def readers(self) -> int:
        """How many open input devices have got events and are not closed."""
        return len(self._readers.read())

    def read(self) -> dict[str, DeviceLatency]:
        """By the device's name in sysfs, also of one that has been unplugged meanwhile."""
        records = self._devices.read()
        ids: list[int] = self._devices.keys().tolist()
        if not self._names.keys() >= set(ids):
            self._names |= {each.number: (each.sysname, each.name) for each in devices()}
        made = [_device(self._name(n), record) for n, record in zip(ids, records, strict=True)]
        return {each.device: each for each in sorted(made, key=lambda each: each.device)}

    def _name(self, number: int) -> tuple[str, str]:
        """Of one that came and went between two looks only the number is known."""
        return self._names.get(number, (f"*.{number:04X}", "unplugged"))

    def programs(self) -> dict[str, int]:
        """Descriptors of the programs that are attached."""
        return self._object.program_fds()

    def close(self) -> None:
        """Take it off. Again is no error."""
        for each in (self._devices, self._readers):
            each.close()
        self._object.close()


def between(
    before: Mapping[str, DeviceLatency], now: Mapping[str, DeviceLatency]
) -> tuple[DeviceLatency, ...]:
    """What came between two reads, of those devices that sent something or were read."""
    made = (each.since(before.get(name)) for name, each in now.items())
    return tuple(each for each in made if each.reports or each.total.any())


def _device(named: tuple[str, str], record: np.void) -> DeviceLatency:
    counts = {name: int(record[name]) for name in _COUNTS}
    return DeviceLatency(*named, record["total"].copy(), record["stages"].copy(), **counts)
