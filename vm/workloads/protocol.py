"""What a workload's program prints, one thing a line, and how it is read.

::

    metric NAME NUMBER
    samples NAME NS NS …
    counts NAME BUCKET:COUNT …

``samples`` are whole ns, in the order in which they came, and ``counts`` the numbers of samples in
buckets of ``pyloader.probes.histogram``. Both may stand in as many lines as it takes: samples go on
where they stopped, counts add up. A metric stands once. Nothing else may be printed: what is no
such line is a fault of the program, and no figure of it can be trusted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyloader.probes.histogram import NR_BUCKETS
from vm.workloads.model import Case, Metric, Outcome

#: No sample is longer: a day, in ns.
_LONGEST_NS = 86_400 * 10**9

_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_BUCKET = re.compile(r"([0-9]{1,4}):([0-9]{1,19})", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?", re.ASCII)


@dataclass(frozen=True)
class Said:
    """All that a program printed, by name; ``samples`` in ns, ``counts`` of ``(NR_BUCKETS,)``."""

    metrics: Mapping[str, float]
    samples: Mapping[str, NDArray[np.int64]]
    counts: Mapping[str, NDArray[np.uint64]]


def parse(text: str) -> Said:
    """Read what a program printed.

    Raises:
        ValueError: it is no such output; one sentence with the number of the line.
    """
    metrics: dict[str, float] = {}
    samples: dict[str, list[int]] = {}
    counts: dict[str, NDArray[np.uint64]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            kind, name, *rest = line.split()
        except ValueError:
            raise _nonsense(number, line, "it is no metric, samples or counts") from None
        try:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{_short(name)} is no name")
            match kind:
                case "metric":
                    if name in metrics:
                        raise ValueError(f"the metric {name} stood in a line before")
                    metrics[name] = _metric(rest)
                case "samples":
                    samples.setdefault(name, []).extend(map(_sample, rest))
                case "counts":
                    _add(counts.setdefault(name, np.zeros(NR_BUCKETS, np.uint64)), rest)
                case _:
                    raise ValueError("it is no metric, samples or counts")
        except ValueError as error:
            raise _nonsense(number, line, str(error)) from None
    arrays = {name: np.array(values, np.int64) for name, values in samples.items()}
    return Said(metrics, arrays, counts)


def reader(
    metrics: Sequence[Metric], lateness: Mapping[str, str] | None = None
) -> Callable[[str, Case], Outcome]:
    """A ``Workload.read`` for programs that speak this protocol.

    ``lateness`` maps names of samples to the prefix under which their quantiles are metrics too
    (``vm.workloads.figures``). What is read must be all of ``metrics`` and nothing else.
    """
    from vm.workloads.figures import quantiles

    def read(text: str, case: Case) -> Outcome:
        said = parse(text)
        found = dict(said.metrics)
        for name, prefix in (lateness or {}).items():
            if name not in said.samples:
                raise ValueError(f"the program printed no samples {name}")
            for metric, value in quantiles(said.samples[name], prefix, name).items():
                if metric in found:
                    raise ValueError(f"the metric {metric} is printed and follows from samples too")
                found[metric] = value
        return Outcome(complete(found, metrics), said.samples, said.counts)

    return read


def complete(found: Mapping[str, float], metrics: Sequence[Metric]) -> dict[str, float]:
    """The figures in the order in which they are declared.

    Raises:
        ValueError: one is missing, is no finite number, or was not declared.
    """
    for name in found:
        if not any(name == metric.name for metric in metrics):
            raise ValueError(
                f"the program printed a metric {name} that the workload does not declare"
            )
    for metric in metrics:
        if metric.name not in found:
            raise ValueError(f"the program did not print the metric {metric.name}")
        if not math.isfinite(found[metric.name]):
            raise ValueError(f"the metric {metric.name} is {found[metric.name]}")
    return {metric.name: float(found[metric.name]) for metric in metrics}


def _metric(words: Sequence[str]) -> float:
    if len(words) != 1 or not _NUMBER.fullmatch(words[0]):
        raise ValueError("a metric is one number")
    value = float(words[0])
    if not math.isfinite(value):
        raise ValueError("a metric is a number that a double can hold")
    return value


def _sample(word: str) -> int:
    if not _WHOLE.fullmatch(word):
        raise ValueError(f"{_short(word)} is no whole number of ns")
    value = int(word)
    if not 0 <= value <= _LONGEST_NS:
        raise ValueError(f"a sample of {word} ns makes no sense")
    return value


def _add(counts: NDArray[np.uint64], words: Sequence[str]) -> None:
    for word in words:
        found = _BUCKET.fullmatch(word)
        if not found:
            raise ValueError(f"{_short(word)} is not BUCKET:COUNT")
        bucket, count = map(int, found.groups())
        if bucket >= NR_BUCKETS:
            raise ValueError(f"there are buckets from 0 to {NR_BUCKETS - 1}, not {bucket}")
        if int(counts[bucket]) + count >= 2**63:
            raise ValueError(f"bucket {bucket} holds more than can be counted")
        counts[bucket] += np.uint64(count)


def _nonsense(number: int, line: str, why: str) -> ValueError:
    return ValueError(f"line {number} of what the program printed, {_short(line)}: {why}")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")
