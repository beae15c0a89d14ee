"""In the guest: ``python -m vm.selfcheck.agent``, one program after the other, and nothing else.

Standard input is one line, ``{"runs": [{"number", "words"}, …]}``; for each run a line
``{"run": {"number", "started", "status", "text"}}`` comes out, ``text`` being what it printed.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    """Serve the runs of standard input."""
    for run in json.loads(sys.stdin.readline())["runs"]:
        started = time.time()
        status, text = output_of(run["words"])
        said = {"number": run["number"], "started": started, "status": status, "text": text}
        print(json.dumps({"run": said}), flush=True)


def output_of(words: list[str]) -> tuple[int, str]:
    """The exit status of a program (the negative number of a signal) and what it printed."""
    reading, writing = os.pipe()
    try:
        child = os.posix_spawn(
            words[0], words, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1)]
        )
    finally:
        os.close(writing)
    with os.fdopen(reading, "rb") as said:
        text = said.read().decode(errors="replace")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


if __name__ == "__main__":
    main()
