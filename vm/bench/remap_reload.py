"""From saving a remap file until it counts: the command as it is, and what its time goes on.

A key is pressed and released all the time, every 2 ms or so, which the file before lets be another
than the file after; when the new one comes out, the new rules count. The floor is what the kernel
has to be told: the tables of the rules and of the places, and the word that says which count,
written by a process that has all of them ready. An emulated machine starts Python twenty to fifty
times slower than a real one. So what needs no HID-BPF is measured on this machine as well.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyloader.cli.watched import LOOK_S
from vm.bench import hid_devices, reload_steps
from vm.bench.floor import ROOT
from vm.bench.hid_devices import HidDevices
from vm.bench.result import Result, Samples, compare
from vm.bench.suites import Tell
from vm.bench.turns import once

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUITE = "remap_reload"
ROUNDS, HERE_ROUNDS, _WATCH_ROUNDS = 4, 15, 60
_GOAL_NS = 50e6
_GAP_US, _WITHIN_MS = 1000, 60_000
_FLOOR_TIMES = 20
_REMAP = (str(Path(sys.executable).with_name("scxhid")), "hid", "remap")
_SETTLE_S = 0.5
_PASS = (sys.executable, "-c", "pass")


def _text(target: str) -> str:
    return f'[device]\nname = "bench 0"\n\n[keys]\na = "{target}"\nd = "e"\nf = "g"\nh = "i"\n'


def sample(rounds: int = ROUNDS) -> dict[str, list[float]]:
    """In the guest: ns from the file's new name to the new key, the part of it that the command
    tells, each step of it, the start of Python alone, and the floor."""
    samples: dict[str, list[float]] = {}
    with HidDevices(hid_devices.KEYBOARD, 1) as keyboards, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.toml"
        hid_devices.remap(keyboards[0], _text("c"))
        for number in range(rounds + 1):
            taken = {
                **_reload(keyboards, path, "b"),
                "pass": once(lambda: subprocess.run(_PASS, check=True))(),
                **_steps_of_a_change(path, "c"),
                "watch": _watched(keyboards, path),
                "floor": _floor(keyboards),
            }
            for name, value in taken.items() if number else ():
                samples.setdefault(name, []).append(value)
    return samples


def _reload(keyboards: HidDevices, path: Path, target: str) -> dict[str, float]:
    saved_ns = _save(path, target)
    process = subprocess.Popen([*_REMAP, str(path), "--json"], stdout=subprocess.PIPE)
    seen_ns = keyboards.type_until(0, hid_devices.KEY_B, _GAP_US, _WITHIN_MS)
    said = json.loads(process.communicate()[0])
    return {"total": seen_ns - saved_ns, "told": said["ns"]}


def _save(path: Path, target: str) -> int:
    """As editors do; the monotonic time in ns before the file has its new contents."""
    written = path.with_suffix(".new")
    written.write_text(_text(target))
    saved_ns = time.monotonic_ns()
    written.rename(path)
    return saved_ns


def _watched(keyboards: HidDevices, path: Path) -> float:
    """The file says C and is followed by ``--watch``; it is made to say B, and C again."""
    command = [*_REMAP, str(path), "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it is applied
        time.sleep(_SETTLE_S)
        saved_ns = _save(path, "b")
        seen_ns = keyboards.type_until(0, hid_devices.KEY_B, _GAP_US, _WITHIN_MS)
        process.stdout.readline()
        _save(path, "c")
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
    return seen_ns - saved_ns


def _steps_of_a_change(path: Path, target: str) -> dict[str, float]:
    path.write_text(_text(target))
    return steps(path)


def steps(path: Path, *more: str) -> dict[str, float]:
    """What the steps of the command take (reload_steps.py), and their sum, in ns."""
    program = [sys.executable, str(Path(reload_steps.__file__))]
    command = [*program, str(time.monotonic_ns()), str(path), *more]
    said = subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout
    taken: dict[str, float] = json.loads(said)
    return {**taken, "sum": sum(taken.values())}


def _floor(keyboards: HidDevices) -> float:
    """Write what is there once more, and let it count."""
    from pyloader import libbpf
    from pyloader.hid.attach import find_attached

    on = find_attached(keyboards[0], "remap")
    current = on.policy_variable("current_tables")
    maps = [on.maps[name] for name in ("all_rules", "all_places")]
    values = [_value(each.lookup(int(current.value))) for each in maps]

    def store() -> None:
        other = 1 - int(current.value)
        for each, value in zip(maps, values, strict=True):
            libbpf.update(each.fd, other.to_bytes(4, sys.byteorder), value)
        current.value = other

    taken = [once(store)() for _ in range(_FLOOR_TIMES)]
    return sorted(taken)[len(taken) // 2]


def _value(found: NDArray[Any] | None) -> bytes:
    assert found is not None  # an array has all its entries
    return found.tobytes()


def measure_here(tell: Tell) -> dict[str, list[float]]:
    """On this machine: the steps up to the tables, the start of Python alone, and with --watch
    from the file's new name to the tables, in ns."""
    samples: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.toml"
        path.write_text(_text("b"))
        for number in range(HERE_ROUNDS + 1):
            tell(f"without emulation, round {number} of {HERE_ROUNDS}")
            taken = {
                **steps(path, hid_devices.KEYBOARD),
                "pass": once(lambda: subprocess.run(_PASS, check=True))(),
            }
            for name, value in taken.items() if number else ():
                samples.setdefault(f"here_{name}", []).append(value)
        samples["here_watch"] = _watched_here(path)
    return samples


def _watched_here(path: Path) -> list[float]:
    program = [sys.executable, str(Path(reload_steps.__file__)), "watch"]
    command = [*program, str(path), hid_devices.KEYBOARD]
    taken: list[float] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the tables of the file as it is
        for number in range(_WATCH_ROUNDS):
            # At any moment between two looks at the file.
            time.sleep(0.1 + random.random() * LOOK_S)
            saved_ns = _save(path, "bc"[number % 2 - 1])
            taken.append(int(process.stdout.readline()) - saved_ns)
        process.send_signal(signal.SIGINT)
    return taken


def results(samples: Samples) -> list[Result]:
    """The goal is for a real machine: here what can be measured without emulation counts."""
    start = "python3 -c pass of the same interpreter"
    made = [
        compare(SUITE, samples, "total", "pass", words=f"{start}, emulated", unit="ms", limit=None),
        compare(
            f"{SUITE}_apply",
            samples,
            "told",
            "floor",
            words="writing the tables and the store alone, emulated",
            unit="ms",
            limit=None,
        ),
        compare(
            *(f"{SUITE}_watch", samples, "watch", "total"),
            words="the command, emulated",
            unit="ms",
            limit=None,
        ),
    ]
    made += [
        compare(
            f"{SUITE}_step_{step}",
            samples,
            step,
            "sum",
            words="all steps of the command, emulated",
            unit="ms",
            limit=None,
        )
        for step in reload_steps.STEPS
    ]
    if "here_sum" in samples:
        here = {**samples, "goal": [_GOAL_NS] * len(samples["here_sum"])}
        goal = {**samples, "goal": [_GOAL_NS] * len(samples["here_watch"])}
        words = "the goal; all but attaching and storing, without emulation"
        made.append(
            compare(f"{SUITE}_here", here, "here_sum", "goal", words=words, unit="ms", limit=1.0)
        )
        words = "the goal; with --watch, all but the store, without emulation"
        name = f"{SUITE}_here_watch"
        made.append(compare(name, goal, "here_watch", "goal", words=words, unit="ms", limit=1.0))
        made += [
            compare(
                f"{SUITE}_here_{step}",
                here,
                f"here_{step}",
                "here_sum",
                words="all of these steps, without emulation",
                unit="ms",
                limit=None,
            )
            for step in reload_steps.STEPS
            if f"here_{step}" in samples
        ]
    return made
