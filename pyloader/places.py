"""Where things lie: what came with scxhid, and what it keeps beside the kernel."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def run_dir() -> Path:
    """For as long as the machine is up: the lock, copies of the objects that are loaded."""
    return Path(os.environ.get("SCXHID_RUN_DIR", "/run/scxhid"))


def state_dir() -> Path:
    """For longer: the history of exits and ejections."""
    return Path(os.environ.get("SCXHID_STATE_DIR", "/var/lib/scxhid"))


@cache
def data_root(folder: str) -> Path:
    """Where this installation has the folder ``schedulers``, ``hid``, ``probes`` or ``demo``."""
    packaged = _PACKAGE / "_data" / folder
    if packaged.is_dir():
        return packaged
    checkout = {"demo": "tests/programs", "probes": "pyloader/probes"}.get(folder, folder)
    return _PACKAGE.parent / checkout
