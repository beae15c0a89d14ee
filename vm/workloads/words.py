"""The command of a workload: its program with KEY=NUMBER, or any other beside a load."""

from __future__ import annotations

from vm.programs import program as installed
from vm.workloads.model import Case

#: The program that lets a load run beside a command: for ``Workload.programs``.
BESIDE = "beside"


def words(case: Case, program: str, **options: int) -> list[str]:
    """``program`` with what every workload is asked for (programs/workload.h) and ``options``."""
    asked = {"ms": max(1, round(case.seconds * 1000)), **_load(case), **options}
    return [str(case.programs / program), *_written(asked)]


def beside(case: Case, tool: str, *arguments: str | int) -> list[str]:
    """The installed program ``tool`` with ``arguments``, and the case's load beside it.

    Raises:
        Unsupported: it is not installed.
    """
    command = [installed(tool), *map(str, arguments)]
    if not case.beside.a_cpu:
        return command
    return [str(case.programs / BESIDE), *_written(_load(case)), "--", *command]


def _load(case: Case) -> dict[str, int]:
    load = case.beside
    return {"seed": case.seed, "a_cpu": load.a_cpu, "duty": round(load.duty * 1000)}


def _written(options: dict[str, int]) -> list[str]:
    return [f"{key}={value}" for key, value in options.items()]
