"""The reports of the device that somebody looks at."""

from __future__ import annotations

import time

from pyloader.closing import Closing
from pyloader.errors import ScxhidError
from pyloader.hid.device import find_device
from pyloader.hid.live import LiveReport, LiveReports
from pyloader.view.snapshot import Tapped


class TapReader(Closing):
    """``wanted`` is the device (its sysfs name) and whether keys are masked, set by any thread."""

    def __init__(self) -> None:
        self.wanted: tuple[str | None, bool] = (None, True)
        self._now: tuple[str | None, bool] = (None, True)
        self._live: LiveReports | None = None
        self._why_not = ""

    def read(self) -> Tapped | None:
        """What came since the last read; None where no device is looked at."""
        if self.wanted != self._now:
            self._begin(*self.wanted)
        device, masked = self._now
        if device is None:
            return None
        reports: tuple[LiveReport, ...] = ()
        left_out = 0
        if self._live:
            before = self._live.left_out
            try:
                reports = self._live.take()
                left_out = self._live.left_out - before
            except ScxhidError as error:
                self._end()
                self._why_not = str(error)
        left_out += max(0, len(reports) - Tapped.MOST)
        clock = time.time() - time.monotonic()
        return Tapped(device, masked, reports[-Tapped.MOST :], left_out, clock, self._why_not)

    def close(self) -> None:
        """Let go of the device. Again is no error."""
        self._end()

    def _begin(self, device: str | None, masked: bool) -> None:
        self._end()
        self._now, self._why_not = (device, masked), ""
        if device is None:
            return
        try:
            self._live = LiveReports(find_device(device), masked=masked)
        except ScxhidError as error:
            self._why_not = str(error)

    def _end(self) -> None:
        if self._live:
            self._live.close()
            self._live = None
