"""A workload's own functions, called: whatever they do wrong becomes one sentence.

Workloads are files of other people's, and a run that fails must not take the others with it.
"""

from __future__ import annotations

import math
import numbers

from pyloader.errors import ScxhidError
from vm.workloads.model import Case, Outcome, Workload


class Nonsense(ScxhidError):
    """The workload failed, or what it printed makes no sense."""


def command(workload: Workload, case: Case) -> list[str]:
    """The words to run.

    Raises:
        Nonsense: its function failed.
    """
    assert workload.command is not None
    try:
        return [str(word) for word in workload.command(case)]
    except Exception as error:
        raise Nonsense(f"{workload.name} has no command for this case: {_said(error)}") from error


def plan(workload: Workload, case: Case) -> list[str]:
    """The lines of an exact run's plan (``vm/exact/guest/main.c``).

    Raises:
        Nonsense: its function failed.
    """
    if workload.plan is None:
        return [" ".join(["run", *command(workload, case)])]
    try:
        return [str(line) for line in workload.plan(case)]
    except Exception as error:
        raise Nonsense(f"{workload.name} has no plan for this case: {_said(error)}") from error


def read(workload: Workload, text: str, case: Case) -> Outcome:
    """What its program measured, of what it printed.

    Raises:
        Nonsense: it makes no sense.
    """
    assert workload.read is not None
    try:
        outcome = workload.read(text, case)
    except Exception as error:
        raise Nonsense(f"{workload.name} printed what makes no sense: {_said(error)}") from error
    return checked(workload, outcome)


def checked(workload: Workload, given: object) -> Outcome:
    """What a workload gave, if it is an outcome whose figures are all declared, and numbers.

    Raises:
        Nonsense: a metric was not declared or is no finite number, or there is none at all.
    """
    if not isinstance(given, Outcome):
        raise Nonsense(f"{workload.name} gave a {type(given).__name__} in place of an Outcome")
    declared = {metric.name for metric in workload.metrics}
    other = sorted(set(given.metrics) - declared)
    if other:
        raise Nonsense(f"{workload.name} measured {other[0]}, which it does not declare")
    if not given.metrics:
        raise Nonsense(f"{workload.name} measured nothing")
    for name, value in given.metrics.items():
        if not _is_number(value):
            raise Nonsense(f"{workload.name} measured {value!r} as {name}, which is no number")
    return given


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and math.isfinite(value)


def _said(error: Exception) -> str:
    """A ValueError's words are meant to be read; of others the kind says more."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}: {text}"
