"""Where scxhid keeps what the kernel cannot keep for it."""

from __future__ import annotations

import os
from pathlib import Path


def run_dir() -> Path:
    """For as long as the machine is up: the lock, copies of the objects that are loaded."""
    return Path(os.environ.get("SCXHID_RUN_DIR", "/run/scxhid"))


def state_dir() -> Path:
    """For longer: the history of exits and ejections."""
    return Path(os.environ.get("SCXHID_STATE_DIR", "/var/lib/scxhid"))
