"""What is asked of the matrix, as it was typed; and in words again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast


@dataclass(frozen=True)
class Request:
    """``modes`` are of ``direct`` and ``hosted``; none: hosted where that is possible.

    ``kernels`` are wishes as ``vm.kernels.choose`` takes them; ``seconds`` None: as long as each
    workload measures by itself; ``timeout_s`` None: see ``plan.timeout_s``.
    """

    schedulers: tuple[str, ...]
    workloads: tuple[str, ...]
    loads: tuple[str, ...] = ()
    kernels: tuple[str, ...] = ("",)
    cpus: tuple[int, ...] = (2,)
    topologies: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    reps: int = 10
    seconds: float | None = None
    timeout_s: float | None = None
    seed: int = 1
    runs_per_machine: int = 40
    memory_mib: int = 2048
    accel: str = "auto"

    def to_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = dataclasses.asdict(self)
        return {
            name: list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else value
            for name, value in fields.items()
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Request:
        """The request of which ``to_json`` made it; TypeError, KeyError if it is none."""
        fields = {field.name for field in dataclasses.fields(cls)}
        if set(said) != fields:
            raise TypeError("these are not the fields of a request")
        values: dict[str, Any] = {}
        for name, value in said.items():
            values[name] = tuple(cast("list[Any]", value)) if isinstance(value, list) else value
        return cls(**values)

    def command(self, output: str = "") -> tuple[str, ...]:
        """The words that ask for the same again."""
        words = ["scxhid", "bench", "run", *self.subject_words()]
        if self.topologies:
            words += ["--topology", ",".join(self.topologies)]
        words += ["--reps", str(self.reps)]
        if self.seconds is not None:
            words += ["--seconds", f"{self.seconds:g}"]
        if self.timeout_s is not None:
            words += ["--timeout", f"{self.timeout_s:g}"]
        words += ["--seed", str(self.seed), "--runs-per-machine", str(self.runs_per_machine)]
        if self.memory_mib != 2048:
            words += ["--memory", f"{self.memory_mib}M"]
        if self.accel != "auto":
            words += ["--accel", self.accel]
        return (*words, "-o", output) if output else tuple(words)

    def subject_words(self) -> list[str]:
        """Those that say what is measured, where and under which load."""
        words = ["--sched", ",".join(self.schedulers)]
        words += [f"--{mode}" for mode in self.modes]
        words += ["--workload", ",".join(self.workloads)]
        if self.loads:
            words += ["--load", ",".join(self.loads)]
        if any(self.kernels):
            words += ["--kernel", ",".join(self.kernels)]
        if self.cpus:
            words += ["--cpus", ",".join(map(str, self.cpus))]
        return words
