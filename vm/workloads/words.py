"""The command of a workload's program: words KEY=NUMBER, as programs/workload.h reads them."""

from __future__ import annotations

from vm.workloads.model import Case


def words(case: Case, program: str, **options: int) -> list[str]:
    """``program`` with what every workload is asked for, and ``options``, which go before that."""
    asked = {
        "ms": max(1, round(case.seconds * 1000)),
        "seed": case.seed,
        "a_cpu": case.beside.a_cpu,
        "duty": round(case.beside.duty * 1000),
    } | options
    return [str(case.programs / program), *(f"{key}={value}" for key, value in asked.items())]
