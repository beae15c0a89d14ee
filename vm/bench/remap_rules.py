"""Whether a remapped key costs more the more rules there are: 4, 100, 1,000, in turns.

Four keyboards are plugged in, one without a remap. Files have as many layers, keys in each, and
combos as their number of rules asks for; the key that is typed is one of the lowest layer, and no
part of a combo.
"""

from __future__ import annotations

from vm.bench import hid_devices
from vm.bench.floor import BUILD, Floor
from vm.bench.hid_devices import KEY_A, KEY_B, REMAP, HidDevices, quantile, ran_ns
from vm.bench.result import Result, Samples, compare

SUITE = "remap_rules_1000_vs_4"
NUMBERS = (4, 100, 1000)
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
        HidDevices(hid_devices.KEYBOARD, len(NUMBERS) + 1) as keyboards,
        Floor(BUILD / "run_time", REMAP) as programs,
    ):
        for n, number in enumerate(NUMBERS, 1):
            hid_devices.remap(keyboards[n], rules(number))
        nodes = [keyboards.node(n) for n in range(len(NUMBERS) + 1)]

        def type_all() -> dict[int, list[int]]:
            return {
                number: keyboards.type(n, nodes[n], KEY_B if n else KEY_A, reports, GAP_US)
                for n, number in enumerate((0, *NUMBERS))
            }

        for round_ in range(rounds + 1):
            taken = {
                f"p50_{number}": float(quantile(latencies, 50))
                for number, latencies in type_all().items()
            }
            spent = ran_ns(programs, type_all, reports)
            taken |= {f"work_{n}": ns for n, ns in zip(NUMBERS, spent, strict=True)}
            for name, value in taken.items() if round_ else ():
                samples.setdefault(name, []).append(value)
    return samples


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
