"""The cache directory: kernels, module trees, what was learnt about this machine.

Everything in it can be deleted at any time and is made again. Directories appear whole (built
beside their place and renamed), so that an interrupted or failed step leaves what was there.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

from vm.errors import KernelFetchError, VmError


def cache_root() -> Path:
    """``$XDG_CACHE_HOME/scxhid``, by default ``~/.cache/scxhid``."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    return root / "scxhid"


def make_directory(path: Path) -> Path:
    """Create ``path`` and its parents, or say why not."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VmError(
            f"the cache directory {path} cannot be made ({error.strerror});"
            " set XDG_CACHE_HOME to a directory that you can write to"
        ) from None
    return path


def require_free(path: Path, needed_bytes: int, purpose: str) -> None:
    """Check the space on the file system of ``path`` before anything is written.

    Raises:
        KernelFetchError: fewer than ``needed_bytes`` are free.
    """
    free_bytes = shutil.disk_usage(make_directory(path)).free
    if free_bytes < needed_bytes:
        raise KernelFetchError(
            f"{purpose} needs {needed_bytes / 1e6:.0f} MB in {path} and {free_bytes / 1e6:.0f} MB"
            " are free; make room, or set XDG_CACHE_HOME to another disk"
        )


@contextlib.contextmanager
def replacing_directory(target: Path) -> Generator[Path]:
    """Yield a new directory that takes the place of ``target`` when the block ends well.

    When it does not, the new one is removed and ``target`` is as it was. Leftovers of processes
    that were killed in between are removed on the next occasion, under a lock.
    """
    parent = make_directory(target.parent)
    prefix = f".{target.name}.new-"
    with locked(parent / f".{target.name}.lock"):
        for leftover in parent.glob(f"{prefix}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            new.chmod(0o755)
            yield new
            old = new.with_name(f"{new.name}-old")
            if target.exists():
                target.rename(old)
            new.rename(target)
            shutil.rmtree(old, ignore_errors=True)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise KernelFetchError(
                    f"the disk is full: {target} could not be written; nothing was kept of it;"
                    " make room, or set XDG_CACHE_HOME to another disk"
                ) from None
            raise
        finally:
            shutil.rmtree(new, ignore_errors=True)


@contextlib.contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold an exclusive lock on the file ``path`` (made if it is not there)."""
    make_directory(path.parent)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def remembered(name: str) -> dict[str, Any]:
    """What was learnt under ``name`` in an earlier run, or an empty table."""
    try:
        found: Any = json.loads((cache_root() / name).read_text())
    except (OSError, ValueError):
        return {}
    return dict(found) if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownArgumentType]


def remember(name: str, table: dict[str, Any]) -> None:
    """Store ``table`` under ``name``, whole or not at all.

    A cache that cannot be written is no error: the thing is found out again.
    """
    with contextlib.suppress(OSError, VmError):
        path = make_directory(cache_root()) / name
        new = path.with_name(f".{name}.{os.getpid()}")
        new.write_text(json.dumps(table, indent=1) + "\n")
        new.rename(path)
