"""A program on a terminal of its own: what it costs, and when it draws what."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence

from pyloader.closing import Closing
from pyloader.errors import ScxhidError

WIDTH, HEIGHT = 120, 40


class OnTerminal(Closing):
    """Runs ``command`` on a pseudo-terminal of 120×40 until it is closed."""

    def __init__(self, command: Sequence[str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        environment.pop("NO_COLOR", None)
        self._command = command[0]
        self.began_ns = time.monotonic_ns()
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)

    def cpu_ns(self) -> int:
        """CPU time of the process until now, all its threads (proc_pid_schedstat: field 1 is of
        one thread alone)."""
        total = 0
        for thread in os.listdir(f"/proc/{self._process.pid}/task"):
            with open(f"/proc/{self._process.pid}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
        return total

    def memory(self) -> int:
        """Of what it has in memory, bytes (proc_pid_smaps_rollup(5): Pss)."""
        with open(f"/proc/{self._process.pid}/smaps_rollup") as file:
            [kilobytes] = [line.split()[1] for line in file if line.startswith("Pss:")]
        return int(kilobytes) << 10

    def drain(self, seconds: float) -> bytes:
        """Read what it draws for so long, as a terminal would; the last of it."""
        seen = b""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            seen = (seen + self._read(left))[-(1 << 16) :]
        return seen

    def until(self, words: bytes, seconds: float = 20) -> int:
        """Read until ``words`` were drawn; the time then, ns of CLOCK_MONOTONIC."""
        seen = b""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            seen = (seen + self._read(left))[-(1 << 16) :]
            if words in seen:
                return time.monotonic_ns()
        raise ScxhidError(f"{self._command} did not draw {words!r} within {seconds:g} s")

    def press(self, key: bytes) -> int:
        """Send it; the time just before, ns of CLOCK_MONOTONIC."""
        now = time.monotonic_ns()
        os.write(self._master, key)
        return now

    def close(self) -> None:
        """End it. Again is no error."""
        if self._process.poll() is None:
            self._process.terminate()
            end = time.monotonic() + 5
            while self._process.poll() is None and time.monotonic() < end:
                self._read(0.05)
            self._process.kill()
            self._process.wait()
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _read(self, seconds: float) -> bytes:
        if not select.select([self._master], [], [], seconds)[0]:
            return b""
        try:
            return os.read(self._master, 1 << 16)
        except OSError:  # it has ended
            time.sleep(min(seconds, 0.05))
            return b""
