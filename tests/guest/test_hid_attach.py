"""Programs on devices: attached, tuned, replaced, taken off, and nothing left behind."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from pyloader import ObjectSpec
from pyloader.catalog import hid_programs
from pyloader.hid.descriptor import extract
from pyloader.hid.parser import parse
from tests.guest.command import done, scxhid
from tests.guest.conftest import Program
from tests.guest.hid import Plugged, wait_for
from tests.guest.hid_reports import mouse_report, reader, signed, through
from tests.guest.steps import killed_before, steps_of, worth_killing
from tests.hid_descriptors import KEYBOARD, MOUSE, stick

PINS = Path("/sys/fs/bpf/scxhid/hid")


@pytest.fixture
def mouse() -> Generator[Plugged]:
    with Plugged("A mouse of the tests", MOUSE) as plugged:
        assert plugged.is_bound()
        yield plugged


def moved(plugged: Plugged, fd: int, x: int, y: int) -> tuple[int, int]:
    out = through(plugged, fd, mouse_report(0, x, y))
    return signed(out[1]), signed(out[2])


def test_movements_are_scaled_and_none_is_lost(mouse: Plugged) -> None:
    said = done("hid", "attach", "axes", "--device", mouse.sysname, "scale_x=1500", "invert_y=on")
    assert f"axes attached to {mouse.sysname} (A mouse of the tests): loaded" in said.out
    with reader(mouse) as fd:
        assert moved(mouse, fd, 10, 5) == (15, -5)
        assert [moved(mouse, fd, 1, 0)[0] for _ in range(6)] == [1, 2, 1, 2, 1, 2]
        assert [moved(mouse, fd, -1, 0)[0] for _ in range(4)] == [-1, -2, -1, -2]
        assert moved(mouse, fd, 127, 0)[0] == 127  # the end of what a report can hold
        assert done("hid", "stats", mouse.sysname, "axes", "--json").json["cut"] == 1


def test_knobs_are_turned_while_it_works(mouse: Plugged) -> None:
    done("hid", "attach", "axes", "--device", mouse.sysname)
    with reader(mouse) as fd:
        assert moved(mouse, fd, 100, -100) == (100, -100)
        said = done("hid", "set", mouse.sysname, "axes", "scale_x=500", "scale_y=250").out
        assert said == "scale_x: 1000 → 500\nscale_y: 1000 → 250\n"
        assert moved(mouse, fd, 100, -100) == (50, -25)
    found = done("hid", "knobs", mouse.sysname, "axes", "--json").json
    assert (found["scale_x"]["value"], found["scale_x"]["default"]) == (500, 1000)
    [row] = done("status", "--json").json["hid"]
    assert row["device"] == mouse.sysname
    assert row["knobs_changed"] == {"scale_x": 500, "scale_y": 250}
    assert f"HID        axes on {mouse.sysname}" in done("status").out
    refused = scxhid("hid", "set", mouse.sysname, "axes", "scale_x=100001", "scale_y=1")
    assert refused.status == 2
    assert done("hid", "knobs", mouse.sysname, "axes", "--json").json["scale_y"]["value"] == 250


@pytest.mark.parametrize(("size", "low", "high"), [(8, 0, 255), (8, -127, 127), (10, 0, 1023)])
@pytest.mark.parametrize("report_id", [0, 3])
def test_a_stick_keeps_its_centre_and_its_ends(
    size: int, low: int, high: int, report_id: int
) -> None:
    rdesc = stick(size, low, high, report_id)
    axes = parse(rdesc).fields("input")[2]
    centre = high - (high - low) // 2

    def report(value: int) -> bytes:
        bits = 0b101 | (value & (1 << size) - 1) << 8
        return (bytes([report_id]) if report_id else b"") + bits.to_bytes(
            1 + size * 4 // 8, "little"
        )

    with Plugged("A stick", rdesc) as plugged:
        assert plugged.is_bound()
        done("hid", "attach", "axes", "--device", plugged.sysname)
        with reader(plugged) as fd:

            def x_of(value: int) -> int:
                out = through(plugged, fd, report(value))
                payload = out[1:] if report_id else out
                assert payload[0] == 0b101, "the buttons changed"
                return extract(axes, payload, 0)

            steps = range(low, high + 1, max(1, (high - low) // 64))
            assert [x_of(v) for v in steps] == list(steps)
            done("hid", "set", plugged.sysname, "axes", "dead_zone=200", "curve=50")
            bent = [x_of(v) for v in steps]
            assert bent == sorted(bent)
            assert (x_of(low), x_of(centre), x_of(high)) == (low, centre, high)
            near = (high - low) // 2 * 19 // 100
            assert (x_of(centre + near), x_of(centre - near)) == (centre, centre)
            half = centre + (high - low) * 3 // 10
            assert centre < x_of(half) < half
            done("hid", "set", plugged.sysname, "axes", "dead_zone=0", "curve=0", "invert_x=on")
            assert [x_of(v) for v in (centre, high)] == [centre, low]


def test_the_same_again_replaces_it(mouse: Plugged) -> None:
    done("hid", "attach", "axes", "--device", mouse.sysname, "scale_x=3000")
    said = done("hid", "attach", "axes", "--device", mouse.sysname, "scale_x=2000", "--json").json
    assert said["replaced"]
    with reader(mouse) as fd:
        assert moved(mouse, fd, 10, 0) == (20, 0)
    assert len(done("hid", "info", mouse.sysname, "--json").json["programs"]) == 1


def test_off_it_leaves_nothing(mouse: Plugged) -> None:
    done("hid", "attach", "axes", "--device", mouse.sysname, "scale_x=2000")
    [row] = [
        d for d in done("hid", "list", "--json").json["devices"] if d["device"] == mouse.sysname
    ]
    assert [(p["name"], p["tool"]) for p in row["programs"]] == [("axes", "scxhid")]
    assert done("hid", "detach", mouse.sysname).out.startswith("axes off")
    assert list(PINS.iterdir()) == []
    with reader(mouse) as fd:
        assert moved(mouse, fd, 10, 0) == (10, 0)
    assert "nothing changed" in done("hid", "detach", mouse.sysname).out
    gone = scxhid("hid", "detach", mouse.sysname, "axes")
    assert (gone.status, gone.out) == (2, "")


def test_a_device_that_has_none_of_it_is_refused() -> None:
    with Plugged("A keyboard", KEYBOARD) as keyboard:
        assert keyboard.is_bound()
        refused = scxhid("hid", "attach", "axes", "--device", keyboard.sysname)
        assert refused.status == 2
        assert "has nothing that axes works on (x, y, rx, ry)" in refused.err
        assert not PINS.exists() or list(PINS.iterdir()) == []


def test_wrong_uses_say_what_is_wrong(mouse: Plugged, program: Program, simple: str) -> None:
    scheduler = scxhid("hid", "attach", simple, "--device", mouse.sysname)
    assert scheduler.status == 1
    assert "is not a program set for hid_bpf_ops" in scheduler.err
    assert scxhid("hid", "attach", "axes", "--device", "nobody").status == 2
    assert scxhid("hid", "attach", "axes", "--device", mouse.sysname, "scale=1").status == 2
    assert scxhid("hid", "set", mouse.sysname, "axes", "scale_x=1").status == 2
    assert scxhid("hid", "attach", "/absent.bpf.c", "--device", mouse.sysname).status == 1


def test_one_fixup_of_the_descriptor_and_no_second(mouse: Plugged, program: Program) -> None:
    path = program("hid_fixup")
    done("hid", "attach", path, "--device", mouse.sysname)
    found = done("hid", "info", mouse.sysname, "--json").json
    assert found["descriptor"]["collections"][0]["name"] == "Joystick"
    assert done("hid", "attach", path, "--device", mouse.sysname, "--json").json["replaced"]
    done("hid", "detach", mouse.sysname, "hid_fixup")
    assert mouse.device.rdesc == MOUSE
    spec = ObjectSpec.open(path)
    with spec.load(fields={"fixup": {"hid_id": mouse.device.number}}) as loaded:
        loaded.attach("fixup")
        wait_for(lambda: mouse.device.node.is_bound)
        refused = scxhid("hid", "attach", path, "--device", mouse.sysname)
        assert refused.status == 1
        assert "has a program that rewrites its report descriptor, fixup, held by" in refused.err
    wait_for(lambda: mouse.device.rdesc == MOUSE and mouse.device.node.is_bound)


def test_pins_of_a_device_that_is_gone_are_dropped(mouse: Plugged) -> None:
    with Plugged("Another", MOUSE) as other:
        assert other.is_bound()
        done("hid", "attach", "axes", "--device", other.sysname)
    assert [p.name for p in PINS.iterdir()] == [other.sysname.replace(":", "_").replace(".", "_")]
    assert done("status", "--json").json["hid"] == []
    done("hid", "attach", "axes", "--device", mouse.sysname)
    assert [p.name for p in PINS.iterdir()] == [mouse.sysname.replace(":", "_").replace(".", "_")]
    done("hid", "detach", mouse.sysname)


ATTACH, REPLACE, DETACH = "attach", "replace", "detach"


@pytest.mark.parametrize(
    "what", [ATTACH, *(pytest.param(other, marks=pytest.mark.slow) for other in (REPLACE, DETACH))]
)
def test_killed_at_any_step_it_works_or_it_does_not(mouse: Plugged, what: str) -> None:
    """Killed before each step: movements are as before or as after, and the next command works."""
    attach = ("hid", "attach", "axes", "--device", mouse.sysname)
    command = ("hid", "detach", mouse.sysname) if what == DETACH else (*attach, "scale_x=3000")
    allowed = {ATTACH: {10, 30}, REPLACE: {20, 10, 30}, DETACH: {20, 10}}[what]

    def prepare() -> None:
        done("hid", "detach", mouse.sysname)
        if what != ATTACH:
            done(*attach, "scale_x=2000")

    prepare()
    steps = steps_of(*command)
    assert "rename" in steps or what == DETACH
    for number in worth_killing(steps):
        prepare()
        assert killed_before(number, *command), f"{steps[number]} was not reached"
        with reader(mouse) as fd:
            x = moved(mouse, fd, 10, 0)[0]
            assert x in allowed, f"after {steps[:number]}"
            done(*attach, "scale_x=1500")
            assert moved(mouse, fd, 10, 0)[0] == 15
            on = done("hid", "info", mouse.sysname, "--json").json["programs"]
            assert [each["name"] for each in on] == ["axes"], f"after {steps[:number]}"
        done("hid", "detach", mouse.sysname)
        assert list(PINS.iterdir()) == []


@pytest.mark.parametrize("program", sorted(hid_programs()))
def test_each_can_be_checked_without_a_device(program: str) -> None:
    assert done("check", program, "--json").json["ok"]
