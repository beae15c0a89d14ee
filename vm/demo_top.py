"""The end of the demo on a terminal: ``scxhid top`` in the guest, under the demo's load."""

from __future__ import annotations

import os
import sys

from pyloader.cli import main as command_line
from vm.demo_load import Load
from vm.demo_stage import run_command


def main() -> None:
    """Put ``simple`` on, load the machine, and show the screen until it is left."""
    load = Load(os.cpu_count() or 1)
    try:
        run_command("sched use simple --no-wait")
        sys.argv = ["scxhid", "top"]
        command_line()
    finally:
        load.stop()


if __name__ == "__main__":
    main()
