"""Errors of running virtual machines, with the exit statuses that ``vm run`` promises."""

from __future__ import annotations

from pathlib import Path

from pyloader.errors import ScxhidError


class VmError(ScxhidError):
    """The virtual machine could not be prepared or started."""

    exit_status = 125


class KernelFetchError(ScxhidError):
    """A kernel could not be fetched; the cache is as it was."""


class VmLost(ScxhidError):
    """The machine went away, or hung, without the command's status.

    ``log_path`` holds the whole kernel log and ``tail`` its last lines, which ``str()`` shows
    below the sentence. ``reached_command`` is false if it went away while it booted.
    """

    exit_status = 124

    def __init__(
        self, message: str, log_path: Path, tail: list[str], reached_command: bool = True
    ) -> None:
        self.reached_command = reached_command
        self.log_path = log_path
        self.tail = tail
        super().__init__("\n".join([message, *(f"  | {line}" for line in tail)]))


class BadResult(ScxhidError):
    """A result file that is not there, not whole, not as it was written, or of a newer version."""

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path} {why}")
