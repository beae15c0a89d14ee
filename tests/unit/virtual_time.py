"""A scheduler's source as an ordinary program, in a machine of virtual time (machine.c)."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "tests" / "native"
SCHEDULERS = ROOT / "schedulers"


@dataclass(frozen=True)
class Task:
    """What became of one task: ``share`` of a CPU, and its longest wait in ms."""

    kind: str
    share: float
    waited_ms: float


class Machine:
    """Runs tasks under one scheduler; ``flags`` say what it has beside the usual callbacks."""

    def __init__(self, policy: str, program: Path, *flags: str) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if not compiler:
            pytest.skip("no C compiler")
        self._program = str(program)
        source = SCHEDULERS / f"{policy}.bpf.c"
        command = [compiler, "-O1", "-w", "-o", self._program, f'-DSOURCE="{source}"']
        command += [f"-DPOLICY={policy}", "-include", str(NATIVE / "standin.h"), *flags]
        command += ["-Dqueue_cpus=(int){0}"]  # machine.c sets this knob, which interactive has
        command += ["-I", str(SCHEDULERS / "include"), str(NATIVE / "machine.c")]
        subprocess.run(command, check=True)

    def run(self, cpus: int, *tasks: str, seconds: float = 5) -> list[Task]:
        """Words as in machine.c; measured after the first second."""
        words = [self._program, str(cpus), "1000", str(int(seconds * 1000)), "-", *tasks]
        lines = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        found = [line.split() for line in lines.splitlines()]
        return [Task(f[0], float(f[1]), int(f[-1]) / 1000) for f in found]
