"""What the probe of input latency costs for a report, and whether it tells what its reader saw.

A keyboard of uhid types, and a reader that sleeps until there is something stamps what comes, both
in C (programs/hid_reports.c). How long the probe's programs ran is the kernel's own statistic.
"""

from __future__ import annotations

from statistics import median

from vm.bench import hid_devices
from vm.bench.hid_devices import KEY_A, HidDevices
from vm.bench.probe_cost import run_times
from vm.bench.result import Result, Samples, compare

SUITE = "probe_report_cost"
ROUNDS, REPORTS, GAP_US = 8, 200, 4000


def prepare() -> None:
    """Compile what runs in the guest."""
    from pyloader.catalog import find_probe

    hid_devices.compile_programs()
    find_probe("input").open()


def sample(rounds: int = ROUNDS) -> dict[str, list[float]]:
    """In the guest: for each report ns of the probe's programs (``probe``), and the medians, in ns,
    of what the probe tells (``told``) and of the stamps around write and read (``stamped``)."""
    from pyloader.probes.histogram import percentiles
    from pyloader.probes.input import PROGRAMS, InputProbe

    samples: dict[str, list[float]] = {}
    with HidDevices(hid_devices.KEYBOARD, 1) as keyboards:
        node, device = keyboards.node(0), keyboards[0].sysname

        def type_() -> list[int]:
            return keyboards.type(0, node, KEY_A, REPORTS, GAP_US)

        for number in range(rounds + 1):
            with InputProbe() as probe:
                _, ran_ns = run_times(PROGRAMS, type_)
            with InputProbe() as probe:
                stamped = median(type_())
                [told] = percentiles(probe.read()[device].total, [50]) or [0.0]
            taken = {"probe": ran_ns / REPORTS, "stamped": stamped, "told": told}
            for name, value in taken.items() if number else ():
                samples.setdefault(name, []).append(value)
    return samples


def results(samples: Samples) -> list[Result]:
    return [
        compare(
            SUITE,
            samples,
            "probe",
            "stamped",
            words="a report from before its write to after its read",
            unit="us",
            limit=None,
        ),
        compare(
            f"{SUITE}_told",
            samples,
            "told",
            "stamped",
            words="the same by stamps around it",
            unit="us",
            limit=None,
        ),
    ]
