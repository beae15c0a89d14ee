"""Input latency in ``top``: the moments that it tells against stamps taken around it."""

from __future__ import annotations

import fcntl
import os
import random
import select
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any

import pytest

from pyloader.probes.histogram import percentiles
from pyloader.probes.input import STAGES, DeviceLatency, InputProbe
from tests.guest import kernel
from tests.guest.command import done, use
from tests.guest.conftest import OBJECTS, Program
from tests.guest.hid import Plugged
from tests.guest.hid_reports import mouse_report
from tests.guest.processes import Child
from tests.guest.test_top import CPU, hog
from tests.hid_descriptors import MOUSE

EVIOCGRAB = 0x40044590  # linux/input.h
EVENT_BYTES, PACKET = 24, 3  # a movement along x, one along y, and the end of the packet
REPORTS = 30
TRIES = 6  # of what the emulator's host may blur by holding one CPU up
MOVEMENT = mouse_report(x=1, y=1)


@pytest.fixture
def mouse() -> Generator[Plugged]:
    with plugged("one") as made:
        yield made


@contextmanager
def plugged(name: str) -> Generator[Plugged]:
    with Plugged(f"Mouse {name} of the tests", MOUSE) as made:
        assert made.is_bound()
        made.settle()
        yield made


def node(mouse: Plugged) -> str:
    return next(f"/dev/{node}" for _, _, node in mouse.device.node.inputs if node)


@contextmanager
def reader(*mice: Plugged, packets: int = 0, polls: bool = False) -> Generator[Child]:
    """On CPU; its result are the stamps of so many packets, taken after each read."""
    nodes = [node(each) for each in mice]

    def read(tell: Callable[[Any], None]) -> list[int]:
        os.sched_setaffinity(0, {CPU})
        fds = [os.open(name, os.O_RDONLY) for name in nodes]
        tell("opened")
        stamps: list[int] = []
        while not packets or len(stamps) < packets:
            ready = select.select(fds, [], [])[0] if polls else fds
            for fd in ready:
                os.read(fd, EVENT_BYTES * PACKET)
                stamps.append(time.monotonic_ns())
        return stamps

    child = Child(read)
    try:
        child.hear()
        os.sched_setaffinity(0, {0})
        time.sleep(0.05)
        yield child
    finally:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        child.kill()


def send(mouse: Plugged, count: int, gap_s: float = 0.01) -> list[int]:
    """So many movements; the stamps from before each write."""
    stamps: list[int] = []
    for _ in range(count):
        time.sleep(random.uniform(0.5, 1.5) * gap_s)
        stamps.append(time.monotonic_ns())
        mouse.uhid.send(MOVEMENT)
    return stamps


def settled(probe: InputProbe, mouse: Plugged) -> DeviceLatency:
    time.sleep(0.1)
    return probe.read()[mouse.sysname]


def p50_ms(counts: Any) -> float:
    return (percentiles(counts, [50]) or [0.0])[0] / 1e6


def stamped_ns(mouse: Plugged, count: int, gap_us: int) -> tuple[float, float]:
    """The medians of so many movements from right before each write to right after its read, and
    of a call of the kernel in which nothing happens (``workloads/report_latency``)."""
    uhid = mouse.uhid.fileno()
    command = [str(OBJECTS / "report_latency"), str(uhid), node(mouse), str(count), str(gap_us)]
    reports = [MOVEMENT.hex(), mouse_report(x=2, y=2).hex()]
    said = subprocess.run([*command, *reports], check=True, stdout=-1, pass_fds=[uhid]).stdout
    pairs = [tuple(map(int, line.split())) for line in said.splitlines()]
    latencies, calls = zip(*pairs, strict=True)
    return median(latencies), median(calls)


def through(probe: InputProbe, mouse: Plugged, gap_s: float = 0.01) -> tuple[DeviceLatency, float]:
    """What the probe saw of REPORTS movements, and the median that the reader saw, in ms."""
    before = probe.read().get(mouse.sysname)
    with reader(mouse, packets=REPORTS) as child:
        sent = send(mouse, REPORTS, gap_s)
        got = child.result()
    times = [read - written for written, read in zip(sent, got, strict=True)]
    return settled(probe, mouse).since(before), median(times) / 1e6


@pytest.mark.smoke
def test_every_report_is_told_once_by_all_its_stages(mouse: Plugged) -> None:
    with InputProbe() as probe:
        seen, p50 = through(probe, mouse)
    assert (seen.device, seen.name) == (mouse.sysname, mouse.device.name)
    assert (seen.reports, seen.events) == (REPORTS, REPORTS * PACKET)
    assert (seen.coalesced, seen.dropped, seen.unread) == (0, 0, 0)
    assert seen.total.sum() == REPORTS
    assert seen.stages.sum(axis=1) == pytest.approx(REPORTS, abs=2)
    assert 0 < p50_ms(seen.total) < p50  # the stamps lie around it


def test_short_latencies_are_those_of_stamps_around_them(mouse: Plugged) -> None:
    """Less a call of the kernel, of which one half is before the report and the other after it."""
    for _ in range(TRIES):
        with InputProbe() as probe:
            stamped, call = stamped_ns(mouse, 400, 3000)
            seen = settled(probe, mouse)
        assert (seen.reports, seen.total.sum(), seen.coalesced) == (400, 400, 0)
        told = p50_ms(seen.total) * 1e6
        assert told < stamped
        if told + call == pytest.approx(stamped, rel=0.05):
            return
    pytest.fail(f"{told:.0f} ns were told, {stamped:.0f} stamped; a call takes {call:.0f}")


def test_from_a_millisecond_on_they_are_those_of_the_stamps_themselves(
    mouse: Plugged, program: Program
) -> None:
    """Latencies spread over many buckets of the histogram."""
    burns = program("hid_burns")
    done("hid", "attach", burns, "--device", mouse.sysname, "burn_us=500", "spread_us=1000")
    for _ in range(TRIES):
        with InputProbe() as probe:
            stamped, _ = stamped_ns(mouse, 400, 3000)
            seen = settled(probe, mouse)
        told = p50_ms(seen.total) * 1e6
        if told == pytest.approx(stamped, rel=0.05):
            return
    pytest.fail(f"{told:.0f} ns were told, {stamped:.0f} stamped")


def test_a_slow_program_shows_in_its_own_stage(mouse: Plugged, program: Program) -> None:
    """And the whole is what the reader saw, beside which the time to take stamps is little."""
    with InputProbe() as probe:
        plain, _ = through(probe, mouse)
        burns = program("hid_burns")
        done("hid", "attach", burns, "--device", mouse.sysname, "burn_us=20000")
        slow, p50 = through(probe, mouse, 0.04)
    assert p50_ms(slow.total) == pytest.approx(p50, rel=0.05)
    medians = {name: p50_ms(counts) for name, counts in zip(STAGES, slow.stages, strict=True)}
    assert medians.pop("fixups") == pytest.approx(20, rel=0.1)
    before = {name: p50_ms(counts) for name, counts in zip(STAGES, plain.stages, strict=True)}
    assert all(value < before[name] + 2 for name, value in medians.items()), (before, medians)


def test_a_reader_behind_a_hog_shows_as_waiting(mouse: Plugged, simple: str) -> None:
    use(simple, "slice_us=20ms")
    for _ in range(TRIES):
        with InputProbe() as probe, hog():
            seen, p50 = through(probe, mouse, 0.08)
        medians = {name: p50_ms(counts) for name, counts in zip(STAGES, seen.stages, strict=True)}
        # Times lie far apart here, and a bucket is an eighth of them wide.
        if p50_ms(seen.total) == pytest.approx(p50, rel=0.2) and medians["wait"] > 0.8 * p50:
            break
    else:
        pytest.fail(f"{p50:.1f} ms, and told are {p50_ms(seen.total):.1f} and {medians}")
    medians.pop("wait")
    assert all(value < 3 for value in medians.values()), medians


def test_devices_and_readers_keep_apart(mouse: Plugged) -> None:
    """Two mice with a reader each, one more reader of the first, and one of both that polls."""
    with ExitStack() as stack:
        other = stack.enter_context(plugged("two"))
        probe = stack.enter_context(InputProbe())
        for mice in ((mouse,), (mouse,), (other,)):
            stack.enter_context(reader(*mice))
        stack.enter_context(reader(mouse, other, polls=True))
        for _ in range(20):
            send(mouse, 1)
            send(other, 2, 0.03)
        one, two = settled(probe, mouse), settled(probe, other)
    assert (one.reports, two.reports) == (20, 40)
    assert (one.events, two.events) == (20 * PACKET * 3, 40 * PACKET * 2)
    assert (one.total.sum() + one.coalesced, two.total.sum() + two.coalesced) == (60, 80)
    assert one.unread == two.unread == 0


def test_what_is_not_read_at_once_is_counted(mouse: Plugged) -> None:
    fd = os.open(node(mouse), os.O_RDONLY | os.O_NONBLOCK)
    with InputProbe() as probe:
        send(mouse, 5, 0)
        assert len(os.read(fd, EVENT_BYTES)) == EVENT_BYTES  # of the first only
        seen = settled(probe, mouse)
        assert (seen.reports, seen.coalesced, seen.dropped) == (5, 4, 0)
        assert seen.total.sum() == 1
        assert not seen.stages[STAGES.index("wake") : STAGES.index("read")].any()  # it was awake
        os.read(fd, EVENT_BYTES * 64)
        send(mouse, 200, 0)  # more than the 512 events that fit
        seen = settled(probe, mouse)
        assert 500 <= seen.dropped <= 512
        os.read(fd, EVENT_BYTES * 64)
        assert settled(probe, mouse).total.sum() == 2
        os.close(fd)
        before = settled(probe, mouse)
        send(mouse, 3, 0)
        assert settled(probe, mouse).since(before).unread == 3


def test_only_the_reader_that_grabs_the_device_is_told(mouse: Plugged) -> None:
    with ExitStack() as stack:
        probe = stack.enter_context(InputProbe())
        fds = [os.open(node(mouse), os.O_RDONLY | os.O_NONBLOCK) for _ in range(2)]
        for fd in fds:
            stack.callback(os.close, fd)
        grabs, other = fds
        fcntl.ioctl(grabs, EVIOCGRAB, 1)
        for _ in range(5):
            send(mouse, 1, 0)
            assert len(os.read(grabs, EVENT_BYTES * 64)) == EVENT_BYTES * PACKET
        with pytest.raises(BlockingIOError):
            os.read(other, EVENT_BYTES)
        grabbed = settled(probe, mouse)
        assert (grabbed.reports, grabbed.events, grabbed.total.sum()) == (5, 5 * PACKET, 5)
        assert (grabbed.coalesced, grabbed.unread, probe.readers()) == (0, 0, 1)
        fcntl.ioctl(grabs, EVIOCGRAB, 0)
        send(mouse, 1, 0)
        for fd in fds:
            assert len(os.read(fd, EVENT_BYTES * 64)) == EVENT_BYTES * PACKET
        both = settled(probe, mouse).since(grabbed)
        assert (both.reports, both.events, both.total.sum()) == (1, 2 * PACKET, 2)


def test_a_reader_that_never_reads_does_not_blur_another(mouse: Plugged) -> None:
    with InputProbe() as probe:
        reads, never = (os.open(node(mouse), os.O_RDONLY | os.O_NONBLOCK) for _ in range(2))
        for _ in range(20):
            send(mouse, 1, 0)
            assert len(os.read(reads, EVENT_BYTES * 64)) == EVENT_BYTES * PACKET
        seen = settled(probe, mouse)
        os.close(never)
        os.close(reads)
        assert (seen.reports, seen.events, seen.total.sum()) == (20, 2 * 20 * PACKET, 20)
        assert (seen.coalesced, seen.dropped, seen.unread) == (19, 0, 0)
        assert probe.readers() == 0
        assert settled(probe, mouse).total.sum() == 20  # what was never read has no latency


def test_a_reader_that_is_killed_leaves_nothing(mouse: Plugged) -> None:
    before = kernel.settled_bpf_objects()
    with InputProbe() as probe:
        with reader(mouse) as child:
            send(mouse, 3)
            child.signal(19)  # SIGSTOP: it has read some, and not the next
            send(mouse, 3)
            assert probe.readers() == 1
            child.kill()
        assert probe.readers() == 0
        assert settled(probe, mouse).total.sum() == 3
    del probe  # its variables are mapped for as long as somebody may look at them
    assert kernel.settled_bpf_objects() == before


@pytest.mark.smoke
def test_the_command_tells_it(mouse: Plugged) -> None:
    with reader(mouse):
        child = Child(lambda tell: send(mouse, 1_000_000, 0.02))
        said = done("top", "--once", "--for", "1", "--json").json
        text = done("top", "--once", "--for", "0.5").out
        child.kill()
    [device] = said["devices"]
    assert device["device"] == mouse.sysname
    assert device["total"]["p50_us"] > 0
    assert list(device["stages"]) == list(STAGES)
    assert said["missing"] == []
    assert "Mouse one of the tests" in text
    assert "Not measured: the device's firmware" in text
