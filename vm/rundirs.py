"""The directory of one run, and what becomes of those whose process was killed."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

from vm.cache import cache_root, make_directory

#: Kernel logs kept of runs that named no place for theirs.
_LOGS_KEPT = 30


@contextlib.contextmanager
def run_directory(log_path: Path | None) -> Generator[tuple[Path, Path]]:
    """A directory for one run's files, which goes, and the place where its kernel log stays."""
    runs = make_directory(cache_root() / "runs")
    _sweep(runs)
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=runs))
    if log_path is None:
        logs = make_directory(cache_root() / "logs")
        _prune(logs)
        kept = logs / f"{directory.name}.log"
    else:
        kept = log_path.absolute()
        make_directory(kept.parent)
    log = directory / "kernel.log"
    try:
        with (directory / "owner").open("w") as owner:
            fcntl.flock(owner, fcntl.LOCK_EX)
            yield directory, kept
    finally:
        if log.exists():
            shutil.copyfile(log, kept)
        shutil.rmtree(directory, ignore_errors=True)


def _sweep(runs: Path) -> None:
    """Remove the directories of runs whose process is gone: nobody holds their lock."""
    for directory in runs.glob("run-*"):
        with contextlib.suppress(OSError), (directory / "owner").open() as owner:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)


def _prune(logs: Path) -> None:
    with contextlib.suppress(OSError):
        oldest_first = sorted(logs.glob("*.log"), key=lambda path: path.stat().st_mtime_ns)
        for path in oldest_first[:-_LOGS_KEPT]:
            path.unlink(missing_ok=True)
