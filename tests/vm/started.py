"""``scxhid vm`` as a user starts it, and the QEMU processes that belong to one start."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Ended:
    status: int
    stdout: bytes
    stderr: str


def command(*words: str) -> list[str]:
    return [str(Path(sys.executable).parent / "scxhid"), "vm", *words]


class Running:
    """A ``scxhid vm`` that runs, found by a kernel argument that only it has."""

    def __init__(self, mark: str, process: subprocess.Popen[bytes]) -> None:
        self._mark = mark.encode()
        self.process = process

    def machines(self) -> list[int]:
        """The QEMU processes of this run."""
        found: list[int] = []
        for directory in Path("/proc").iterdir():
            if directory.name.isdigit():
                try:
                    words = (directory / "cmdline").read_bytes()
                except OSError:
                    continue
                if b"qemu-system" in words.split(b"\0")[0] and self._mark in words:
                    found.append(int(directory.name))
        return found

    def wait_for_machines(self, count: int, timeout_s: float = 30) -> bool:
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if len(self.machines()) == count:
                return True
            time.sleep(0.05)
        return False
