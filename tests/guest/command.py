"""``scxhid`` as its user meets it, without a new interpreter for each command."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from typing import Any
from unittest import mock

from pyloader.cli import main


@dataclass(frozen=True)
class Outcome:
    """Exit status and output of one command."""

    status: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The sentences of errors, without notes (what a scheduler does not honour, say)."""
        return [line for line in self.err.splitlines() if line.startswith("scxhid: ")]

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def scxhid(*words: str) -> Outcome:
    """Run ``scxhid WORDS…``, through the same door as the launcher, and catch what it says."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["scxhid", *words]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        else:
            raise AssertionError("main returned instead of exiting")
    return Outcome(status, out.getvalue(), err.getvalue())


def done(*words: str) -> Outcome:
    """The same for a command that must succeed."""
    outcome = scxhid(*words)
    assert outcome.status == 0, f"scxhid {' '.join(words)}: {outcome.err}{outcome.out}"
    return outcome


def use(*words: str) -> Outcome:
    """``sched use WORDS…`` that must succeed; without a trial, unless the words speak of one."""
    speaks_of_one = {"--trial", "--no-wait", "--no-pin", "--watch"} & set(words)
    return done("sched", "use", *words, *(() if speaks_of_one else ("--trial", "0")))


def sched_status() -> dict[str, Any]:
    """The scheduler's part of ``scxhid status --json``."""
    return done("status", "--json").json["sched"]
