"""A tap on a device: every report before its HID programs, and after them.

Two programs of ours (hid/tap) stand at the head and at the end of the device's chain for as long as
the process lives; nothing is pinned. Whoever is attached later would stand outside of them, so the
device is looked after now and then, and the taps move out again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from pyloader import libbpf
from pyloader.catalog import find_hid_tap
from pyloader.closing import Closing
from pyloader.hid.attachments import TAPS, attached_since
from pyloader.hid.descriptor import Descriptor
from pyloader.hid.device import Device
from pyloader.hid.pairs import Pairing, Passage, Tapped

_STEP = 64  # bytes: what the kernel holds of a report is a multiple of it
_MAX = 16384  # of any report
_BATCH = 4096  # samples
_LOOK_NS = 200_000_000


class Tap(Closing):
    """Attached from the start, until ``stop`` or ``close``.

    Raises:
        VerifierError, LoadError, AttachError, NotPermitted, Unsupported: as for any program.
    """

    def __init__(self, device: Device, descriptor: Descriptor) -> None:
        self._device = device
        source = find_hid_tap()
        fields = {name: {"hid_id": device.number} for name in TAPS}
        room = _room(descriptor)
        with source.blamed():
            self._loaded = source.open().load({"room": room}, fields)
        try:
            self._samples = self._loaded.maps["taps"].ring(_sample(room))
            self._pairing = Pairing()
            self._newest = 0
            self._looked_ns = time.monotonic_ns()
            self._attach()
        except BaseException:
            self._loaded.close()
            raise

    def fileno(self) -> int:
        """A descriptor that polls readable when there are reports."""
        return self._samples.fileno()

    @property
    def lost(self) -> int:
        """Reports that found no room, since nobody read for seconds."""
        return int(self._loaded.variables["lost"].value)

    def read(self) -> list[Passage]:
        """What has passed since the last call, in order; what is under way comes with the next."""
        began_ns = time.monotonic_ns()
        while len(samples := self._samples.read(_BATCH)):
            for tapped in _copies(samples):
                self._pairing.put(tapped)
        return list(self._pairing.done(began_ns))

    def newcomers(self) -> list[str]:
        """The ops of those that were attached meanwhile, around which the taps have moved.

        Reports that the device sends during the move, a few milliseconds, are not seen.
        """
        if time.monotonic_ns() - self._looked_ns < _LOOK_NS:
            return []
        self._looked_ns = time.monotonic_ns()
        self._newest, names = attached_since(self._newest, self._device.number)
        if names:
            self._loaded.detach()
            self._attach()
        return names

    def stop(self) -> list[Passage]:
        """Take the taps off; the rest of what has passed."""
        self._loaded.detach()
        return [*self.read(), *self._pairing.done()]

    def close(self) -> None:
        """Take them off and unload. Again is no error."""
        self._samples.close()
        self._loaded.close()

    def _attach(self) -> None:
        """The last first, or reports in between would look as if they had been dropped."""
        before, after = TAPS
        self._newest = libbpf.link_info(self._loaded.attach(after).fd).id
        self._loaded.attach(before)


def _room(descriptor: Descriptor) -> int:
    """Bytes of the longest input report, in the kernel's steps."""
    sizes = [
        descriptor.size_bytes(r) for (kind, _), r in descriptor.reports.items() if kind == "input"
    ]
    return min(_MAX, -(-max(sizes, default=1) // _STEP) * _STEP)


def _sample(room: int) -> np.dtype[Any]:
    """``struct tapped`` of hid/tap."""
    fields = [("at_ns", "=u8"), ("context", "=u8"), ("source", "=u8"), ("is_after", "=u4")]
    return np.dtype([*fields, ("size", "=u4"), ("bytes", f"V{room}")])


def _copies(samples: np.ndarray[Any, Any]) -> Iterator[Tapped]:
    room = samples.dtype["bytes"].itemsize
    raw = samples["bytes"].tobytes()
    columns = (
        samples[name].tolist() for name in ("at_ns", "context", "source", "is_after", "size")
    )
    for index, (at_ns, context, source, is_after, size) in enumerate(zip(*columns, strict=True)):
        start = index * room
        yield Tapped(at_ns, context, source, bool(is_after), raw[start : start + min(size, room)])
