"""A command that is repeated whenever one of its files is saved, or a device comes or goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from pyloader import sysfs
from pyloader.cli.interrupt import until_interrupted
from pyloader.errors import ScxhidError

LOOK_S = 0.015
_DEVICES_S = 0.5
_SETTLED_S = 0.1  # an editor may write a file in several steps


def repeat(
    files: Mapping[str, bytes],
    devices: Sequence[str],
    again: Callable[[], Mapping[str, bytes]],
    failed: Callable[[ScxhidError], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Call ``again`` for each change, until SIGINT or SIGTERM.

    ``files`` are what was done with, by path: what a file has become since then is a change.
    ``again`` returns what it did with. ``devices`` are those that were there before.
    ``failed`` is told an error that stays for a tenth of a second: a file may be saved in steps.
    """
    known: Mapping[str, bytes | None] = files
    looked = 0.0
    error: ScxhidError | None = None
    since = 0.0
    with until_interrupted() as is_over:
        while not is_over():
            sleep(LOOK_S)
            now = {path: _contents(path) for path in known}
            present: Sequence[str] = devices
            if time.monotonic() - looked > _DEVICES_S:
                present, looked = sysfs.hid_devices(), time.monotonic()
            if now == known and present == devices:
                if error is not None and time.monotonic() - since > _SETTLED_S:
                    failed(error)
                    error = None
                continue
            known, devices, error = now, present, None
            try:
                known = again()
            except ScxhidError as caught:
                error, since = caught, time.monotonic()


def _contents(path: str) -> bytes | None:
    """All of it: small, and more to be trusted than the times that a file system tells."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None
