"""The end of the demo on a terminal: ``scxhid top`` in the guest, under the demo's load."""

from __future__ import annotations

import importlib
import os
import sys

from pyloader.cli import main as command_line
from vm.demo_load import Load
from vm.demo_stage import run_command
from vm.demo_steps import FIRST


def main() -> None:
    """Put ``simple`` on, load the machine, and show the screen until it is left."""
    # An emulated machine that is full would try the viewer's patience: some CPUs stay free.
    importlib.import_module("tui.screen")
    run_command("sched use simple --no-wait")
    load = Load(max(1, (os.cpu_count() or 1) // 4))
    try:
        os.setpriority(os.PRIO_PROCESS, 0, FIRST)
        sys.argv = ["scxhid", "top"]
        command_line()
    finally:
        load.stop()


if __name__ == "__main__":
    main()
