"""Static C programs that load a guest: they start at once where an interpreter takes seconds."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from vm.errors import VmError
from vm.programs import program

_FLAGS = ("-O2", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-static")


def compile_workloads(root: Path, into: Path) -> list[Path]:
    """Compile each folder of ``tests/workloads`` below ``root`` to ``into/<folder>``.

    Those that are newer than their sources stay as they are. Returns the programs.

    Raises:
        VmError: the compiler refused one; its first line is in the sentence.
        Unsupported: there is no C compiler.
    """
    return [
        _compile(folder, into / folder.name)
        for folder in sorted((root / "tests" / "workloads").glob("*"))
        if folder.is_dir()
    ]


def _compile(folder: Path, target: Path) -> Path:
    sources = sorted(folder.glob("*.c"))
    newest_ns = max(path.stat().st_mtime_ns for path in (*sources, *folder.glob("*.h")))
    if target.exists() and target.stat().st_mtime_ns > newest_ns:
        return target
    # Another run may be using the old one: the new one takes its name when it is complete.
    made = target.with_name(f".{target.name}.{os.getpid()}")
    done = subprocess.run(
        [program("cc"), *_FLAGS, "-o", str(made), *map(str, sources)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise VmError(f"the C compiler refused {folder.name} ({said[0]}); correct {folder}")
    made.rename(target)
    return target
