"""Under what conditions something was measured, gathered from all runs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from vm.results.model import Document, Run

_KINDS = {
    "exact": "exact runs: instructions are counted in place of time",
    "vm": "runs in virtual machines",
}

#: Conditions of a run that are told elsewhere, or only of use to repeat that one run.
_ELSEWHERE = frozenset({"object_sha256", "command", "host_load"})


@dataclass(frozen=True)
class Fact:
    """One line of the conditions."""

    name: str
    value: str


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
        if key not in _ELSEWHERE:
            found.append(Fact(_words(key), _few(run.conditions.get(key) for run in runs)))
    loads = [run.conditions.get("host_load") for run in runs]
    figures = sorted(load for load in loads if isinstance(load, int | float))
    if figures:
        least, most = figures[0], figures[-1]
        found.append(Fact("load of the host", f"{least:.2f} to {most:.2f}, tasks that would run"))
    if document.kind == "exact":
        again = [run for run in runs if run.identical_twice is not None]
        same = sum(run.identical_twice is True for run in again)
        found.append(Fact("repeated under the same seed", f"{len(again)} runs, {same} identical"))
    return [fact for fact in found if fact.value]


def objects(document: Document) -> dict[str, str]:
    """SHA-256 of each subject's object; several with commas between."""
    found: dict[str, list[str]] = {}
    for run in document.runs:
        digest = run.conditions.get("object_sha256")
        if digest:
            found.setdefault(run.cell.subject, []).append(str(digest))
    return {subject: ", ".join(dict.fromkeys(found[subject])) for subject in sorted(found)}


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
    return key.replace("_", " ")


def _few(values: Iterable[object]) -> str:
    """The different values, five at most."""
    texts = list(dict.fromkeys(_text(value) for value in values if value is not None))
    return ", ".join(texts[:5]) + (f" and {len(texts) - 5} others" if len(texts) > 5 else "")


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
