"""Wheels of high resolution, and sideways: what of a turn arrives, in the kernel's own events.

The descriptor is of the form of Microsoft's "Enhanced Wheel Support in Windows Vista": a feature,
Resolution Multiplier, in one logical collection with the wheel that it is about.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.guest.command import done
from tests.guest.evdev import (
    EV_REL,
    REL_HWHEEL,
    REL_HWHEEL_HI_RES,
    REL_WHEEL,
    REL_WHEEL_HI_RES,
    Events,
)
from tests.guest.hid import Plugged, wait_for
from tests.hid_descriptors import (
    COLLECTION,
    END,
    FEATURE,
    INPUT,
    LOGICAL_MAX,
    LOGICAL_MIN,
    PHYSICAL_MAX,
    PHYSICAL_MIN,
    REPORT_COUNT,
    REPORT_ID,
    REPORT_SIZE,
    USAGE,
    USAGE_MAX,
    USAGE_MIN,
    USAGE_PAGE,
    item,
)

FINER = 8  # steps of a wheel to a notch
NOTCH = 120  # of REL_WHEEL_HI_RES
GENERIC, BUTTON, CONSUMER = 1, 9, 0x0C


def wheel_mouse(report_id: int, finer: int = FINER) -> bytes:
    identified = item(REPORT_ID, report_id) if report_id else b""
    return b"".join(
        (
            *(item(USAGE_PAGE, GENERIC), item(USAGE, 2), item(COLLECTION, 1), identified),
            *(item(USAGE, 1), item(COLLECTION, 0)),
            *(item(USAGE_PAGE, BUTTON), item(USAGE_MIN, 1), item(USAGE_MAX, 8)),
            *(item(LOGICAL_MIN, 0), item(LOGICAL_MAX, 1), item(REPORT_SIZE, 1)),
            *(item(REPORT_COUNT, 8), item(INPUT, 2), item(USAGE_PAGE, GENERIC)),
            *(item(USAGE, 0x30), item(USAGE, 0x31), item(LOGICAL_MIN, -127)),
            *(item(LOGICAL_MAX, 127), item(REPORT_SIZE, 8), item(REPORT_COUNT, 2), item(INPUT, 6)),
            one_wheel(GENERIC, 0x38, finer),
            one_wheel(CONSUMER, 0x238, finer),
            *(item(END), item(END)),
        )
    )


def one_wheel(page: int, usage: int, finer: int) -> bytes:
    multiplier = (
        *(item(USAGE_PAGE, GENERIC), item(USAGE, 0x48), item(LOGICAL_MIN, 0)),
        *(item(LOGICAL_MAX, 1), item(PHYSICAL_MIN, 1), item(PHYSICAL_MAX, finer)),
        *(item(REPORT_SIZE, 4), item(REPORT_COUNT, 1), item(FEATURE, 2)),
        *(item(PHYSICAL_MIN, 0), item(PHYSICAL_MAX, 0)),
    )
    return b"".join(
        (
            *(item(COLLECTION, 2), *(multiplier if finer > 1 else ())),
            *(item(USAGE_PAGE, page), item(USAGE, usage, 2), item(LOGICAL_MIN, -127)),
            *(item(LOGICAL_MAX, 127), item(REPORT_SIZE, 8), item(REPORT_COUNT, 1)),
            *(item(INPUT, 6), item(END)),
        )
    )


class Wheels:
    """A mouse whose wheels are turned, and what of it arrives: (notches, 120ths) of each."""

    def __init__(self, plugged: Plugged, events: Events, report_id: int) -> None:
        self.plugged, self._events, self._report_id = plugged, events, report_id

    def turn(self, up: int, right: int = 0, times: int = 1) -> tuple[int, int, int, int]:
        head = bytes([self._report_id]) if self._report_id else b""
        for _ in range(times):
            self.plugged.uhid.send(head + bytes([0, 0, 0, up & 0xFF, right & 0xFF]))
        came = self._events.read()
        codes = (REL_WHEEL, REL_WHEEL_HI_RES, REL_HWHEEL, REL_HWHEEL_HI_RES)
        up_, fine_up, right_, fine_right = (
            sum(e.value for e in came if e.type == EV_REL and e.code == code) for code in codes
        )
        return up_, fine_up, right_, fine_right


@pytest.fixture(params=[0, 5], ids=["plain", "numbered"])
def wheels(request: pytest.FixtureRequest) -> Generator[Wheels]:
    features = {request.param: bytes([request.param, 0] if request.param else [0])}
    with Plugged("A mouse of fine steps", wheel_mouse(request.param), features) as plugged:
        assert plugged.is_bound()
        with Events(plugged) as events:
            made = Wheels(plugged, events, request.param)
            # The kernel switches it on.
            wait_for(lambda: made.turn(1)[1] == NOTCH // FINER)
            made.turn(-1)
            yield made


def attach(plugged: Plugged, *knobs: str) -> None:
    done("hid", "attach", "wheel", "--device", plugged.sysname, *knobs)


def test_fine_steps_are_scaled_and_none_is_lost(wheels: Wheels) -> None:
    assert wheels.turn(1, times=FINER) == (1, NOTCH, 0, 0)
    attach(wheels.plugged, "scale=500", "scale_pan=2000", "invert_pan=on")
    assert wheels.turn(1, times=2 * FINER) == (1, NOTCH, 0, 0)
    assert wheels.turn(-1, times=2 * FINER) == (-1, -NOTCH, 0, 0)
    assert wheels.turn(0, 1, times=FINER) == (0, 0, -2, -2 * NOTCH)
    assert wheels.turn(FINER, FINER) == (0, NOTCH // 2, -2, -2 * NOTCH)
    assert wheels.turn(FINER) == (1, NOTCH // 2, 0, 0)


def test_a_remap_file_scales_them_too(wheels: Wheels, tmp_path: Path) -> None:
    path = tmp_path / "wheel.toml"
    path.write_text("[axes]\nwheel = { scale = -0.5 }\nhwheel = { scale = 3.0 }\n")
    done("hid", "remap", str(path), "--device", wheels.plugged.sysname)
    assert wheels.turn(1, times=2 * FINER) == (-1, -NOTCH, 0, 0)
    assert wheels.turn(-1, times=2 * FINER) == (1, NOTCH, 0, 0)
    assert wheels.turn(0, 1, times=FINER) == (0, 0, 3, 3 * NOTCH)


def test_a_plain_wheel_says_whole_notches() -> None:
    with Plugged("A mouse of notches", wheel_mouse(0, finer=1)) as plugged:
        assert plugged.is_bound()
        with Events(plugged) as events:
            wheels = Wheels(plugged, events, 0)
            assert wheels.turn(1, -1) == (1, NOTCH, -1, -NOTCH)
            attach(plugged, "scale=500", "invert_pan=on")
            assert wheels.turn(1, -1) == (0, 0, 1, NOTCH)
            assert wheels.turn(1, -1) == (1, NOTCH, 1, NOTCH)
            assert wheels.turn(100, 0) == (50, 50 * NOTCH, 0, 0)
