"""Each object of udev-hid-bpf as it is does for its device what it is for, and leaves nothing."""

from __future__ import annotations

from typing import Any

import pytest

from pyloader import ObjectSpec
from pyloader.hid import udev
from tests.guest import fixups, replays
from tests.guest.command import done
from tests.guest.hid import Plugged
from tests.guest.replays import Replay

pytestmark = pytest.mark.skipif(
    not fixups.ROOT.is_dir(), reason="Debian's package udev-hid-bpf could not be fetched"
)

WITH_OPS = fixups.with_ops()


def declared(plugged: Plugged, replay: Replay) -> dict[str, tuple[int, int]]:
    """The logical ranges of the usages that the replay names."""
    if not replay.declared:
        return {}
    descriptor: Any = done("hid", "info", plugged.sysname, "--json").json["descriptor"]
    return {
        name: tuple(field["logical"])
        for report in descriptor["reports"]
        for field in report["fields"]
        for usages in field["usages"]
        for name in replay.declared.keys() & {*usages["names"]}
    }


#: One in three; the others are of the same kind, and run with ``-m slow``.
IN_TURN = [
    pytest.param(name, marks=[pytest.mark.slow] if number % 3 else [])
    for number, name in enumerate(name for name in WITH_OPS if not replays.of(name).unseen)
]


@pytest.mark.parametrize("name", IN_TURN)
def test_each_does_what_it_is_for_and_is_taken_off_without_a_trace(name: str) -> None:
    replay = replays.of(name)
    with fixups.plug(name) as plugged:
        assert plugged.is_bound()
        assert replays.played(plugged, replay) == replay.without
        assert declared(plugged, replay) == {u: r[0] for u, r in replay.declared.items()}
        before = plugged.device

        force = ("--force",) if name == fixups.WRONG_GROUP else ()
        said = fixups.attach(str(fixups.path_of(name)), plugged, *force)
        assert (said["program"], said["replaced"]) == (name, False)
        [ops] = ObjectSpec.open(fixups.path_of(name)).ops.values()
        assert ops.name in fixups.pins(plugged)[f"{name}_bpf"]
        [row] = done("hid", "info", plugged.sysname, "--json").json["programs"]
        assert (row["name"], row["tool"]) == (name, "udev-hid-bpf")
        assert replays.played(plugged, replay) == replay.attached
        assert declared(plugged, replay) == {u: r[1] for u, r in replay.declared.items()}

        assert done("hid", "detach", plugged.sysname, name).out.startswith(f"{name} off")
        after = plugged.device
        assert after.rdesc == before.rdesc
        assert (after.name, after.node.phys, after.node.uniq) == (
            before.name,
            before.node.phys,
            before.node.uniq,
        )
        assert fixups.pins(plugged) == {}
        assert not fixups.STAGE.exists()
        assert replays.played(plugged, replay) == replay.without


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "replay"), [(name, other) for name in WITH_OPS for other in replays.others(name)]
)
def test_it_does_what_it_is_for_on_other_interfaces(name: str, replay: Replay) -> None:
    with fixups.plug(name, replay) as plugged:
        assert plugged.is_bound()
        assert replays.played(plugged, replay) == replay.without
        assert declared(plugged, replay) == {u: r[0] for u, r in replay.declared.items()}
        fixups.attach(str(fixups.path_of(name)), plugged)
        assert replays.played(plugged, replay) == replay.attached
        assert declared(plugged, replay) == {u: r[1] for u, r in replay.declared.items()}


def test_there_are_as_many_as_the_package_is_known_to_have() -> None:
    assert len(WITH_OPS) >= 29


def test_of_each_is_said_what_it_is_for() -> None:
    new = [p for p in fixups.objects() if not udev.is_of_old_form(ObjectSpec.open(p))]
    names = {path.name.removesuffix(".bpf.o").partition("-")[2] for path in new}
    assert names == replays.replays().keys()
