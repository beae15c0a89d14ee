"""The resident host and its slots, as the kernel has them: which policy is where.

The host (``schedulers/host/host.bpf.c``) is attached once; a change of policy fills a
slot of its program arrays and makes that slot the current one. What each step does in
the kernel stands there; their order is in ``pyloader/swap``.
"""

from __future__ import annotations

import errno
import os
import struct
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NamedTuple

from pyloader import bpffs, libbpf
from pyloader.attached import Attached
from pyloader.bpffs import Place
from pyloader.closing import Closing
from pyloader.errors import AttachError, CannotHost
from pyloader.spec import ObjectSpec

NAME = "scxhid_host"
"""The name that the kernel lists it under."""

NO_SLOT = 4
"""As the index of a slot: none. The slots are those below it."""

_ARRAY = "on_"
_NOT_PASSED_ON = frozenset(("init", "exit", "policy_init", "policy_fini"))
_SLOT = struct.Struct("=IIII128s")
_ARGS = struct.Struct("=II")
_FILLED = 1
_RETIRING = 2  # some of its arrays may be empty already


class Slot(NamedTuple):
    """One slot: ``policy_id`` is the kernel's id of the policy's struct_ops map, 0 if free."""

    generation: int
    state: int
    nr_dsqs: int
    policy_id: int
    name: str

    @property
    def is_whole(self) -> bool:
        """Whether it has a policy that nobody began to take out."""
        return self.state == _FILLED


class Host(Closing):
    """The host that is pinned, attached or not. Gone if none is."""

    def __init__(self) -> None:
        self.place = bpffs.host()
        self._attached = Attached(self.place)
        self._fds: dict[str, int] = {}
        self._grace_turn = 0

    # --- what it says ---

    def read(self, name: str) -> int:
        """The variable ``name`` of the host now."""
        return int(self._attached.variables[name].value)

    def write(self, name: str, value: int) -> None:
        self._attached.variables[name].value = value

    def slot(self, index: int) -> Slot:
        """What is in a slot."""
        raw = bytearray(_SLOT.size)
        libbpf.lookup(self._map("slots"), _key(index), raw)
        generation, state, nr_dsqs, policy_id, name = _SLOT.unpack(raw)
        text = name.split(b"\0", 1)[0].decode(errors="replace")
        return Slot(generation, state, nr_dsqs, policy_id, text)

    def slots(self) -> list[Slot]:
        return [self.slot(index) for index in range(NO_SLOT)]

    def slot_of(self, policy_id: int) -> int:
        """The slot of that policy; NO_SLOT if it has none that is whole."""
        ids = [slot.policy_id if slot.is_whole else 0 for slot in self.slots()]
        return ids.index(policy_id) if policy_id in ids else NO_SLOT

    def policy_id(self) -> int:
        """That of the policy that is current; 0 if there is none."""
        current = self.read("current_slot")
        return self.slot(current).policy_id if current < NO_SLOT else 0

    def callbacks(self) -> frozenset[str]:
        """The members of sched_ext_ops that it passes on."""
        arrays = self.place.pins("maps")
        return frozenset(name.removeprefix(_ARRAY) for name in arrays if name.startswith(_ARRAY))

    # --- what it does; the caller holds the writers' lock ---

    def fill(self, index: int, policy: Attached) -> None:
        """Put the programs of a policy into every array of a slot that is not current."""
        programs = policy.place.pins("progs")
        lost = sorted(set(programs) - self.callbacks() - _NOT_PASSED_ON)
        if lost:
            raise CannotHost(f"the host can no longer call {', '.join(lost)}: pins were removed")
        generation = int(policy.policy_variable("policy_generation").value)
        slot = Slot(generation, _FILLED, 0, policy.place.ops_id(), policy.name)
        self._write_slot(index, slot)
        for callback in self.callbacks():
            array = self._map(f"{_ARRAY}{callback}")
            if callback not in programs:
                _delete(array, index)
                continue
            with _opened(policy.place, programs[callback]) as fd:
                try:
                    libbpf.update(array, _key(index), struct.pack("=I", fd))
                except libbpf.CallFailed as error:
                    raise CannotHost(
                        f"the kernel does not let the host call {callback} of {policy.name} "
                        f"({error.strerror})"
                    ) from None

    def initialise(self, policy: Attached) -> None:
        """Run the policy's init in a host that is attached, and learn how many queues it made."""
        with _opened(policy.place, policy.place.pins("progs")["policy_init"]) as fd:
            error = libbpf.run(fd)
        self.learn_queues(policy)  # those that it made before it failed are to be destroyed too
        if error:
            why = os.strerror(-error) if error < 0 else str(error)
            raise AttachError(f"init of {policy.name} failed: {why}")

    def learn_queues(self, policy: Attached) -> None:
        """Write into the slot of a policy how many queues it has made."""
        index = self.slot_of(policy.place.ops_id())
        if index < NO_SLOT:
            made = int(policy.policy_variable("policy_nr_dsqs").value)
            self._write_slot(index, self.slot(index)._replace(nr_dsqs=made))

    def switch(self, index: int) -> None:
        """Make a filled slot the current one: the store after which all CPUs call it."""
        self._run("host_switch", index)

    def drain(self, index: int, within_ns: int = 2_000_000_000) -> int:
        """Empty the queues of the policy in a slot; the tasks that are left after that time."""
        deadline = time.monotonic_ns() + within_ns
        while True:
            left = self._run("host_drain", index)
            if not left or time.monotonic_ns() > deadline:
                return left
            time.sleep(0.002)

    def wait_for_callbacks(self) -> None:
        """Return when every callback that was running has ended: an RCU grace period."""
        self._grace_turn ^= 1
        inner = self._map("grace_b" if self._grace_turn else "grace_a")
        libbpf.update(self._map("grace"), _key(0), struct.pack("=I", inner))

    def retire(self, index: int, policy: Place | None = None) -> None:
        """Free a slot that is neither current nor draining. ``policy`` gets its last call."""
        self._write_slot(index, self.slot(index)._replace(state=_RETIRING))
        for callback in self.callbacks():
            _delete(self._map(f"{_ARRAY}{callback}"), index)
        self.wait_for_callbacks()
        fini = policy.pins("progs").get("policy_fini") if policy else None
        if policy and fini:
            with _opened(policy, fini) as fd:
                libbpf.run(fd)
        self._run("host_retire", index)
        self._write_slot(index, Slot(0, 0, 0, 0, ""))

    def forget_slots(self) -> None:
        """Free all slots of a host that is not attached: its queues are gone already."""
        for index in range(NO_SLOT):
            for callback in self.callbacks():
                _delete(self._map(f"{_ARRAY}{callback}"), index)
            self._write_slot(index, Slot(0, 0, 0, 0, ""))
        for name in ("current_slot", "previous_slot", "draining_slot"):
            self.write(name, NO_SLOT)

    def close(self) -> None:
        """Let go of all descriptors."""
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()
        self._attached.close()

    # --- inside ---

    def _map(self, name: str) -> int:
        if name not in self._fds:
            self._fds[name] = self.place.open(self.place.pins("maps")[name])
        return self._fds[name]

    def _write_slot(self, index: int, slot: Slot) -> None:
        raw = _SLOT.pack(*slot[:4], slot.name.encode()[:127])
        libbpf.update(self._map("slots"), _key(index), raw)

    def _run(self, program: str, index: int) -> int:
        args = bytearray(_ARGS.pack(index, 0))
        with _opened(self.place, self.place.pins("progs")[program]) as fd:
            error = libbpf.run(fd, args)
        if error:
            raise AttachError(f"{program} of the host failed: {os.strerror(-error)}")
        return _ARGS.unpack(args)[1]


def why_not(spec: ObjectSpec, ops: Any, passed_on: frozenset[str]) -> str:
    """Why a scheduler cannot be hosted, in words; empty if it can.

    ``ops`` is its ``OpsSpec``, ``passed_on`` the callbacks that the host has.
    """
    said = spec.hostable
    if said is None:
        return "it does not say that it can be (HOSTABLE)"
    if "policy_init" not in spec.programs or "policy_generation" not in spec.variables:
        return "it lacks what the host needs of it (POLICY_INIT)"
    if said.flags or ops.fields.get("flags"):
        return "it needs flags of its own"
    if ops.fields.get("dispatch_max_batch"):
        return "it needs a batch of its own"
    lacking = sorted(set(ops.callbacks) - passed_on - _NOT_PASSED_ON)
    if lacking:
        return f"the host does not pass on {', '.join(lacking)}"
    return ""


def new_generation() -> int:
    """A number for the ids of queues that none before it had: 1 to 2^31 - 1, from ms since boot."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000 % 0x7FFFFFFF + 1


def _key(index: int) -> bytes:
    return struct.pack("=I", index)


def _delete(array: int, index: int) -> None:
    try:
        libbpf.delete(array, _key(index))
    except libbpf.CallFailed as error:
        if error.errno != errno.ENOENT:  # it was empty
            raise


@contextmanager
def _opened(place: Place, path: str) -> Generator[int]:
    fd = place.open(path)
    try:
        yield fd
    finally:
        os.close(fd)
