"""Copies of the objects that are loaded, so that a fresh one can be loaded with other constants.

The kernel keeps no object file. The copy is named by the kernel's id of the
struct_ops map, so it can never be taken for another's.
"""

from __future__ import annotations

import os

from pyloader.errors import Gone
from pyloader.places import run_dir
from pyloader.spec import ObjectSpec


def keep(ops_id: int, spec: ObjectSpec) -> None:
    """Keep a copy; without room for it only load-time knobs cannot be turned later."""
    folder = run_dir() / "objects"
    try:
        os.makedirs(folder, mode=0o755, exist_ok=True)
        partial = f"{folder}/.{ops_id}.partial"
        with open(partial, "wb", buffering=0) as file:
            written = file.write(spec.data)
        if written == len(spec.data):
            os.rename(partial, f"{folder}/{ops_id}.bpf.o")
        else:  # a disk that is nearly full takes a part without an error
            os.unlink(partial)
    except OSError:
        return


def get(ops_id: int, name: str) -> ObjectSpec:
    """The object behind the struct_ops map ``ops_id``; Gone if no copy was kept."""
    path = run_dir() / "objects" / f"{ops_id}.bpf.o"
    try:
        return ObjectSpec.from_bytes(path.read_bytes(), name)
    except OSError:
        raise Gone(
            f"no copy of {name}'s object was kept, so its load-time knobs cannot be turned; "
            f"attach it anew: `scxhid sched use {name} KNOB=VALUE`"
        ) from None


def forget_all_but(ops_ids: set[int]) -> None:
    """Drop the copies of what is no longer loaded."""
    folder = run_dir() / "objects"
    kept = {f"{number}.bpf.o" for number in ops_ids}
    try:
        for name in os.listdir(folder):
            if name.endswith(".bpf.o") and name not in kept:
                os.unlink(folder / name)
    except OSError:
        return
