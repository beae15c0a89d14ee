"""The half of a benchmark that runs in the guest: ``python -m vm.bench.inside SUITE …``.

Writes one JSON document: what was sampled, by suite, and what the guest says of itself. It
imports little, because each import is slow in an emulated machine.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

#: Suite → the module whose ``sample`` takes the samples.
MODULES = {
    "read_percpu_64x32": "vm.bench.read_percpu",
    "knob_write": "vm.bench.knob_write",
    "attach_detach": "vm.bench.attach_detach",
    "swap_gap": "vm.bench.swap_gap",
    "gapless": "vm.bench.gapless",
    "schedulers": "vm.bench.contest",
    "remap_vs_keyd": "vm.bench.remap_vs_keyd",
    "remap_rules_1000_vs_4": "vm.bench.remap_rules",
    "remap_reload": "vm.bench.remap_reload",
    "remap_injecting": "vm.bench.remap_injecting",
    "mouse_8khz": "vm.bench.mouse_8khz",
    "probe_switch_cost": "vm.bench.probe_cost",
    "probe_report_cost": "vm.bench.report_cost",
}


def main(suites: list[str]) -> None:
    samples = {name: importlib.import_module(MODULES[name]).sample() for name in suites}
    json.dump({"kernel": os.uname().release, "samples": samples}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
