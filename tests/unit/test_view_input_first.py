"""Input first in snapshots: what is read of it, what it costs while it is off, what is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pyloader.errors import Gone, NotPermitted
from pyloader.input_first.chains import Chain, Hop
from pyloader.probes.histogram import NR_BUCKETS
from pyloader.view import input_first
from pyloader.view.input_first import InputFirst, InputFirstReader, chosen
from pyloader.view.recording import pack, unpack
from tests.unit.test_view_recording import same
from tui import cli
from vm.bench.made_up import MadeUp

MOUSE, KEYBOARD = 0x3046DC08B, 0x304D90169
S = 1_000_000_000


HOP = np.dtype([("ran", "u8")])
EVENT = np.dtype(
    [("number", "u8"), ("device", "u8"), ("began", "u8"), ("nr_hops", "u8"), ("hops", HOP, (8,))]
)


def event(
    number: int, hops: int = 1, *, device: int = MOUSE, age_s: float = 1, ran: int = 8
) -> np.void:
    """Of which the first ``ran`` tasks have run."""
    made = np.zeros(1, EVENT)
    made["number"], made["device"], made["nr_hops"] = number, device, hops
    made["began"] = time.monotonic_ns() - int(age_s * S)
    made["hops"]["ran"][0, :ran] = made["began"] + 1
    return made[0]


def chain(record: np.void) -> Chain:
    number, began, hops = (int(record[name]) for name in ("number", "began", "nr_hops"))
    made = (Hop(n, 10 + n, f"t{n}", n and 9 + n, began, began + 1, 0, 5) for n in range(hops))
    return Chain(number, str(record["device"]), "a device", began, tuple(made))


class Kernel:
    """What the pins and maps of input first would say."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.since: int | None = None
        self.events: list[np.void] = []
        self.sums = np.zeros((8, NR_BUCKETS), np.uint64)
        self.opened = self.closed = self.asked_marks = 0
        self.is_used = True
        monkeypatch.setattr(input_first.state, "is_on", lambda: self.since is not None)
        monkeypatch.setattr(input_first.state, "since_ns", lambda: self.since)
        monkeypatch.setattr(input_first.marks, "are_read_by", self._are_read)
        monkeypatch.setattr(input_first, "Chains", self._open)

    def _are_read(self, place: Any) -> bool:
        self.asked_marks += 1
        return self.is_used

    def _open(self) -> Any:
        self.opened += 1

        def close() -> None:
            self.closed += 1

        return SimpleNamespace(
            records=lambda: np.array(self.events, EVENT),
            chain=chain,
            waits=lambda: self.sums.copy(),
            counts=lambda: {"events": len(self.events)},
            close=close,
        )


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


def scheduler() -> Any:
    return SimpleNamespace(place="a place")


def read(reader: InputFirstReader, running: Any = None) -> InputFirst:
    seen = reader.read(running)
    assert seen
    return seen


def test_nothing_is_opened_while_it_is_off(kernel: Kernel) -> None:
    reader = InputFirstReader()
    reader.start()
    assert reader.read(scheduler()) == InputFirst(False)
    assert (kernel.opened, kernel.asked_marks) == (0, 0)


def test_its_maps_are_kept_open_while_it_is_on(kernel: Kernel) -> None:
    reader = InputFirstReader()
    kernel.since = 3 * S
    assert [read(reader).since for _ in range(3)] == [3.0] * 3
    assert kernel.opened == 1
    kernel.since = 4 * S  # it was switched off and on between two looks
    assert read(reader).is_on
    assert (kernel.opened, kernel.closed) == (2, 1)
    kernel.since = None
    assert reader.read(None) == InputFirst(False)
    assert kernel.closed == 2


def test_waits_are_those_of_the_time_between_two_looks(kernel: Kernel) -> None:
    kernel.since = S
    kernel.sums[0, 80] = 7
    reader = InputFirstReader()
    reader.start()
    kernel.sums[0, 80] += 3
    kernel.sums[2, 90] += 1
    waits = read(reader).waits
    assert waits is not None
    assert waits.shape == (3, NR_BUCKETS)
    assert (waits[0, 80], waits[1].sum(), waits[2, 90]) == (3, 0, 1)
    nothing = read(reader).waits
    assert nothing is not None
    assert len(nothing) == 0


def test_what_was_waited_since_it_was_switched_on_is_not_lost(kernel: Kernel) -> None:
    reader = InputFirstReader()
    reader.start()
    kernel.since = S
    kernel.sums[0, 80] = 7
    waits = read(reader).waits
    assert waits is not None
    assert waits[0, 80] == 7


def test_the_longest_finished_chain_of_each_device_is_chosen() -> None:
    events = [
        event(1, 2),
        event(2, 3, age_s=0.9),
        event(3, 3, age_s=0.8),
        event(4, 5, ran=4),
        event(5, 1),
        event(6, 2, device=KEYBOARD, ran=0),
        event(7, 0, device=1),
    ]
    found = chosen(np.array(events, EVENT))
    assert [(each["number"], each["device"]) for each in found] == [(3, MOUSE), (6, KEYBOARD)]
    assert chosen(np.zeros(0, EVENT)) == []


def test_of_a_chain_that_was_too_long_to_remember_the_rest_counts() -> None:
    [found] = chosen(np.array([event(1, 11), event(2, 8, age_s=0.5)], EVENT))
    assert found["number"] == 1


def test_a_chain_is_shown_once_and_again_while_it_went_on(kernel: Kernel) -> None:
    kernel.since = S
    kernel.events = [event(1, 1, age_s=60)]
    reader = InputFirstReader()
    reader.start()
    # One that came before anybody looked is the last event all the same.
    assert [each.number for each in read(reader).chains] == [1]
    assert read(reader).chains == ()
    kernel.events.append(event(2, 1, age_s=0))
    assert [len(each.hops) for each in read(reader).chains] == [1]
    kernel.events[-1] = event(2, 3, age_s=0.5)
    assert [len(each.hops) for each in read(reader).chains] == [3]
    assert read(reader).chains == ()


def test_whether_the_scheduler_uses_it_is_asked_once(kernel: Kernel) -> None:
    kernel.since = S
    reader, one, other = InputFirstReader(), scheduler(), scheduler()
    assert not read(reader, None).is_used
    assert [read(reader, one).is_used for _ in range(3)] == [True] * 3
    kernel.is_used = False
    assert not read(reader, other).is_used
    assert kernel.asked_marks == 2


@pytest.mark.parametrize("error", [NotPermitted("looking"), Gone("it went"), OSError("it went")])
def test_what_cannot_be_told_is_none(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse() -> Any:
        raise error

    reader = InputFirstReader()
    kernel.since = S
    assert read(reader).is_on
    monkeypatch.setattr(input_first.state, "is_on", refuse)
    assert reader.read(None) is None
    assert kernel.closed == 1


# --- what it becomes ---


def seen(on: bool) -> Any:
    machine = MadeUp(2)
    machine.input_first = machine.at if on else None
    snapshot = machine.take()
    assert snapshot
    return snapshot


def test_as_json_it_has_the_forms_of_the_commands() -> None:
    assert seen(False).to_json()["input_first"] == {"on": False}
    assert replace(seen(True), input_first=None).to_json()["input_first"] is None
    said = json.loads(json.dumps(seen(True).to_json()))["input_first"]
    assert set(said) == {"on", "since", "used", "waits", "counts", "chain"}
    assert [each["depth"] for each in said["waits"]] == [0, 1, 2, 3]
    assert said["waits"][0]["samples"] == 900
    assert [hop["comm"] for hop in said["chain"]["hops"]][:2] == ["Xwayland", "kwin_wayland"]


def test_a_line_of_once_tells_it(capsys: pytest.CaptureFixture[str]) -> None:
    cli.show(seen(True))
    out = capsys.readouterr().out
    assert "input first  on, readers waited" in out
    assert "Logitech G502 → Xwayland, kwin_wayland, firefox" in out
    cli.show(seen(False))
    assert "input first  off" in capsys.readouterr().out
    cli.show(replace(seen(False), input_first=None))
    assert "input first" not in capsys.readouterr().out


@pytest.mark.parametrize("on", [True, False])
def test_a_recording_has_it(on: bool) -> None:
    snapshot = seen(on)
    assert same(unpack(pack(snapshot)).input_first, snapshot.input_first)


def test_a_recording_from_before_it_was_there_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from pyloader.view import recording

    without: Callable[..., Any] = recording._plain

    def older(value: Any, arrays: Any, name: str) -> Any:
        made = without(value, arrays, name)
        if not name:
            del made["input_first"]
        return made

    monkeypatch.setattr(recording, "_plain", older)
    again = unpack(pack(seen(True)))
    assert again.input_first is None
    assert again.scheduler.name == "interactive"
