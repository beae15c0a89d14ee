"""``python -m vm.bench [SUITE …]``: measure, print a table, write ``build/bench.json``.

The exit status says whether everything could be measured, not whether every goal was met: a
figure depends on the machine.
"""

from __future__ import annotations

import sys
import time

from pyloader.errors import ScxhidError, WrongUse
from vm.bench import report, side_by_side, suites
from vm.bench.floor import ROOT

OUT = ROOT / "build" / "bench.json"


def main(arguments: list[str]) -> int:
    """Run the suites that ``arguments`` name, all without any."""
    if arguments and arguments[0] in ("-h", "--help"):
        print(f"usage: make bench [SUITE=NAME], or python -m vm.bench [NAME …]\n{_list()}")
        return 0
    try:
        unknown = [name for name in arguments if name not in suites.NAMES]
        if unknown:
            raise WrongUse(f"no benchmark is called {unknown[0]!r}; {_list()}")
        started = time.monotonic()
        measured = suites.run(arguments or suites.NAMES, _tell)
        _tell("")
        report.write(OUT, measured.results, report.machine_facts() | measured.facts)
    except ScxhidError as error:
        _tell("")
        print(f"scxhid: {error}", file=sys.stderr)
        return error.exit_status
    _show(measured)
    seconds = time.monotonic() - started
    print(f"medians, taken in turns; {seconds:.0f} s in all; written to {OUT.relative_to(ROOT)}")
    return 0


def _show(measured: suites.Measured) -> None:
    lines = [result for result in measured.results if not side_by_side.belongs(result)]
    if lines:
        print(report.table(lines))
    if "vm_boot_spent" in measured.facts:
        print(report.spent_line(measured.facts["vm_boot_spent"]))
    schedulers = side_by_side.table(measured.results)
    if schedulers:
        print(f"\nin brackets the ratio to the kernel's own, and its interval\n{schedulers}\n")
    if measured.facts.get("schedulers_left_out"):
        print(measured.facts["schedulers_left_out"])


def _list() -> str:
    return f"the benchmarks are {', '.join(suites.NAMES)}"


def _tell(text: str) -> None:
    """Say what is being done, on a terminal only, in one line that is overwritten."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        _tell("")
        sys.exit(130)
