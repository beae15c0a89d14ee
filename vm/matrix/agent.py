"""The half that runs in the guest: ``python -m vm.matrix.agent``.

Standard input is one line, a JSON object ``{"topology", "runs": [RUN, …]}``. On standard output
come objects, one a line and each at once: ``{"hello": FACTS}``, then for each run ``{"begin": N}``
and ``{"run": {"number", "status", "reason", …}}``. A run is never lost once it is done.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from pyloader.errors import ScxhidError
from vm.matrix import guest_conditions as conditions
from vm.matrix import started, topology
from vm.matrix.attached import NotAttached, Running, attached
from vm.matrix.packing import pack_outcome
from vm.workloads import calls
from vm.workloads.calls import Nonsense
from vm.workloads.find import find
from vm.workloads.model import Case, Outcome, Workload

Entry = dict[str, Any]

#: A run is overdue after so many seconds and times what it measures.
_QUIET_S, _TIMES = 5.0, 3.0


def main() -> None:
    """Serve the runs of standard input."""
    request = json.loads(sys.stdin.readline())
    out = _own_output()
    _say(out, {"hello": {**conditions.facts(), "topology_seen": topology.seen()}})
    for run in request["runs"]:
        _say(out, {"begin": run["number"]})
        _say(out, {"run": one(run)})


def one(run: Mapping[str, Any]) -> Entry:
    """Make one run; whatever happens in it is told in what comes back."""
    entry: Entry = {"number": run["number"], "status": "failed", "reason": "", "conditions": {}}
    watch = conditions.Watch()
    entry["started"] = watch.started
    try:
        with attached(run["scheduler"], run["mode"]) as running:
            _measure(run, running, entry)
    except (ScxhidError, OSError) as error:
        if entry["status"] != "ejected":
            entry |= {"status": "failed", "reason": " ".join(str(error).split()), "metrics": {}}
    entry["conditions"] |= watch.ended()
    return entry


def _measure(run: Mapping[str, Any], running: Running, entry: Entry) -> None:
    workload = find(run["workload"])
    case = Case(
        cpus=os.cpu_count() or 1,
        load=run["load"],
        seconds=run["seconds"],
        seed=run["seed"],
        programs=Path(run["programs"]),
    )
    entry["conditions"] |= {
        "object_sha256": running.subject.object_sha256,
        "knobs": running.knobs,
        **conditions.of_command(workload, case),
    }
    output = Path(f"/run/scxhid-outcome-{os.getpid()}")
    limits = started.Limits(run["timeout_s"], _QUIET_S + _TIMES * case.seconds)
    ended = started.run(lambda: _work(workload, case, output), limits, running.goes_on)
    entry["seconds"] = ended.seconds
    if not running.goes_on():
        entry |= {"status": "ejected", "reason": running.why_ended()}
        return
    outcome = _outcome(workload, case, ended, output, run["timeout_s"])
    entry |= {"status": "done", **pack_outcome(outcome)}


def _work(workload: Workload, case: Case, output: Path) -> None:
    """In the child: become the workload's program, or do what its function does."""
    if workload.run is None:
        words = calls.command(workload, case)
        try:
            os.execvp(words[0], words)
        except OSError as error:
            raise Nonsense(f"{words[0]} cannot be run: {error.strerror}") from None
    output.write_text(json.dumps(pack_outcome(workload.run(case))))


def _outcome(
    workload: Workload, case: Case, ended: started.Ended, output: Path, timeout_s: float
) -> Outcome:
    """What the workload measured.

    Raises:
        Nonsense: it did not end well, or what it says makes no sense.
    """
    from vm.matrix.packing import unpack_outcome

    if ended.status is None:
        raise Nonsense(f"{workload.name} did not end within {timeout_s:g} s and was stopped")
    if ended.status:
        raise Nonsense(f"{workload.name} {conditions.in_words(ended.status)}{_last(ended.stderr)}")
    if workload.run is not None:
        said = json.loads(output.read_text())
        output.unlink()
        return calls.checked(workload, unpack_outcome(said))
    return calls.read(workload, ended.stdout.decode(errors="replace"), case)


def _last(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return f": {lines[-1][:200]}" if lines else ""


def _own_output() -> IO[str]:
    """What was standard output; all else that is printed goes to standard error from now on."""
    own = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return own


def _say(out: IO[str], what: Mapping[str, Any]) -> None:
    out.write(json.dumps(what, default=str) + "\n")
    out.flush()


if __name__ == "__main__":
    try:
        main()
    except NotAttached as error:
        sys.exit(f"scxhid: {error}")
