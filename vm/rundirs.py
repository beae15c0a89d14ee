"""The directory of one run, and what becomes of those whose process was killed."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

from vm.cache import cache_root, locked, make_directory

#: Kernel logs kept of runs that named no place for theirs.
_LOGS_KEPT = 30


@contextlib.contextmanager
def run_directory(log_path: Path | None) -> Generator[tuple[Path, Path]]:
    """A directory for one run's files, which goes, and the place where its kernel log stays."""
    runs = make_directory(cache_root() / "runs")
    with ExitStack() as stack:
        with locked(runs / ".lock"):
            _sweep(runs)
            directory = Path(tempfile.mkdtemp(prefix="run-", dir=runs))
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
            owner = stack.enter_context((directory / "owner").open("w"))
            fcntl.flock(owner, fcntl.LOCK_EX)
        kept = log_path.absolute() if log_path else _own_log(directory.name)
        make_directory(kept.parent)
        try:
            yield directory, kept
        finally:
            log = directory / "kernel.log"
            if log.exists():
                shutil.copyfile(log, kept)


def _sweep(runs: Path) -> None:
    """Remove the directories of runs whose process is gone: nobody holds their lock."""
    for directory in runs.glob("run-*"):
        with contextlib.suppress(BlockingIOError), (directory / "owner").open("a") as owner:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)


def _own_log(name: str) -> Path:
    logs = make_directory(cache_root() / "logs")
    _prune(logs)
    return logs / f"{name}.log"


def _prune(logs: Path) -> None:
    with contextlib.suppress(OSError):
        oldest_first = sorted(logs.glob("*.log"), key=lambda path: path.stat().st_mtime_ns)
        for path in oldest_first[:-_LOGS_KEPT]:
            path.unlink(missing_ok=True)
