"""The places in the BPF file system: their names follow what runs."""

from __future__ import annotations

from contextlib import suppress

from pyloader import bpffs, keep
from pyloader.bpffs import Place
from pyloader.errors import ScxhidError
from pyloader.hosted import NO_SLOT, Host


def become_current(new: Place) -> None:
    """The last step of a change: what ran is the previous one now."""
    old = bpffs.current()
    if old.exists():
        old.unpin_link()
        _replace_previous(old)
    new.move_to(bpffs.current())


def retire(running: Place) -> None:
    """What was taken off is the previous one from now on."""
    running.unpin_link()
    _replace_previous(running)


def forget_copies() -> None:
    """Drop the copies of objects that are no longer loaded."""
    places = (bpffs.current(), bpffs.previous(), bpffs.upcoming(), *bpffs.all_hid_places())
    keep.forget_all_but({place.ops_id() for place in places if place.ops_name()})


def drop(place: Place) -> None:
    """Remove a place; if its policy has a slot of a host that is attached, free that first."""
    host_place = bpffs.host()
    if place.exists() and place.is_policy() and place.ops_name() and host_place.is_attached():
        with suppress(ScxhidError, OSError), Host() as host:  # the host may have died
            slot = host.slot_of(place.ops_id())
            if slot not in (NO_SLOT, host.read("current_slot"), host.read("draining_slot")):
                host.retire(slot, place)
    place.clear()


def _replace_previous(old: Place) -> None:
    drop(bpffs.previous())
    old.move_to(bpffs.previous())
