"""Somebody who types on a device of a test, and what the system sees of it."""

from __future__ import annotations

import os
import select

from pyloader.closing import Closing
from pyloader.hid.remap import build
from tests import hid_reports
from tests.guest.hid import Plugged, wait_for
from tests.hid_descriptors import KEYBOARD


class Typist(Closing):
    """Types on a device that is plugged in, and reads what comes out of its hidraw node."""

    def __init__(self, plugged: Plugged) -> None:
        self.plugged = plugged
        self._raw: set[int] = set()
        self._states: dict[int, frozenset[str]] = {}
        self._open()

    def _open(self) -> None:
        node = wait_for(lambda: self.plugged.device.node.hidraw)
        self._descriptor = self.plugged.device.descriptor
        self._fd = os.open(f"/dev/{node}", os.O_RDONLY | os.O_NONBLOCK)

    def reopen(self) -> None:
        """The device has been asked anew: it has another descriptor, and another node."""
        self.close()
        self._states.clear()
        self._open()

    def close(self) -> None:
        os.close(self._fd)

    def press(self, *names: str) -> list[frozenset[str]]:
        return self._change(names, True)

    def release(self, *names: str) -> list[frozenset[str]]:
        return self._change(names, False)

    def _change(self, names: tuple[str, ...], down: bool) -> list[frozenset[str]]:
        places = build.places_of(self._descriptor)
        changed = {places.code_for(name) for name in names}
        self._raw = self._raw | changed if down else self._raw - changed
        for index, (report_id, _) in enumerate(places.reports):
            if changed & places.owned[index]:
                self.plugged.uhid.send(
                    hid_reports.make(self._descriptor, report_id, self._raw)[
                        : self._size(report_id)
                    ]
                )
        return self.come_out()

    def _size(self, report_id: int) -> int:
        """The device itself sends no more than it said."""
        return 8 if report_id == 0 and self.plugged.uhid_rdesc == KEYBOARD else 64

    def come_out(self, within_s: float = 0.0) -> list[frozenset[str]]:
        """What is pressed after each report that came out meanwhile."""
        states: list[frozenset[str]] = []
        while select.select([self._fd], [], [], min(0.05, within_s) if states else within_s)[0]:
            raw = os.read(self._fd, 4096)
            report_id = hid_reports.report_of(self._descriptor, raw).id
            self._states[report_id] = hid_reports.pressed(self._descriptor, raw)
            states.append(frozenset[str]().union(*self._states.values()))
        return states
