"""Static C programs that load a guest: they start at once where an interpreter takes seconds."""

from __future__ import annotations

from pathlib import Path

from vm.c_compiler import STATIC, compile_c


def compile_workloads(root: Path, into: Path) -> list[Path]:
    """Compile each folder of ``tests/workloads`` below ``root`` to ``into/<folder>``.

    Those that are newer than their sources stay as they are. Returns the programs.

    Raises what ``compile_c`` raises.
    """
    return [
        compile_c(
            sorted(folder.glob("*.c")),
            into / folder.name,
            *STATIC,
            headers=sorted(folder.glob("*.h")),
        )
        for folder in sorted((root / "tests" / "workloads").glob("*"))
        if folder.is_dir()
    ]
