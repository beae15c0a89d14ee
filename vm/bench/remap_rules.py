"""Whether a remapped key costs more the more rules there are: 4, 100, 1,000, in turns.

Two keyboards are plugged in for each number, and two without a remap, of which one is among the
first and one among the last, since the place makes a difference of some percent. Files have as many
layers, keys in each, and combos as their number of rules asks for; the key that is typed is one of
the lowest layer, and no part of a combo.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from vm.bench import hid_devices
from vm.bench.floor import BUILD, Floor
from vm.bench.hid_devices import KEY_A, KEY_B, REMAP, HidDevices, quantile, ran_ns
from vm.bench.result import Result, Samples, compare

SUITE = "remap_rules_1000_vs_4"
NUMBERS = (4, 100, 1000)
_PLUGGED = (0, *NUMBERS, *reversed(NUMBERS), 0)
ROUNDS, REPORTS, GAP_US = 12, 60, 4000
_COMBOS = {4: 0, 100: 6, 1000: 64}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_KEYS = (
    *_LETTERS,
    *"1234567890",
    *(f"f{n}" for n in range(1, 13)),
    *(f"kp{n}" for n in range(10)),
    *("left", "right", "up", "down", "home", "end", "pageup", "pagedown", "insert", "delete"),
)


def rules(number: int) -> str:
    """A remap file with so many rules."""
    combos = [
        f'"{a}+{b}" = {{ to = "f1" }}\n'
        for at, a in enumerate(_LETTERS[1:])
        for b in _LETTERS[at + 2 :]
    ][: _COMBOS[number]]
    parts = ["[combo]\n", *combos, "[keys]\n"]
    for n in range(number - len(combos)):
        layer, key = divmod(n, len(_KEYS))
        if layer and not key:
            parts.append(f"[layer.l{layer}]\n")
        parts.append(f'{_KEYS[key]} = "{_KEYS[(key + layer + 1) % len(_KEYS)]}"\n')
    return "".join(parts)


def sample(rounds: int = ROUNDS, reports: int = REPORTS) -> dict[str, list[float]]:
    """In the guest: of each round, in ns, the median time until a key is read, and how long the
    program ran for a report, by number of rules (0: no remap)."""
    samples: dict[str, list[float]] = {}
    with (
        HidDevices(hid_devices.KEYBOARD, len(_PLUGGED)) as keyboards,
        Floor(BUILD / "run_time", REMAP) as programs,
    ):
        for n, number in enumerate(_PLUGGED):
            if number:
                hid_devices.remap(keyboards[n], rules(number))
        nodes = [keyboards.node(n) for n in range(len(_PLUGGED))]
        order = list(enumerate(_PLUGGED))

        def type_all() -> dict[int, list[int]]:
            return {
                n: keyboards.type(n, nodes[n], KEY_B if number else KEY_A, reports, GAP_US)
                for n, number in order
            }

        for round_ in range(rounds + 1):
            order.reverse()
            latencies = type_all()
            p50 = [float(quantile(latencies[n], 50)) for n in range(len(_PLUGGED))]
            taken = {f"p50_{number}": mean for number, mean in _means(_PLUGGED, p50).items()}
            spent = ran_ns(programs, type_all, reports)
            remapped = [number for number in _PLUGGED if number]
            taken |= {f"work_{number}": mean for number, mean in _means(remapped, spent).items()}
            for name, value in taken.items() if round_ else ():
                samples.setdefault(name, []).append(value)
    return samples


def _means(numbers: Sequence[int], values: Sequence[float]) -> dict[int, float]:
    """Of the keyboards with so many rules."""
    both = list(zip(numbers, values, strict=True))
    return {
        wanted: fmean(value for number, value in both if number == wanted) for wanted in numbers
    }


def results(samples: Samples) -> list[Result]:
    """The goal is that of the time that the program ran, which no wake-up disturbs."""
    added = {
        f"p50_{number}": [
            value - without
            for value, without in zip(samples[f"p50_{number}"], samples["p50_0"], strict=True)
        ]
        for number in NUMBERS
    }
    words = "4 rules; the program's own time for a report"
    return [
        compare(SUITE, samples, "work_1000", "work_4", words=words, unit="us", limit=1.1),
        compare(f"{SUITE}_100", samples, "work_100", "work_4", words=words, unit="us", limit=1.1),
        compare(
            f"{SUITE}_latency",
            added,
            "p50_1000",
            "p50_4",
            words="4 rules; what is added to the median from report to read",
            unit="us",
            limit=None,
        ),
    ]
