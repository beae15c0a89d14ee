"""The half that runs in a virtual machine: ``python -m vm.bench.input PLAN``, a plan as JSON.

Writes what came of it to standard output, as JSON, and what it is doing to standard error.
"""

from __future__ import annotations

import json
import os
import sys

from pyloader.errors import ScxhidError
from vm.bench.input import here
from vm.bench.input.rounds import from_json


def main(argument: str) -> int:
    """Exit status: that of the error, which is told in a sentence."""
    request = json.loads(argument)

    def tell(text: str) -> None:
        if request["tells"]:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    try:
        samples = here.run(from_json(request["plan"]), tell)
    except ScxhidError as error:
        tell("")
        print(f"scxhid: {error}", file=sys.stderr)
        return error.exit_status
    tell("")
    json.dump({"kernel": os.uname().release, "samples": samples}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
