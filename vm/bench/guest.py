"""Boots a machine for the benchmarks that need one, and brings their samples back."""

from __future__ import annotations

import compileall
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from vm import machine
from vm.bench.floor import ROOT
from vm.bench.result import Samples
from vm.errors import VmError, VmLost
from vm.guest_tests import emulator_failed

TIMEOUT_S = 420.0


@dataclass(frozen=True)
class Sampled:
    """What came out of one machine; ``kernel`` and ``accel`` (``kvm``, ``tcg``) describe it.

    ``said`` is what the benchmarks had to say of what they could not measure.
    """

    samples: dict[str, Samples]
    kernel: str
    accel: str
    said: str = ""


def sample_inside(suites: Sequence[str], *, cpus: int, possible_cpus: int = 0) -> Sampled:
    """Run ``suites`` in a machine with ``cpus`` CPUs, and room for ``possible_cpus`` if given.

    Raises what ``machine.run`` raises; VmError if a benchmark fails in the guest.
    """
    # The checkout is read-only in the guest, where each file without byte code costs dearly.
    for package in ("pyloader", "vm"):
        compileall.compile_dir(ROOT / package, quiet=2)
    # Processors that are there and not started count as possible (and cost no boot time). Empty
    # sockets do not: from 6.9 on the kernel takes them for a fault of the firmware's tables.
    arguments = (f"maxcpus={cpus}",) if possible_cpus else ()
    command = [sys.executable, "-m", "vm.bench.inside", *suites]
    result = _run(command, possible_cpus or cpus, arguments)
    if result.status:
        said = result.stderr.decode(errors="replace").strip()
        raise VmError(
            f"the benchmark {', '.join(suites)} ended in the guest with status {result.status}:"
            f" {said.splitlines()[-1] if said else 'it said nothing'}"
        )
    answer = json.loads(result.stdout)
    said = result.stderr.decode(errors="replace").strip()
    return Sampled(answer["samples"], answer["kernel"], result.accel, said)


def _run(command: Sequence[str], cpus: int, arguments: Sequence[str]) -> machine.Result:
    """Run ``command``; once more if the emulator crashed the machine (``emulator_failed``)."""
    for attempt in (1, 2):
        try:
            return machine.run(
                command,
                cpus=cpus,
                kernel_arguments=arguments,
                timeout_s=TIMEOUT_S,
                cwd=ROOT,
                capture=True,
            )
        except VmLost as error:
            if attempt == 2 or not emulator_failed(error.log_path):
                raise
    raise AssertionError
