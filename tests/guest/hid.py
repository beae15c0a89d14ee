"""HID devices for the tests: plugged in through uhid, and waited for."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pyloader.closing import Closing
from pyloader.hid.device import Device, devices
from pyloader.hid.uhid import Uhid

_T = TypeVar("_T")

_SERIAL = itertools.count(1)
_GENERIC = Path("/sys/bus/hid/drivers/hid-generic/bind")


class Plugged(Closing):
    """A device of a test. The kernel's questions are answered by a thread until it is unplugged."""

    def __init__(
        self,
        name: str,
        rdesc: bytes,
        features: Mapping[int, bytes] | None = None,
        inputs: Mapping[int, bytes] | None = None,
        phys: str = "",
        **ids: int,
    ) -> None:
        self.serial = f"test{next(_SERIAL)}"
        self.uhid_rdesc = rdesc
        self.uhid = Uhid(
            name, rdesc, uniq=self.serial, phys=phys, features=features, inputs=inputs, **ids
        )
        self._over = threading.Event()
        self._answers = threading.Thread(target=self._answer, daemon=True)
        self._answers.start()
        self.sysname = wait_for(self._found).sysname

    def _found(self) -> Device | None:
        return next((d for d in devices() if d.node.uniq == self.serial), None)

    @property
    def device(self) -> Device:
        found = self._found()
        assert found, f"{self.sysname} is gone"
        return found

    def is_bound(self, within_s: float = 0.3) -> bool:
        """Whether a driver took it; the generic one is asked if none did."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if self.device.node.is_bound:
                return True
            time.sleep(0.005)
        with suppress(OSError):
            _GENERIC.write_text(self.sysname)
        return self.device.node.is_bound

    def settle(self) -> None:
        """Wait until the driver that is about to take it has done so: before, reports are lost."""
        with suppress(OSError):  # it has it already; to say so, the kernel waits for its lock
            Path(f"/sys/bus/hid/devices/{self.sysname}/driver/bind").write_text(self.sysname)

    def _answer(self) -> None:
        while not self._over.is_set():
            with suppress(OSError):
                self.uhid.answer(0.05)

    def close(self) -> None:
        self._over.set()
        self._answers.join()
        self.uhid.close()
        wait_for(lambda: self._found() is None)


def wait_for(look: Callable[[], _T | None], within_s: float = 10) -> _T:
    """What ``look`` finds, when it finds something."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"nothing was found within {within_s} s")
