"""For how long a report of a keyboard could be lost, while somebody types with taps and holds.

One key means another when it is held. It is pressed for 75 to 225 ms each time, so that one press
in six is a hold that nothing but the time decides (200 ms): then the program sends a report of its
own, and what the keyboard sends in that time the kernel drops.
"""

from __future__ import annotations

from vm.bench import hid_devices
from vm.bench.hid_devices import HidDevices
from vm.bench.result import Result, Samples, compare

SUITE = "remap_injecting"
RULES = '[keys]\na = { tap = "a", hold = "leftshift", timeout_ms = 200 }\n'
ROUNDS, ROUND_MS, GAP_US = 5, 6000, 150_000
_NO_KEY = 0x2FF  # what never comes out, so the typing goes on


def sample(rounds: int = ROUNDS, round_ms: int = ROUND_MS) -> dict[str, list[float]]:
    """In the guest: of each round the ns in which a report would have been lost, those of the
    round, and how often a report was sent without one of the keyboard's."""
    import time

    from pyloader.hid.attach import find_attached

    samples: dict[str, list[float]] = {"injecting": [], "elapsed": [], "sent": []}
    with HidDevices(hid_devices.KEYBOARD, 1) as keyboards:
        hid_devices.remap(keyboards[0], RULES)
        on = find_attached(keyboards[0], "remap")

        def counts() -> dict[str, int]:
            rows = on.read_stats()
            return {name: int(row.sum()) for name, row in zip(on.stats, rows, strict=True)}

        for _ in range(rounds):
            before, began = counts(), time.monotonic_ns()
            keyboards.type_until(0, _NO_KEY, GAP_US, round_ms)
            after = counts()
            samples["elapsed"].append(time.monotonic_ns() - began)
            samples["injecting"].append((after["injecting_us"] - before["injecting_us"]) * 1e3)
            samples["sent"].append(after["waited"] - before["waited"])
    return samples


def results(samples: Samples) -> list[Result]:
    words = "the time in which it was typed: 3 taps or holds a second"
    return [
        compare(SUITE, samples, "injecting", "elapsed", words=words, unit="ms", limit=None),
    ]
