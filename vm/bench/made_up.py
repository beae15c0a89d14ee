"""Snapshots of a machine that does not exist, for the screen's tests and benchmarks.

The same seed gives the same ones, so that pictures can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyloader.hid.live import LiveReport
from pyloader.hid.remap.explain import Line
from pyloader.probes.cost import Cost
from pyloader.probes.histogram import NR_BUCKETS
from pyloader.probes.input import STAGES, DeviceLatency
from pyloader.probes.machine import Machine
from pyloader.probes.queues import QUEUE
from pyloader.probes.sched import KINDS
from pyloader.probes.tasks import TASK
from pyloader.view.devices import DeviceState, ProgramState, RulesState
from pyloader.view.input_first import InputFirst
from pyloader.view.scheduler import CounterState, KnobState, SchedulerState
from pyloader.view.snapshot import CPU, ChosenTask, Snapshot, Tapped
from vm.bench.made_up_chains import made_up_chains

_BEGAN = 1_790_000_000.0
_MOUSE, _KEYBOARD = "0003:046D:C08B.0004", "0003:04D9:0169.0005"


class MadeUp:
    """``cpus`` CPUs, eight to a cache and 64 to a node; a snapshot every ``seconds``.

    It takes changes as the controls of a screen give them, so the next snapshots show them.
    """

    def __init__(self, cpus: int = 16, seconds: float = 1.0, seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        self._cpus, self._seconds, self._number = cpus, seconds, 0
        self._level = self._random.random(cpus) * 0.7
        self.scheduler: str | None = "interactive"
        self.previous: str | None = "simple"
        self.since = _BEGAN - 300
        self.knobs: dict[str, Any] = {"slice_us": 5000, "boost": True, "lag_us": 20000}
        self.history: list[Mapping[str, Any]] = [
            _event(_BEGAN - 900, "attached", "simple"),
            _event(
                _BEGAN - 600,
                "ejected",
                "central",
                {
                    "kind": 1026,
                    "exit_code": 0,
                    "reason": "runnable task stall",
                    "message": "hog[812] failed to run for 3.004s",
                    "dump": "hog[812] triggered exit kind 1026:\n  runnable task stall\n",
                },
            ),
            _event(_BEGAN - 300, "attached", "interactive"),
        ]
        self.chosen: int | None = None
        self.masked = True
        self.tapped: str | None = None
        self.input_first: float | None = None
        """Since when it is on, s since the epoch."""

    def start(self) -> None:
        """It is there."""

    def take(self) -> Snapshot | None:
        self._number += 1
        at = _BEGAN + self._number * self._seconds
        cpus = self._cpu_records()
        return Snapshot(
            at=at,
            seconds=self._seconds,
            cpus=cpus,
            waits=self._waits(cpus),
            scheduler=self._state(),
            machine=Machine(
                "workstation",
                "7.3.4",
                11_520 + self._number,
                (3.41, 2.87, 2.2),
                {"cpu": 12.4, "memory": 0.0, "io": 1.2},
                812,
                9 << 30,
                32 << 30,
            ),
            tasks=self._tasks(),
            chosen=ChosenTask(self.chosen, "Xwayland", self._histogram(4e4, 900))
            if self.chosen
            else None,
            queues=self._queues(),
            devices=self._devices(),
            hid=self._hid(),
            tapped=self._tapped(),
            input_first=self._input_first(),
            history=tuple(self.history),
            cost=Cost(0.012, 0.004),
        )

    def choose(self, pid: int | None) -> None:
        self.chosen = pid

    def tap(self, device: str | None, masked: bool) -> None:
        self.tapped, self.masked = device, masked

    def close(self) -> None:
        pass

    @property
    def at(self) -> float:
        return _BEGAN + self._number * self._seconds

    def _state(self) -> SchedulerState:
        if self.scheduler is None:
            return SchedulerState(previous=self.previous)
        rate = 1000 * (1 + 0.5 * np.sin(self._number / 5))
        return SchedulerState(
            self.scheduler,
            "hosted",
            self.since,
            self.previous,
            "deadlines by how long tasks sleep and run",
            (
                KnobState(
                    "slice_us",
                    self.knobs["slice_us"],
                    5000,
                    100,
                    100000,
                    "us",
                    "time a task may run before it is asked to yield",
                    True,
                ),
                KnobState(
                    "boost",
                    self.knobs["boost"],
                    True,
                    False,
                    True,
                    "",
                    "let tasks that were woken by input go first",
                    True,
                ),
                KnobState(
                    "lag_us",
                    self.knobs["lag_us"],
                    20000,
                    0,
                    200000,
                    "us",
                    "how far behind its share a task may count",
                    False,
                ),
            ),
            (
                CounterState("dispatched_local", "tasks placed straight on an idle CPU", 99, rate),
                CounterState("dispatched_shared", "tasks queued for any CPU", 99, rate / 3),
                CounterState("preempted", "tasks that had to make way", 9, rate / 40),
            ),
            {"SCX_EV_SELECT_CPU_FALLBACK": 0.0, "SCX_EV_DISPATCH_KEEP_LAST": rate / 9},
        )

    def _cpu_records(self) -> np.ndarray:
        count = self._cpus
        self._level = np.clip(self._level + self._random.normal(0, 0.06, count), 0, 1)
        made = np.zeros(count, CPU)
        made["cpu"] = np.arange(count)
        made["cache"] = np.arange(count) // 8 * 8
        made["node"] = np.arange(count) // 64
        made["mhz"] = 3400
        made["busy"] = self._level
        ext = self.scheduler is not None
        main, other = ("ext", "fair") if ext else ("fair", "ext")
        made[main], made[other] = self._level * 0.9, 0.0
        made["rt"], made["irq"] = self._level * 0.06, self._level * 0.04
        made["steal"] = 0.0
        made["waiting"] = np.maximum(0, self._level - 0.7) * 4
        made["switches"] = 2000 * self._level
        made["migrations"] = 30 * self._level
        return made

    def _histogram(self, median_ns: float, samples: int) -> np.ndarray:
        from pyloader.probes.histogram import edges

        drawn = self._random.lognormal(np.log(median_ns), 0.8, samples)
        return np.histogram(drawn, edges())[0].astype(np.uint64)

    def _waits(self, cpus: np.ndarray) -> np.ndarray:
        median = {None: 60e3, "interactive": 9e3}.get(self.scheduler, 25e3)
        slice_ = float(self.knobs["slice_us"]) / 5000
        waits = np.zeros((len(cpus), NR_BUCKETS), np.uint32)
        everything = self._histogram(median * (0.5 + 0.5 * slice_), 4000)
        everything += self._histogram(40 * median, 300)
        for n in range(len(cpus)):
            waits[n] = everything // len(cpus)
        waits[0] += (everything % len(cpus)).astype(np.uint32)
        return waits

    def _tasks(self) -> np.ndarray:
        names = (
            "firefox",
            "Xwayland",
            "pipewire",
            "make",
            "cc1",
            "kworker/3:1",
            "ksoftirqd/0",
            "bash",
        )
        made = np.zeros(len(names) * 4, TASK)
        for n in range(len(made)):
            busy = float(self._random.random()) ** 3
            made[n]["pid"] = made[n]["tgid"] = 1000 + 7 * n
            made[n]["comm"], made[n]["kind"] = names[n % len(names)].encode(), KINDS.index("ext")
            made[n]["cpu"], made[n]["state"] = n % self._cpus, n % 3
            made[n]["ran"], made[n]["waiting"] = busy, busy / 4
            made[n]["switches"], made[n]["wakeups"] = 500 * busy, 300 * busy
            made[n]["mean_wait_us"], made[n]["max_wait_us"] = 20 * (1 + busy), 4e3 * busy
        return made

    def _queues(self) -> np.ndarray:
        made = np.full(min(self._cpus, 8) + 3, -1, QUEUE)
        made["kind"], made["queued"] = 0, self._random.poisson(0.3, len(made))
        made["cpu"] = np.arange(len(made))
        made["kind"][-3:] = (1, 2, 2)
        made["node"][-3] = 0
        made["id"][-2:] = (1 << 32, 1 << 32 | 1)
        made["queued"][-2:] = self._random.poisson(3, 2)
        return made

    def _hid(self) -> tuple[DeviceState, ...]:
        rules = RulesState(
            "/home/me/desk.toml",
            "desk.toml",
            (Line(_MOUSE, "base", "capslock", "capslock", "escape, held: leftctrl", "escape"),),
            (),
            True,
            False,
        )
        return (
            DeviceState(_MOUSE, "046d:c08b", "Logitech G502", "USB", ("mouse",), (), None),
            DeviceState(
                _KEYBOARD,
                "04d9:0169",
                "Holtek keyboard",
                "USB",
                ("keyboard",),
                (ProgramState("remap", "scxhid", _BEGAN - 100, {"tap_ms": 180}),),
                rules,
            ),
        )

    def _tapped(self) -> Tapped | None:
        if self.tapped is None:
            return None
        at = int(self._number * 1e9)
        if self.tapped == _MOUSE:
            said = (("X", self._number % 7 - 3, self._number % 7 - 3), ("Y", 1, 1))
            report = LiveReport(at, 0, b"\0\3\1\0", b"\0\3\1\0", said)
        elif self.masked:
            report = LiveReport(at, 0, None, None, (("keys down", 1, None),), True)
        else:
            typed = (("CapsLock", 1, 0), ("Escape", 0, 1))
            report = LiveReport(at, 0, b"\0\0\x39", b"\0\0\x29", typed)
        return Tapped(self.tapped, self.masked, (report,), 0, _BEGAN)

    def _input_first(self) -> InputFirst:
        if self.input_first is None:
            return InputFirst(False)
        waits = np.array([self._histogram(3e3 * (1 + n), 900 >> n) for n in range(4)], np.uint32)
        counts = {"events": 1000 * self._number, "marked": 1700 * self._number}
        used = self.scheduler in ("interactive", "simple")
        chains = made_up_chains(self._number, self._random.lognormal(0, 0.3, 16).tolist())
        return InputFirst(True, self.input_first, used, waits, counts, chains)

    def _devices(self) -> tuple[DeviceLatency, ...]:
        found: list[DeviceLatency] = []
        for device, name, rate, median in (
            (_MOUSE, "Logitech G502", 1000, 45e3),
            (_KEYBOARD, "Holtek keyboard", 6, 120e3),
        ):
            parts = np.array([0.04, 0.1, 0.06, 0.7, 0.1])
            total = median
            if self.input_first:
                parts[3] *= 0.1
                total *= parts.sum()
            stages = np.array([self._histogram(median * part, rate) for part in parts])
            assert len(stages) == len(STAGES)
            found.append(
                DeviceLatency(
                    device, name, self._histogram(total, rate), stages, rate, 3 * rate, 2, 0, 0
                )
            )
        return tuple(found)


def _event(
    at: float, event: str, name: str, exit_: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    made: dict[str, Any] = {"time_ns": int(at * 1e9), "event": event, "name": name}
    return {**made, "exit": exit_} if exit_ else made


class MadeUpControls:
    """Changes the machine that does not exist; ``done`` is what was asked of it, in order."""

    def __init__(self, machine: MadeUp) -> None:
        self._machine = machine
        self.done: list[tuple[str, ...]] = []

    def library(self) -> tuple[Any, ...]:
        from types import SimpleNamespace as Each

        return tuple(
            Each(name=name, about=about, good_for=good, ignores=(), knobs=knobs)
            for name, about, good, knobs in (
                ("central", "one CPU decides for all others", "few cores and long jobs", 2),
                ("interactive", "deadlines by how long tasks sleep and run", "desktops, games", 3),
                ("simple", "weighted fair queueing on one global queue", "learning; one socket", 1),
            )
        )

    def use(self, name: str) -> str:
        self.done.append(("use", name))
        machine = self._machine
        machine.scheduler, machine.previous, machine.since = name, machine.scheduler, machine.at
        return f"{name} runs"

    def back(self) -> str:
        self.done.append(("back",))
        machine = self._machine
        machine.scheduler, machine.previous = machine.previous, machine.scheduler
        machine.since = machine.at
        return f"{machine.scheduler} runs"

    def stop(self) -> str:
        self.done.append(("stop",))
        machine = self._machine
        machine.scheduler, machine.previous, machine.since = None, machine.scheduler, 0.0
        return "the kernel's own runs"

    def set_knob(self, name: str, text: str) -> str:
        self.done.append(("set", name, text))
        value: Any = {"on": True, "off": False}.get(text)
        self._machine.knobs[name] = int(text) if value is None else value
        return f"{name}={text}"

    def remap(self, device: str, path: str) -> str:
        self.done.append(("remap", device, path))
        return f"{path} is on {device}"

    def detach(self, device: str) -> str:
        self.done.append(("detach", device))
        return f"nothing is on {device}"

    def input_first(self, on: bool) -> str:
        self.done.append(("input first", "on" if on else "off"))
        self._machine.input_first = self._machine.at if on else None
        return f"input first is {'on' if on else 'off'}"
