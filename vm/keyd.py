"""Debian's package of keyd, unpacked in the cache, and its daemon at work in a guest.

The daemon reads ``/etc/keyd`` and listens on ``/var/run/keyd.socket``; both are compiled in. In a
guest they are in memory and gone with it, so it is run there as it is. The program needs the C
library and nothing else; Debian calls it ``keyd.rvaiya``.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from pyloader.closing import Closing
from vm import unpacked
from vm.errors import VmError
from vm.programs import run_tool

PACKAGE = "keyd"

#: The name of the input device that it writes to.
OUTPUT_NAME = "keyd virtual keyboard"

CONFIGURATIONS = Path("/etc/keyd")

_UINPUT = Path("/dev/uinput")
_UNPACKED_BYTES = 4_000_000
_STARTED, _REFUSED = "Starting keyd", "failed to parse"
_LEAVE_S = 5.0


def fetch() -> Path:
    """The directory with the unpacked package.

    Raises:
        KernelFetchError, Unsupported: as ``unpacked.fetch`` does.
    """
    return unpacked.fetch(PACKAGE, unpacked_bytes=_UNPACKED_BYTES)


def program(root: Path) -> Path:
    """The package's own program."""
    return root / "usr/bin/keyd.rvaiya"


def examples(root: Path) -> list[Path]:
    """The configurations that the package gives as examples, in the order of their names."""
    return sorted((root / f"usr/share/doc/{PACKAGE}/examples").glob("*.conf"))


class Daemon(Closing):
    """keyd with one configuration, until it is closed. For guests: it takes ``/etc/keyd``."""

    def __init__(self, root: Path, configuration: str) -> None:
        """Start it. It takes devices a moment after this returns (``wait_for_device``).

        Raises:
            VmError: ``/etc/keyd`` is somebody's, the configuration is refused, or it ends.
        """
        if CONFIGURATIONS.exists():
            raise VmError(f"{CONFIGURATIONS} is there already: this is for a guest, which has none")
        if not _UINPUT.exists():
            run_tool("modprobe", "uinput")
        CONFIGURATIONS.mkdir()
        self._file = CONFIGURATIONS / "scxhid.conf"
        self._file.write_text(configuration)
        self._folder = tempfile.TemporaryDirectory()
        self._log = Path(self._folder.name) / "log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [program(root)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_for_log(_STARTED)
            if _REFUSED in self.log:
                raise VmError(f"keyd does not take the configuration: {self.log.strip()}")
        except VmError:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The daemon's process."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")

    def wait_for_device(self, vendor: int, product: int) -> None:
        """Until it has taken that device.

        Raises:
            VmError: it did not, or it ended.
        """
        self._wait_for_log(f"match    {vendor:04x}:{product:04x}")

    def _wait_for_log(self, text: str, within_s: float = 10.0) -> None:
        deadline = time.monotonic() + within_s
        while text not in self.log:
            if self._process.poll() is not None:
                raise VmError(f"keyd ended: {self.log.strip()}")
            if time.monotonic() > deadline:
                raise VmError(f"keyd did not say {text!r} in {within_s:g} s: {self.log.strip()}")
            time.sleep(0.01)

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()
        self._file.unlink()
        CONFIGURATIONS.rmdir()
