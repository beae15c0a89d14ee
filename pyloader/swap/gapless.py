"""A gapless change: another slot of the resident host becomes the current one.

In order, each a step that a killed process may leave behind:

1. the new policy is loaded, verified and pinned as ``next`` (nothing has changed);
2. its programs fill every array of a free slot, and its init makes its queues;
3. ``host_switch``: one store, and every CPU calls the new one (it runs);
4. a grace period, after which no CPU is in a callback of the old one any more;
5. what the old one had queued is given to the new one, until nothing is left;
6. the names follow: ``current`` becomes ``previous`` and stays in its slot, ``next``
   becomes ``current``; the slot of the one before them is freed.

sched_ext stays enabled throughout. All of it under the writers' lock.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from pyloader import bpffs, history, hosted, sysfs
from pyloader.attached import Attached
from pyloader.bpffs import Place
from pyloader.errors import ScxhidError
from pyloader.hosted import NO_SLOT, Host
from pyloader.swap import names
from pyloader.swap.plain import in_words
from pyloader.swap.side import activate, deactivate

_FIRST_TASK_NS = 100_000_000


@dataclass(frozen=True)
class Change:
    """What a gapless change did; times in ns, from the store on.

    ``first_task_ns`` is when the new policy was given its first task (None: not within
    0.1 s), ``drained`` how many tasks the old one had queued, ``drain_ns`` when the last
    of them was with the new one.
    """

    first_task_ns: int | None
    drained: int
    drain_ns: int
    seq_before: int
    seq_after: int


def change(new: Attached, old: Attached) -> Change:
    """Steps 2 to 6. On failure the old one runs on, and ``new`` is gone."""
    with Host() as host:
        before = host.read("current_slot")
        index = host.slot_of(new.place.ops_id())
        was_ready = index != NO_SLOT
        seq = sysfs.read().enable_seq
        try:
            if not was_ready:
                index = _free_slot(host)
                host.fill(index, new)
                host.initialise(new)
            activate(host, new, old)
            host.switch(index)
            host.wait_for_callbacks()
            host.drain(before)
            drained_at = time.monotonic_ns()
            first_at = _first_task_at(host)
        except (ScxhidError, OSError, KeyboardInterrupt) as error:
            if host.read("current_slot") == before or isinstance(error, KeyboardInterrupt):
                restored = _undo(host, new, old, before, index, was_ready)
                raise in_words(error, new.name, restored) from None
            drained_at, first_at = time.monotonic_ns(), 0  # thrown out: the trial will tell why
        deactivate(old)
        switched_at = host.read("switched_at")
        done = Change(
            first_at - switched_at if first_at else None,
            host.read("nr_left_over"),
            drained_at - switched_at,
            seq,
            sysfs.read().enable_seq,
        )
    history.add("stopped", old.name)
    names.become_current(new.place)
    history.add("attached", new.name)
    return done


def finish(host: Host, places: list[Place]) -> None:
    """Bring a change that was cut short to its end; free slots that no place speaks of."""
    for place in places:
        host.learn_queues(Attached(place))
    draining = host.read("draining_slot")
    if draining != NO_SLOT:
        host.wait_for_callbacks()
        host.drain(draining)
    known = {place.ops_id() for place in places}
    in_use = {host.read("current_slot"), host.read("draining_slot")}
    for index, slot in enumerate(host.slots()):
        is_wanted = slot.policy_id in known and slot.is_whole
        if slot.policy_id and not is_wanted and index not in in_use:
            host.retire(index)


def _free_slot(host: Host) -> int:
    for index, slot in enumerate(host.slots()):
        if not slot.policy_id:
            return index
    raise ScxhidError("the host has no free slot; `scxhid sched stop` empties it")


def _first_task_at(host: Host) -> int:
    """When the new policy was given its first task, ns; on an idle machine that takes a moment."""
    deadline = time.monotonic_ns() + _FIRST_TASK_NS
    while not host.read("first_at") and time.monotonic_ns() < deadline:
        time.sleep(0.001)
    return host.read("first_at")


def _undo(
    host: Host, new: Attached, old: Attached, before: int, index: int, was_ready: bool
) -> str:
    """The old policy again, the new one gone; in words what runs now."""
    if not sysfs.read().runs(hosted.NAME):
        return "the kernel's own scheduler runs, for the host was thrown out meanwhile"
    try:
        if host.read("current_slot") == index:
            activate(host, old, new)
            host.switch(before)
            host.wait_for_callbacks()
            host.drain(index)
        if was_ready:
            deactivate(new)
            new.place.move_to(bpffs.previous())
            return f"{old.name} runs on"
        if index != NO_SLOT:
            host.retire(index)
        new.place.clear()
    except (ScxhidError, OSError) as error:
        return f"{old.name} runs, but what {new.name} left could not be removed ({error})"
    return f"{old.name} runs on"
