"""A terminal for programs of the tests: tmux, to which keys are sent and whose screen is read."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

from pyloader.closing import Closing


class Terminal(Closing):
    """Runs ``command`` on a screen of its own until it is closed."""

    def __init__(self, command: Sequence[str], width: int = 120, height: int = 40) -> None:
        self._socket = f"/tmp/terminal.{os.getpid()}.{time.monotonic_ns()}"
        line = f"{shlex.join(command)}; echo ended with $?; exec sleep 1000"
        size = ("-x", str(width), "-y", str(height))
        self._tmux("new-session", "-d", *size, "env", "LANG=C.UTF-8", "sh", "-c", line)

    def press(self, *keys: str) -> None:
        """Keys by tmux's names; others are typed as they are."""
        self._tmux("send-keys", *keys)

    def screen(self) -> str:
        """What stands on it, without the spaces at the ends of lines."""
        return self._tmux("capture-pane", "-p")

    def shows(self, *words: str, within_s: float = 20) -> str:
        """Wait until all of these are on it; the screen then."""
        return self.until(lambda screen: all(word in screen for word in words), within_s)

    def until(self, holds: Callable[[str], Any], within_s: float = 20) -> str:
        """Wait until it is so; the screen then."""
        end = time.monotonic() + within_s
        while not holds(screen := self.screen()):
            assert time.monotonic() < end, f"it did not come true within {within_s} s:\n{screen}"
            time.sleep(0.2)
        return screen

    def close(self) -> None:
        self._tmux("kill-server")

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-S", self._socket, "-f", "/dev/null", *words],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LANG": "C.UTF-8", "TERM": "xterm-256color"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
