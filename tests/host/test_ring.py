"""Ring buffers: samples in order, in batches, none lost and none twice."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pytest

from pyloader.errors import Gone, LoadError
from pyloader.maps import RingReader
from pyloader.object import BpfObject

pytestmark = pytest.mark.host

Load = Callable[..., BpfObject]


class Events(NamedTuple):
    loaded: BpfObject
    ring: RingReader

    def emit(self, count: int) -> tuple[int, int]:
        """Let the program send ``count`` events; how many went in and how many found no room."""
        args = bytearray(count.to_bytes(4, "little") + bytes(8))
        assert self.loaded.run("emit", args) == 0
        sent, dropped = int.from_bytes(args[4:8], "little"), int.from_bytes(args[8:], "little")
        return sent, dropped


@pytest.fixture
def events(load: Load) -> Iterator[Events]:
    loaded = load("ringbuf", values={"target_tgid": os.getpid()})
    event = loaded.spec.variables["event__type"].type
    with loaded.maps["events"].ring(event) as ring:
        yield Events(loaded, ring)


def test_samples_have_the_fields_of_their_struct(events: Events) -> None:
    began = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    assert events.emit(3) == (3, 0)
    read = events.ring.read()
    assert read.shape == (3,)
    assert read["seq"].tolist() == [0, 1, 2]
    assert read["delta"].tolist() == [0, -1, -2]
    assert read["last"].tolist() == [False, False, True]
    assert read["syscall"].tolist() == [-1, -1, -1]
    assert set(read["tgid"].tolist()) == {os.getpid()}
    assert (np.diff(read["time_ns"].astype("i8")) >= 0).all()
    assert read["time_ns"][0] >= began


def test_empty_ring_gives_an_empty_array_at_once(events: Events) -> None:
    started = time.monotonic()
    assert events.ring.read().shape == (0,)
    assert time.monotonic() - started < 0.5


def test_backlog_larger_than_a_batch_comes_in_order_and_whole(events: Events) -> None:
    assert events.emit(1000) == (1000, 0)
    batches: list[int] = []
    seen: list[int] = []
    while len(batch := events.ring.read(capacity=77)):
        batches.append(len(batch))
        seen += batch["seq"].tolist()
    assert seen == list(range(1000))
    assert batches == [77] * 12 + [1000 - 12 * 77]


def test_batch_of_exactly_the_backlog_leaves_nothing(events: Events) -> None:
    events.emit(64)
    assert len(events.ring.read(capacity=64)) == 64
    assert len(events.ring.read(capacity=64)) == 0


def test_batches_do_not_share_memory(events: Events) -> None:
    events.emit(2)
    first = events.ring.read(capacity=1)
    second = events.ring.read(capacity=1)
    assert (first["seq"][0], second["seq"][0]) == (0, 1)


def test_full_ring_keeps_the_oldest_and_counts_the_lost(events: Events) -> None:
    sent, dropped = events.emit(20_000)
    assert sent + dropped == 20_000
    assert dropped > 0
    assert len(events.ring.read(capacity=10)) == 10
    rest = events.ring.read(capacity=20_000)
    assert rest["seq"].tolist() == list(range(10, sent))
    counted = events.loaded.maps["stats"].read()["v"].sum(axis=(0, 1))
    assert counted[events.loaded.spec.stats["dropped"].index] == dropped
    assert events.emit(5) == (5, 0)  # there is room again


def test_waiting_ends_when_the_time_is_over(events: Events) -> None:
    started = time.monotonic()
    assert len(events.ring.read(timeout_ms=150)) == 0
    assert 0.1 < time.monotonic() - started < 2


def test_waiting_ends_when_a_sample_comes(events: Events) -> None:
    sender = threading.Timer(0.1, events.emit, [1])
    sender.start()
    started = time.monotonic()
    read = events.ring.read(timeout_ms=10_000)
    sender.join()
    assert len(read) == 1
    assert time.monotonic() - started < 5


def test_descriptor_polls_readable_while_samples_wait(events: Events) -> None:
    poll = select.poll()
    poll.register(events.ring.fileno(), select.POLLIN)
    assert poll.poll(0) == []
    events.emit(1)
    assert poll.poll(1000)
    events.ring.read()
    assert poll.poll(0) == []


def test_attached_program_sends_an_event_for_each_system_call(events: Events) -> None:
    events.loaded.attach("watch_syscalls")
    for _ in range(50):
        os.getppid()
    calls = events.ring.read()["syscall"].tolist()
    getppid = 110 if os.uname().machine == "x86_64" else 173
    assert calls.count(getppid) == 50


WORDS = [("a", "u8"), ("b", "u8")]


@pytest.fixture
def odd_ring(load: Load) -> RingReader:
    loaded = load("host_maps")
    loaded.run("emit_odd_sizes")
    return loaded.maps["odd_events"].ring(np.dtype(WORDS))


def test_samples_of_other_sizes_are_cut_or_padded_and_counted(odd_ring: RingReader) -> None:
    assert odd_ring.read().tolist() == [(1, 0), (1, 2), (1, 2), (1, 2)]
    assert odd_ring.odd_sizes == 2


def test_odd_samples_count_against_the_batch(odd_ring: RingReader) -> None:
    assert odd_ring.read(capacity=1).tolist() == [(1, 0)]
    assert odd_ring.odd_sizes == 1
    assert len(odd_ring.read(capacity=3)) == 3
    assert odd_ring.odd_sizes == 2


@pytest.mark.parametrize("capacity", [0, -1])
def test_batch_without_room_is_refused(capacity: int, events: Events) -> None:
    events.emit(1)
    with pytest.raises(ValueError, match=r"at least one sample|negative"):
        events.ring.read(capacity)
    assert len(events.ring.read()) == 1


def test_closed_ring_is_gone(events: Events) -> None:
    events.ring.close()
    events.ring.close()
    with pytest.raises(Gone, match="the ring buffer is closed"):
        events.ring.read()
    with pytest.raises(Gone, match="the ring buffer is closed"):
        events.ring.fileno()


def test_ring_cannot_be_read_like_a_map(events: Events) -> None:
    with pytest.raises(LoadError, match=r"map events \(ringbuf\) cannot be read"):
        events.loaded.maps["events"].read()
