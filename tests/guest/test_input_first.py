"""Input first: who is marked, what it is worth, and that nobody can live on it."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pyloader.input_first import change
from pyloader.input_first.chains import Chains
from pyloader.probes.histogram import percentiles
from tests.guest import kernel
from tests.guest.command import done, scxhid, use
from tests.guest.conftest import OBJECTS
from tests.guest.crowd import run_ns
from tests.guest.hid import Plugged, wait_for
from tests.guest.input_readers import (
    MOVEMENTS,
    chains,
    counts,
    hops_of,
    mark_of,
    move,
    node,
    plugged,
    reader,
    relay,
    waiting,
)
from tests.guest.processes import Child, forked, hogs
from tests.guest.waiting import run_crowd

CPUS = os.cpu_count() or 1
TRIES = 4  # of what the emulator's host may blur by holding one CPU up
EV_KEY, KEY_A = 1, 30  # linux/input-event-codes.h
UI_SET_EVBIT, UI_SET_KEYBIT = 0x40045564, 0x40045565  # linux/uinput.h
UI_DEV_SETUP, UI_DEV_CREATE = 0x405C5503, 0x5501


@pytest.fixture
def mouse() -> Generator[Plugged]:
    with plugged("first", 0x5678) as made:
        yield made


@pytest.fixture
def is_on() -> Generator[None]:
    done("input", "on")
    yield
    done("input", "off")


@pytest.fixture
def pair() -> Generator[Callable[[], tuple[socket.socket, socket.socket]]]:
    """Makes two ends of a socket, which are closed after the test."""
    with ExitStack() as stack:

        def make() -> tuple[socket.socket, socket.socket]:
            one, two = socket.socketpair()
            return stack.enter_context(one), stack.enter_context(two)

        yield make


Pair = Callable[[], tuple[socket.socket, socket.socket]]


# ---- who is marked ----


@pytest.mark.usefixtures("is_on")
def test_whoever_waits_for_a_device_is_marked_in_whatever_way_it_waits(
    mouse: Plugged, pair: Pair
) -> None:
    hidraw = f"/dev/{mouse.device.node.hidraw}"
    with ExitStack() as stack:
        readers = [
            stack.enter_context(waiting(reader(path, way=way), f"{way} {path[-7:]}"))
            for path in (node(mouse), hidraw)
            for way in ("read", "poll", "epoll")
        ]
        bystander = stack.enter_context(waiting(relay(pair()[0]), "bystander"))
        move(mouse, 5, 0.02)
        [*_, last] = chains()
    assert {hop.pid for hop in last.hops} == {each.pid for each in readers}
    assert {(hop.depth, hop.waker) for hop in last.hops} == {(0, 0)}
    assert last.name == "Mouse first"
    assert last.device == "0006:1234:5678"
    assert not hops_of(bystander.pid)


@pytest.mark.usefixtures("is_on")
def test_devices_that_are_not_on_the_hid_bus_count_as_well() -> None:
    """One with the ids of a PS/2 keyboard, made through uinput."""
    nodes = "event*/device/name"

    def is_it(name: Path) -> bool:
        return name.read_text() == "AT keys\n"

    if not Path("/dev/uinput").exists():
        subprocess.run(["modprobe", "uinput"], check=True)
    with open("/dev/uinput", "wb", buffering=0) as keyboard:
        fcntl.ioctl(keyboard, UI_SET_EVBIT, EV_KEY)
        fcntl.ioctl(keyboard, UI_SET_KEYBIT, KEY_A)
        fcntl.ioctl(keyboard, UI_DEV_SETUP, struct.pack("HHHH80sI", 0x11, 1, 2, 1, b"AT keys", 0))
        fcntl.ioctl(keyboard, UI_DEV_CREATE)
        named = wait_for(lambda: next(filter(is_it, Path("/sys/class/input").glob(nodes)), None))
        with waiting(reader(f"/dev/input/{named.parts[-3]}"), "reader") as child:
            keyboard.write(
                b"".join(struct.pack("qqHHi", 0, 0, *e) for e in ((1, KEY_A, 1), (0, 0, 0)))
            )
            time.sleep(0.02)
            [hop] = hops_of(child.pid)
            assert (chains()[-1].device, chains()[-1].name) == ("0011:0001:0002", "AT keys")
    assert (hop.depth, hop.waker) == (0, 0)


@pytest.mark.usefixtures("is_on")
def test_the_chain_tells_who_woke_whom_and_what_each_waited(mouse: Plugged, pair: Pair) -> None:
    use("interactive")
    (to_client, client), (to_third, third) = pair(), pair()
    with ExitStack() as stack:
        last = stack.enter_context(waiting(relay(third), "third"))
        second = stack.enter_context(waiting(relay(client, lambda: to_third.send(b"x")), "client"))
        reads = reader(node(mouse), lambda: to_client.send(b"x"))
        first = stack.enter_context(waiting(reads, "reader"))
        stack.enter_context(hogs())
        move(mouse, 20, 0.02)
        whole = [each for each in chains() if len(each.hops) == 3]
        waits = done("input", "show", "--json").json["waits"]
        said = done("input", "chain").out
    assert len(whole) > 15
    for each in whole:
        assert [hop.pid for hop in each.hops] == [first.pid, second.pid, last.pid]
        assert [hop.waker for hop in each.hops] == [0, first.pid, second.pid]
        assert [hop.depth for hop in each.hops] == [0, 1, 2]
        moments = [each.began_ns, *(t for hop in each.hops for t in (hop.woken_ns, hop.ran_ns))]
        assert moments == sorted(moments)
        assert all(hop.used_ns for hop in each.hops[:2])
    assert [row["depth"] for row in waits][:3] == [0, 1, 2]
    assert min(row["samples"] for row in waits[:3]) > 15
    assert [w.split()[0] for w in said.splitlines()[1:4]] == ["reader", "client", "third"]


@pytest.mark.usefixtures("is_on")
def test_whom_a_timer_wakes_is_not_of_the_chain_that_it_interrupts(mouse: Plugged) -> None:
    def compute() -> None:
        until = time.monotonic_ns() + 4_000_000
        while time.monotonic_ns() < until:
            pass

    def sleep(tell: Callable[[Any], None]) -> None:
        os.sched_setaffinity(0, {0})
        tell("sleeps")
        while True:
            time.sleep(0.0005)

    def pinned(tell: Callable[[Any], None]) -> None:
        os.sched_setaffinity(0, {0})
        reader(node(mouse), compute)(tell)

    with waiting(sleep, "sleeper") as sleeper, waiting(pinned, "reader") as child:
        move(mouse, 20, 0.01)
        assert len(hops_of(child.pid)) > 15
        assert not hops_of(sleeper.pid)


@pytest.mark.usefixtures("is_on")
def test_a_terminal_reaches_its_shell_through_a_thread_of_the_kernel(mouse: Plugged) -> None:
    master, slave = os.openpty()

    def shell(tell: Callable[[Any], None]) -> None:
        tell("ready")
        while os.read(slave, 64):
            pass

    reads = reader(node(mouse), lambda: os.write(master, b"x\n"))
    with waiting(shell, "shell") as end, waiting(reads, "terminal"):
        move(mouse, 10, 0.02)
        found = [each for each in chains() if end.pid in [hop.pid for hop in each.hops]]
        assert found
        thread = found[-1].hops[1]
        assert "kworker" in thread.comm
        assert counts()["kernel_threads"]
        time.sleep(0.02)
        until, _ = mark_of(thread.pid)
        assert until == 0  # it sleeps, and what it does next is for somebody else
    os.close(master)
    os.close(slave)


@pytest.mark.usefixtures("is_on")
def test_a_real_time_reader_is_left_alone_and_its_chain_goes_on(mouse: Plugged, pair: Pair) -> None:
    ours, theirs = pair()

    def real_time(tell: Callable[[Any], None]) -> None:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5))
        reader(node(mouse), lambda: ours.send(b"x"))(tell)

    with waiting(relay(theirs), "client") as client, waiting(real_time, "realtime"):
        move(mouse, 5, 0.02)
        assert counts()["realtime"] >= 5
        assert {hop.depth for hop in hops_of(client.pid)} == {1}


def test_devices_that_do_not_count_wake_nobody_first(mouse: Plugged) -> None:
    def marked() -> tuple[bool, bool]:
        before = len(hops_of(one.pid)), len(hops_of(two.pid))
        move(mouse, 3)
        move(other, 3)
        return len(hops_of(one.pid)) > before[0], len(hops_of(two.pid)) > before[1]

    with ExitStack() as stack:
        other = stack.enter_context(plugged("second", 0x9ABC))
        one = stack.enter_context(waiting(reader(node(mouse)), "one"))
        two = stack.enter_context(waiting(reader(node(other)), "two"))
        done("input", "on", "--not", "mouse second")
        assert marked() == (True, False)
        done("input", "on", "--only", other.sysname)
        assert marked() == (False, True)
        done("input", "on", "depth=2")  # and leaves the devices alone
        assert marked() == (False, True)
        done("input", "on", "--all")
        assert marked() == (True, True)
        told = done("input", "show", "--json").json["devices"]
        assert {d["device"]: (d["name"], d["counts"]) for d in told} == {
            "0006:1234:5678": ("Mouse first", True),
            "0006:1234:9ABC": ("Mouse second", True),
        }
    done("input", "off")


# ---- what it is worth ----


@pytest.mark.parametrize("scheduler", ["interactive", "simple"])
def test_who_is_woken_by_input_goes_before_hogs(mouse: Plugged, scheduler: str) -> None:
    """A reader that computes for so long that no scheduler takes it for an interactive one."""

    def compute() -> None:
        until = time.process_time_ns() + 6_000_000
        while time.process_time_ns() < until:
            pass

    use(scheduler)
    done("input", "on")
    with Chains() as found, waiting(reader(node(mouse), compute), "compositor"):
        for _ in range(TRIES):
            before = found.waits()[0]
            with hogs(3):
                move(mouse, 15, 0.02)
            [p50_ns] = percentiles(found.waits()[0] - before, [50]) or [0]
            if 0 < p50_ns < 1e6:
                break
        else:
            pytest.fail(f"half of the wake-ups by input waited for {p50_ns / 1e6:.1f} ms")
    stat = {"interactive": "input_preempted", "simple": "dispatched_input"}[scheduler]
    assert done("sched", "stats", "--json").json["total"][stat]
    done("input", "off")


def test_a_mark_is_used_up_and_runs_out_also_when_its_giver_is_gone(mouse: Plugged) -> None:
    done("input", "on", "budget_us=20000", "timeout_ms=1000")
    use("interactive")
    with waiting(reader(node(mouse)), "reader") as child:
        began = time.monotonic_ns()
        move(mouse)
        until, runtime_end = mark_of(child.pid)
        assert 0.9e9 < until - began < 1.1e9
        assert 10e6 < runtime_end - run_ns([child.pid]) <= 20e6
        move(mouse, 3)  # it is not added to
        assert mark_of(child.pid)[1] - run_ns([child.pid]) <= 20e6
        done("input", "off")
        move(mouse)
        assert time.monotonic_ns() - mark_of(child.pid)[0] < 1e9  # nothing renews it


@pytest.mark.usefixtures("is_on")
def test_a_reader_of_two_devices_has_no_more_than_one(mouse: Plugged) -> None:
    with plugged("second", 0x9ABC) as other:
        paths = [node(mouse), node(other)]

        def both(tell: Callable[[Any], None]) -> None:
            fds = [os.open(path, os.O_RDONLY) for path in paths]
            tell("opened")
            while True:
                for fd in select.select(fds, [], [])[0]:
                    os.read(fd, 4096)

        with waiting(both, "reader") as child:
            for _ in range(5):
                move(mouse)
                move(other)
            assert mark_of(child.pid)[1] - run_ns([child.pid]) <= 4e6
            assert {chain.name for chain in chains()} == {"Mouse first", "Mouse second"}


# ---- on and off ----


def test_off_leaves_nothing_behind_and_on_again_is_no_error(mouse: Plugged) -> None:
    use("interactive")
    move(mouse)
    before = kernel.settled_bpf_objects()
    assert done("input", "off").out == "input first was off; nothing changed\n"
    assert "interactive runs and looks at marks" in done("input", "on").out
    assert done("input", "on", "budget_us=2000").out.startswith("input first goes on")
    assert done("status", "--json").json["input"]["knobs_changed"] == {"budget_us": 2000}
    assert kernel.settled_bpf_objects() != before
    done("input", "off")
    assert kernel.settled_bpf_objects() == before
    assert not Path("/sys/fs/bpf/scxhid/input").exists()
    assert done("status", "--json").json["input"]["on"] is False


def test_a_killed_command_leaves_it_on_or_off_and_the_next_one_does_its_work() -> None:
    def turn_on() -> None:
        os.setpgid(0, 0)
        scxhid("input", "on")

    for wait_s in (0.1, 0.3, 0.5):
        child = Child(lambda _: turn_on())
        time.sleep(wait_s)
        child.signal(signal.SIGKILL)
        child.wait()
        is_on = done("status", "--json").json["input"]["on"]
        assert done("input", "show", "--json").json["on"] is is_on
        done("input", "on")
        done("input", "off")
        assert not Path("/sys/fs/bpf/scxhid/input").exists()


def test_every_scheduler_shares_the_marks_whichever_was_there_first(mouse: Plugged) -> None:
    use("simple")
    done("input", "on")
    told = [done("input", "on", "--json").json]
    with waiting(reader(node(mouse)), "reader"):
        injector = Child(lambda _: move(mouse, 400, 0.001))  # events are under way meanwhile
        for name in ("interactive", "nest", "simple"):
            use(name)
            told.append(done("input", "on", "--json").json)
        done("sched", "back")
        use("interactive", "--direct")
        told.append(done("input", "on", "--json").json)
        injector.result()
    looks = [(each["scheduler"], each["scheduler_looks"]) for each in told]
    assert looks == [
        *(("simple", True), ("interactive", True), ("nest", False), ("simple", True)),
        ("interactive", True),
    ]
    done("input", "off")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["on", "budget=1"], 2, "no knob is called 'budget'; did you mean budget_us"),
        (["on", "share_pct=99"], 2, "share_pct"),
        (["on", "--only", "no such thing"], 2, "no input device is called 'no such thing'"),
        (["on", "--only", "1:2:3", "--not", "1:2:4"], 2, "either as the only ones"),
        (["set", "depth=1"], 1, "input first is off; `scxhid input on` switches it on"),
        (["chain"], 1, "input first is off; `scxhid input on` switches it on"),
    ],
)
def test_what_cannot_be_done_changes_nothing(words: list[str], status: int, said: str) -> None:
    failed = scxhid("input", *words)
    assert failed.status == status
    [error] = failed.errors
    assert said in error
    assert done("input", "show").out == "input first is off; `scxhid input on` switches it on\n"


def test_only_root_may(mouse: Plugged) -> None:
    def as_nobody() -> tuple[int, str]:
        os.setresuid(65534, 65534, 65534)
        failed = scxhid("input", "on")
        return failed.status, failed.err

    status, said = forked(as_nobody)
    assert status == 4
    assert said.count("\n") == 1


# ---- nobody can live on it ----


@pytest.mark.usefixtures("is_on")
def test_readers_that_never_read_or_that_die_in_a_chain_break_nothing(
    mouse: Plugged, pair: Pair
) -> None:
    def pass_on_and_die() -> None:
        ours.send(b"x")
        os._exit(0)

    use("interactive")
    ours, theirs = pair()
    fd = os.open(node(mouse), os.O_RDONLY)
    with waiting(relay(theirs), "client") as client:
        for _ in range(5):
            with waiting(reader(node(mouse), pass_on_and_die), "reader") as dies:
                move(mouse, 1)
                dies.wait()
        move(mouse, 200, 0)  # more than the buffer of the one that does not read
        assert hops_of(client.pid)
    os.close(fd)
    assert kernel.state() == "enabled"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["interactive", "simple"])
def test_nobody_starves_while_readers_spin_at_every_one_of_8000_reports(
    mouse: Plugged, name: str
) -> None:
    use(name)
    done("input", "on", "budget_us=100000", "share_pct=90")  # as generous as can be
    uhid = mouse.uhid.fileno()
    words = [str(OBJECTS / "flood"), str(uhid), node(mouse), "8000", "3900", "60"]
    command = [*words, *(report.hex() for report in MOVEMENTS)]
    with subprocess.Popen(command, pass_fds=[uhid], stdout=subprocess.DEVNULL) as flood:
        victims = ("hog,nice=19", "sleep", "rare,cpu=0", "pair", "kworker", "yield")
        crowd = run_crowd(2.5, [f"{2 * CPUS}xhog", *victims], CPUS)
        with Chains() as found:
            generous = found.counts()
            change.set_knobs({"share_pct": "5"})
            kernel.wait_for(
                "wake-ups that get no mark",
                lambda: found.counts()["over_share"] > generous["over_share"] + 20,
            )
        flood.terminate()
    assert not crowd.kept_waiting()
    assert not crowd.mistreated()
    assert kernel.state() == "enabled"
    assert generous["reports"] > 300 * CPUS  # more than readers that spin can take
    done("input", "off")
