"""What a remapped key costs: nobody remaps, ours, keyd, and a loop in Python, in turns.

Four keyboards are plugged in, each with its own: so the ways take turns every half second, and none
has to be started anew. What is measured is the time from the report to the read of the key, by a
reader that sleeps in between; added is what is above that without a remap in the same round. What
is worked for it is told by the kernel: of our program by its run-time statistics, of the others by
the CPU time of their processes.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vm.bench import hid_devices, uinput_loop
from vm.bench.floor import BUILD, ROOT, Floor
from vm.bench.hid_devices import (
    KEY_A,
    KEY_B,
    REMAP,
    VENDOR,
    HidDevices,
    node_called,
    quantile,
    ran_ns,
)
from vm.bench.result import Result, Samples, compare

SUITE = "remap_vs_keyd"
CPUS = 2
#: The same for all: names that remap files and keyd have, and their input event codes.
RULES = {"a": "b", "c": "d", "f": "g", "h": "i"}
_CODES = {"a": 30, "b": 48, "c": 46, "d": 32, "f": 33, "g": 34, "h": 35, "i": 23}
WAYS = ("none", "ours", "keyd", "python")
ROUNDS, REPORTS, GAP_US = 16, 100, 4000


def prepare() -> None:
    """Fetch and compile what the guest needs."""
    from vm import keyd

    hid_devices.prepare()
    keyd.fetch()


def sample(rounds: int = ROUNDS, reports: int = REPORTS) -> dict[str, list[float]]:
    """In the guest: of each way, in ns, the time until a key is read, of each report (``_all``) and
    the median of each round (``_p50``), and what was worked for a report in each round."""
    from vm import keyd

    pairs = [f"{_CODES[source]}:{_CODES[target]}" for source, target in RULES.items()]
    with HidDevices(hid_devices.KEYBOARD, len(WAYS)) as keyboards:
        hid_devices.remap(keyboards[1], hid_devices.rules_of(RULES))
        with keyd.Daemon(keyd.fetch(), _configuration(3)) as daemon:
            daemon.wait_for_device(VENDOR, 3)
            command = [sys.executable, "-m", "vm.bench.uinput_loop", keyboards.node(3), *pairs]
            loop = subprocess.Popen(command, cwd=ROOT)
            try:
                nodes = [
                    keyboards.node(0),
                    keyboards.node(1),
                    node_called(keyd.OUTPUT_NAME),
                    node_called(uinput_loop.OUTPUT_NAME),
                ]
                processes = {"keyd": daemon.pid, "python": loop.pid}
                return _sample(keyboards, nodes, processes, rounds, reports)
            finally:
                loop.terminate()
                loop.wait()


def _configuration(product: int) -> str:
    lines = "".join(f"{source} = {target}\n" for source, target in RULES.items())
    return f"[ids]\n{VENDOR:04x}:{product:04x}\n\n[main]\n{lines}"


def _sample(
    keyboards: HidDevices,
    nodes: Sequence[str],
    processes: Mapping[str, int],
    rounds: int,
    reports: int,
) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = {}
    with Floor(BUILD / "run_time", REMAP) as programs:
        for number in range(rounds + 1):
            taken: dict[str, list[float]] = {}

            def type_(n: int) -> list[int]:
                code = KEY_B if n else KEY_A
                return keyboards.type(n, nodes[n], code, reports, GAP_US)

            for turn in range(len(WAYS)):
                n = (turn + number) % len(WAYS)
                way = WAYS[n]
                before = _cpu_ns(processes.get(way))
                latencies = type_(n)
                taken[f"{way}_work"] = [(_cpu_ns(processes.get(way)) - before) / reports]
                taken[f"{way}_p50"] = [quantile(latencies, 50)]
                taken[f"{way}_all"] = [*latencies]
            taken["ours_work"] = ran_ns(programs, lambda: type_(1), reports)
            for name, values in taken.items() if number else ():
                samples.setdefault(name, []).extend(values)
    return samples


def _cpu_ns(pid: int | None) -> int:
    """How long the process has had a CPU; 0 of none."""
    if pid is None:
        return 0
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def added(samples: Samples, way: str) -> list[float]:
    """What a way adds in each round to the median without a remap; of ours at least the time that
    the program ran, below which it can only have been by chance."""
    least = samples["ours_work"] if way == "ours" else [0.0] * len(samples["none_p50"])
    both = zip(samples[f"{way}_p50"], samples["none_p50"], least, strict=True)
    return [max(value - without, work) for value, without, work in both]


def results(samples: Samples) -> list[Result]:
    """The goal is that of the added median; the others say what it is made of."""
    of = {way: added(samples, way) for way in WAYS[1:]}
    p99 = {way: [float(quantile(samples[f"{way}_all"], 99))] for way in WAYS}
    above = {way: [max(0.0, p99[way][0] - p99["none"][0])] for way in WAYS}
    work = {way: samples[f"{way}_work"] for way in WAYS[1:]}
    p50 = {way: samples[f"{way}_p50"] for way in WAYS}
    keyd, loop = "keyd", "a loop in Python"
    cpu = "CPU time of its process for a report, ours in the kernel"

    def one(
        id_: str, of: Samples, way: str, against: str, words: str, limit: float | None = None
    ) -> Result:
        return compare(id_, of, way, against, words=words, unit="us", limit=limit)

    return [
        one(SUITE, of, "ours", "keyd", f"{keyd}; what is added to the median", 0.05),
        one(f"{SUITE}_p99", above, "ours", "keyd", f"{keyd}; what is added to the 99th percentile"),
        one(f"{SUITE}_work", work, "ours", "keyd", f"{keyd}; {cpu}"),
        one(f"{SUITE}_python", of, "ours", "python", f"{loop}; what is added to the median"),
        one(f"{SUITE}_python_work", work, "ours", "python", f"{loop}; {cpu}"),
        *(
            one(f"{SUITE}_{way}_{name}", whole, way, "none", f"no remap; report to read, {words}")
            for name, words, whole in (
                ("p50", "median", p50),
                ("p99", "99th percentile", p99),
            )
            for way in WAYS[1:]
        ),
    ]
