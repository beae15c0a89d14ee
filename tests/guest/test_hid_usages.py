"""``usages``: a device calls something by another name, until the program is taken off."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.guest.command import done, scxhid
from tests.guest.hid import Plugged
from tests.hid_descriptors import USAGE, item, stick

X, Z, RX, VOLUME_UP = 0x00010030, 0x00010032, 0x00010033, 0x000C00E9
WIDE = stick(8, 0, 255).replace(item(USAGE, 0x33), item(USAGE, RX, 4))


@pytest.fixture(params=[0, 3], ids=["unnumbered", "numbered"])
def pad(request: pytest.FixtureRequest) -> Generator[Plugged]:
    with Plugged("A pad of the tests", stick(8, 0, 255, request.param)) as plugged:
        assert plugged.is_bound()
        yield plugged


def test_an_axis_is_called_another(pad: Plugged) -> None:
    before = pad.device.rdesc
    assert {X, RX} <= pad.device.descriptor.usages()
    done("hid", "attach", "usages", "--device", pad.sysname, f"from={RX}", f"to={Z}")
    found = pad.device
    assert found.rdesc == before.replace(item(USAGE, 0x33), item(USAGE, 0x32))
    assert Z in found.descriptor.usages()
    assert RX not in found.descriptor.usages()
    # Another pair in its place: the knobs are those of a fresh copy.
    done("hid", "set", pad.sysname, "usages", f"from={X}", f"to={RX}")
    assert pad.device.rdesc == before.replace(item(USAGE, 0x30), item(USAGE, 0x33))
    done("hid", "detach", pad.sysname)
    assert pad.device.rdesc == before


def test_another_page_needs_an_item_that_has_one(pad: Plugged) -> None:
    other_page = (f"from={RX}", f"to={VOLUME_UP}")
    refused = scxhid("hid", "attach", "usages", "--device", pad.sysname, *other_page)
    assert refused.status == 1
    assert "usages itself refuses" in refused.err
    with Plugged("A wide one", WIDE) as wide:
        assert wide.is_bound()
        done("hid", "attach", "usages", "--device", wide.sysname, *other_page)
        assert VOLUME_UP in wide.device.descriptor.usages()


def test_what_is_not_declared_is_not_replaced(pad: Plugged) -> None:
    before = pad.device.rdesc
    refused = scxhid("hid", "attach", "usages", "--device", pad.sysname, f"from={Z}", f"to={X}")
    assert refused.status == 1
    assert pad.device.rdesc == before
