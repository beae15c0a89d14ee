"""``python -m vm``: the group ``scxhid vm`` without the rest of the command line."""

from __future__ import annotations

import sys

from pyloader.errors import ScxhidError
from vm.cli import vm

if __name__ == "__main__":
    try:
        vm(prog_name="scxhid vm")
    except ScxhidError as error:
        print(f"scxhid: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
