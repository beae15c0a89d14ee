"""Input latency in a virtual machine: the same on another kernel, started from here."""

from __future__ import annotations

import compileall
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vm import machine
from vm.bench.input import path
from vm.bench.input.rounds import Plan, Samples, to_json
from vm.bench.input.ways import KERNEL
from vm.cache import cache_root
from vm.errors import VmError, VmLost
from vm.guest_tests import emulator_failed

_ROOT = Path(__file__).resolve().parents[3]

#: Seconds for a run of a cell with all around it, many times what it takes, and for the beginning.
_STEP_S, _START_S = 20.0, 300.0


class Failed(VmError):
    """It could not be measured in the machine, which has said why."""

    def __init__(self, status: int) -> None:
        self.exit_status = status
        super().__init__("the measurement in the virtual machine failed; what it said stands above")


@dataclass(frozen=True)
class Sampled:
    """What came out of a machine: ``accel`` is ``kvm`` or ``tcg``."""

    samples: Samples
    kernel: str
    accel: str


def run(
    plan: Plan,
    *,
    cpus: int,
    kernel: str = "",
    tells: bool = False,
    say: Callable[[str], None] | None = None,
) -> Sampled:
    """Measure in a machine with so many CPUs; ``tells``: each step on standard error.

    Raises:
        Failed, and what ``machine.run`` raises.
    """
    _prepare(plan)
    request = json.dumps({"plan": to_json(plan), "tells": tells})
    command = [sys.executable, "-m", "vm.bench.input", request]
    for attempt in (1, 2):
        try:
            with tempfile.TemporaryFile() as output:
                result = machine.run(
                    command,
                    cpus=cpus,
                    kernel=kernel,
                    timeout_s=_START_S + _STEP_S * plan.steps,
                    cwd=_ROOT,
                    environment={"XDG_CACHE_HOME": str(cache_root().parent)},
                    stdout=output.fileno(),
                    say=say,
                )
                output.seek(0)
                if result.status:
                    raise Failed(result.status)
                answer = json.loads(output.read())
            return Sampled(answer["samples"], answer["kernel"], result.accel)
        except VmLost as error:
            if attempt == 2 or not emulator_failed(error.log_path):
                raise
    raise AssertionError


def _prepare(plan: Plan) -> None:
    """Compile what the guest runs: its files are read-only and its CPU slow."""
    from vm.exact.subject import subject

    path.prepare()
    for way in plan.ways:
        if way.scheduler != KERNEL:
            subject(way.scheduler, direct=True)
    for package in ("pyloader", "vm"):
        compileall.compile_dir(_ROOT / package, quiet=2)
