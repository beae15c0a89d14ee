"""A mouse that sends 8,000 reports a second: whether one more is lost with a program than without.

Four mice are plugged in; three have a program. Each sends its reports evenly from C, in turns. Each
report moves the pointer, so what comes out can be counted by its movements; ten times a second a
button is pressed, which bounces. Who sends reads as well, so that nothing is lost because a reader
comes too late for the kernel's queue.
"""

from __future__ import annotations

from collections.abc import Mapping

from vm.bench import hid_devices
from vm.bench.hid_devices import HidDevices
from vm.bench.result import Result, Samples, compare

SUITE = "mouse_8khz"
HZ, ROUNDS, REPORTS = 8000, 5, 8000
_EVERY = 400  # reports until the button changes
_MOVED = ("00010000", "01010000")  # one step along x, without and with the button
#: What there is on each mouse, and by how much that multiplies the step.
WAYS: Mapping[str, int] = {"none": 1, "remap": -2, "debounce": 1, "accel": 1}
_RULES = "[axes]\nx = { scale = -2.0 }\n"


def sample(rounds: int = ROUNDS, reports: int = REPORTS) -> dict[str, list[float]]:
    """In the guest: of each round and way the reports that were sent for each that came out, those
    a second, per mille of them that were sent late, the part of the movement that came out, and how
    often a reader's queue was full."""
    from pyloader.catalog import find_hid_program
    from pyloader.hid.attach import attach

    samples: dict[str, list[float]] = {}
    with HidDevices(hid_devices.MOUSE, len(WAYS)) as mice:
        hid_devices.remap(mice[1], _RULES)
        for n, way in list(enumerate(WAYS))[2:]:
            given = {"slope": 0} if way == "accel" else {}
            attach(find_hid_program(way).open(), mice[n], given)
        for round_ in range(rounds + 1):
            for n, (way, scale) in enumerate(WAYS.items()):
                took, late, packets, moved, lost = mice.pace(n, reports, HZ, _EVERY, _MOVED)
                taken = {
                    "rate": reports * 1e9 / took,
                    "late": late * 1e3 / reports,
                    "sent": reports / max(1, packets),
                    "moved": moved / scale / reports,
                    "dropped": lost,
                }
                for name, value in taken.items() if round_ else ():
                    samples.setdefault(f"{way}_{name}", []).append(value)
    return samples


def results(samples: Samples) -> list[Result]:
    made = [
        compare(
            f"{SUITE}_{way}",
            samples,
            f"{way}_sent",
            "none_sent",
            words="no program; reports sent for each that came out",
            unit="reports",
            limit=1.001,
        )
        for way in list(WAYS)[1:]
    ]
    made += [
        compare(
            f"{SUITE}_{way}_rate",
            {"rate": samples[f"{way}_rate"], "wanted": [float(HZ)]},
            "rate",
            "wanted",
            words="what the mouse was asked for",
            unit="reports/s",
            limit=None,
        )
        for way in WAYS
    ]
    made += [
        compare(
            f"{SUITE}_{way}_late",
            {"late": samples[f"{way}_late"], "all": [1000.0]},
            "late",
            "all",
            words="1,000 reports; those sent after the next one was due",
            unit="reports",
            limit=None,
        )
        for way in WAYS
    ]
    return made
