"""One machine, from its boot to its end: runs go in, and what they brought comes out line by line.

Everything of the matrix that needs QEMU is here.
"""

from __future__ import annotations

import compileall
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from vm import machine
from vm.cache import cache_root
from vm.errors import VmError
from vm.kernels import choose
from vm.matrix import topology

ROOT = Path(__file__).resolve().parents[2]

#: Seconds of silence beside what a run may take: attaching, verifying, what is left of a run.
_SILENCE_S = 120.0

Hear = Callable[[dict[str, Any]], None]


class AgentEnded(VmError):
    """The program in the guest ended before all was done."""


def boot(
    kind: Mapping[str, Any],
    runs: Sequence[Mapping[str, Any]],
    hear: Hear,
    agent: str = "vm.matrix.agent",
) -> None:
    """Make ``runs`` in a machine of this ``kind``; ``hear`` is called with each object that comes.

    Before those of the ``agent``, a module, comes ``{"qemu": WORDS}``, QEMU's command line.

    Raises:
        VmLost: the machine went away or hung.
        AgentEnded: its program did.
        VmError: it could not be started.
    """
    _compile()
    kernel = choose(kind["kernel"])
    accel = machine.accelerators.resolve(kind["accel"], kernel)
    shape = topology.parse(kind["topology"]) if kind["topology"] else None
    memory_mib = shape.memory_mib(kind["memory_mib"]) if shape else kind["memory_mib"]
    slowest_s = max(run["timeout_s"] for run in runs)
    errors = _Lines()
    with _Heard(hear) as out, errors:
        result = machine.run(
            [sys.executable, "-m", agent],
            kernel=kernel,
            cpus=kind["cpus"],
            memory=f"{memory_mib}M",
            accel=accel,
            silence_s=slowest_s + _SILENCE_S,
            cwd=ROOT,
            modules=_modules(runs),
            environment=_environment(),
            stdin=json.dumps({"runs": list(runs)}).encode() + b"\n",
            stdout=out,
            stderr=errors.fd,
            qemu_arguments=shape.qemu_arguments(accel, memory_mib) if shape else (),
            started=lambda words: hear({"qemu": list(words), "accel": accel}),
        )
    if result.status:
        said = errors.text.strip().splitlines()
        raise AgentEnded(
            f"the program in the guest ended with status {result.status}"
            f" ({said[-1] if said else 'no word why'})"
        )


def _modules(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The kernel modules that these runs need, beside those that every machine has."""
    from vm.guest import DEFAULT_MODULES
    from vm.workloads.find import find

    wanted = [module for run in runs for module in find(run["workload"]).modules]
    return list(dict.fromkeys((*DEFAULT_MODULES, *wanted)))


@cache
def _compile() -> None:
    """What the guest imports: the checkout is read-only there, and its CPU slow."""
    for package in ("pyloader", "vm"):
        compileall.compile_dir(ROOT / package, quiet=2)


def _environment() -> dict[str, str]:
    passed = ("SCXHID_DATA_DIR",)
    return {
        "XDG_CACHE_HOME": str(cache_root().parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        **{name: os.environ[name] for name in passed if name in os.environ},
    }


class _Lines:
    """A pipe whose other end is read to its end."""

    def __init__(self) -> None:
        self._reading, self.fd = os.pipe()
        self.text = ""
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> int:
        self._reader.start()
        return self.fd

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)
        self._reader.join()

    def _read(self) -> None:
        with os.fdopen(self._reading, errors="replace") as lines:
            for line in lines:
                if not self.take(line):
                    return  # which ends the machine: nobody reads what its command says

    def take(self, line: str) -> bool:
        """Deal with a line; whether to read on."""
        self.text = (self.text + line)[-10_000:]
        return True


class _Heard(_Lines):
    """The same for lines of JSON: each is heard when it comes."""

    def __init__(self, hear: Hear) -> None:
        super().__init__()
        self._hear = hear
        self._error: BaseException | None = None

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        if self._error is not None:
            raise self._error

    def take(self, line: str) -> bool:
        try:
            said = json.loads(line)
        except ValueError:
            return True  # torn: the machine died in the middle of it
        try:
            self._hear(said)
        except BaseException as error:
            self._error = error
        return self._error is None
