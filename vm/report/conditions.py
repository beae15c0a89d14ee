"""Under what conditions something was measured, gathered from all runs."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from vm.results.model import Document, Run

_KINDS = {
    "exact": "exact runs: instructions are counted in place of time",
    "vm": "runs in virtual machines",
}

#: Conditions of a run that are told elsewhere, or that say something of that one run alone.
_ELSEWHERE = frozenset(
    {
        *("object_sha256", "command", "knobs", "kernel", "machine", "run_of_machine"),
        *("workload_command", "program_sha256", "report_sha256"),
    }
)

#: More different values are told as a range, or left to the file.
_MOST = 4

_SPELLED = {
    "cpu": "CPU",
    "cpus": "CPUs",
    "qemu": "QEMU",
    "mib": "MiB",
    "kib": "KiB",
    "sha256": "SHA-256",
    "accel": "accelerator",
}


@dataclass(frozen=True)
class Fact:
    """One line of the conditions."""

    name: str
    value: str


#: What is told where there is room for a line.
_SHORT = frozenset(
    {
        *("measured", "when", "runs", "repeated under the same seed", "kernel"),
        *("host: CPU", "host: CPUs", "host: system", "host: QEMU", "QEMU", "accelerator"),
    }
)


def short_facts(document: Document) -> list[Fact]:
    """The facts that matter most."""
    return [fact for fact in facts(document) if fact.name in _SHORT]


def facts(document: Document) -> list[Fact]:
    """What is the same for all runs, or in which few ways it differs."""
    runs = document.runs
    done = sum(run.status == "done" for run in runs)
    found = [
        Fact("measured", _KINDS.get(document.kind, document.kind)),
        Fact("when", document.created),
        Fact("runs", f"{len(runs)}, of which {done} gave figures"),
        Fact("seed of the order", str(document.seed)),
        Fact("kernel", ", ".join(sorted({run.cell.kernel for run in runs}))),
    ]
    found += [Fact(f"host: {_words(key)}", _text(value)) for key, value in document.host.items()]
    for key in dict.fromkeys(key for run in runs for key in run.conditions):
        if key not in _ELSEWHERE and "started" not in key:
            values = [run.conditions[key] for run in runs if key in run.conditions]
            told = _few(values)
            if told != _text(document.host.get(key)):
                found.append(Fact(_words(key), told))
    if document.kind == "exact":
        again = [run for run in runs if run.identical_twice is not None]
        same = sum(run.identical_twice is True for run in again)
        found.append(Fact("repeated under the same seed", f"{len(again)} runs, {same} identical"))
    return [fact for fact in found if fact.value]


def objects(document: Document) -> dict[str, str]:
    """SHA-256 of each subject's object; several with commas between."""
    return _of_subjects(document, "object_sha256")


def knobs(document: Document) -> dict[str, str]:
    """All knobs of each subject, those at their default as well, if the runs say so."""
    return _of_subjects(document, "knobs")


def _of_subjects(document: Document, key: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for run in document.runs:
        value = run.conditions.get(key)
        if value:
            found.setdefault(run.cell.subject, []).append(_text(value))
    return {subject: "; ".join(dict.fromkeys(found[subject])) for subject in sorted(found)}


def command(document: Document) -> str:
    """The command line that repeats all of the document."""
    return shlex.join(document.command)


def machine_commands(document: Document) -> dict[str, str]:
    """The command line of each kind of machine, by subject and place, the first run's."""
    found: dict[str, str] = {}
    for run in document.runs:
        words = run.conditions.get("command")
        if words:
            found.setdefault(_machine(run), _command_text(words))
    return found


def _machine(run: Run) -> str:
    return f"{run.cell.subject}, {run.cell.workload}, {run.cell.cpus} CPUs"


def _command_text(words: Any) -> str:
    if isinstance(words, list | tuple):
        return shlex.join(str(word) for word in cast("Sequence[object]", words))
    return str(words)


def _words(key: str) -> str:
    return " ".join(_SPELLED.get(word, word) for word in key.split("_"))


def _few(values: Sequence[object]) -> str:
    """The different values if they are few, or from which to which they go; else nothing."""
    texts = list(dict.fromkeys(_text(value) for value in values if value is not None))
    if len(texts) <= _MOST:
        return "; ".join(texts)
    numbers = [value for value in values if isinstance(value, int | float)]
    if len(numbers) < len(values):
        return ""
    return f"{min(numbers):g} to {max(numbers):g}"


def _text(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case Mapping():
            pairs = cast("Mapping[object, object]", value).items()
            return ", ".join(f"{key} {_text(inner)}" for key, inner in pairs)
        case list() | tuple():
            return ", ".join(_text(inner) for inner in cast("Sequence[object]", value))
        case _:
            return str(value)
