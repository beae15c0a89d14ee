"""The resident host driven by hand: what the kernel does with it, whatever our own steps do."""

from __future__ import annotations

import struct
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pyloader import ObjectSpec, libbpf
from pyloader.btf import Struct, Types
from pyloader.object import BpfObject
from tests.guest import kernel
from tests.guest.conftest import OBJECTS

HOST_OPS = "scxhid_host"
SLOTS = 4
NO_SLOT = SLOTS
_FILLED = 1
_PROG_ARRAY = "on_"


class DrivenHost:
    """An attached host. ``slot`` means an index of its table, ``generation`` whose queues."""

    def __init__(self, path: Path | None = None) -> None:
        self._held = ExitStack()
        spec = ObjectSpec.open(path or OBJECTS / "host.bpf.o")
        # Before 7.0 a sleepable program may have no array of programs; policy_init does its work.
        known = _kernels_ops() - {"init"}
        absent = {name: 0 for name in spec.ops[HOST_OPS].callbacks if name not in known}
        self.object = self._held.enter_context(spec.load(fields={HOST_OPS: absent}))
        self.policies: dict[int, BpfObject] = {}
        self.generation = 0
        self._grace_turn = 0

    def attach(self) -> None:
        self.object.attach(HOST_OPS)
        kernel.wait_for("the host to run", lambda: kernel.ops() == HOST_OPS)

    def close(self) -> None:
        self._held.close()

    def value(self, name: str) -> int:
        """A variable of the host's."""
        return self.object.variables[name].value

    def ended(self) -> Any:
        """Why it ended; None while it runs."""
        record = self.object.exit_record
        return record.read() if record else None

    def load(self, path: str, **values: Any) -> tuple[int, BpfObject]:
        """A policy, loaded afresh under the next generation, its queues made."""
        self.generation += 1
        values = {"policy_generation": self.generation, **values}
        spec = ObjectSpec.open(path)
        loaded = self._held.enter_context(spec.load(values))
        err = loaded.run("policy_init", None)
        assert err == 0, f"policy_init of generation {self.generation}: {err}"
        return self.generation, loaded

    def fill(self, slot: int, generation: int, policy: BpfObject, name: str) -> None:
        """Put every callback of the policy into the slot, and the slot into the table."""
        fds = policy.program_fds()
        (ops,) = policy.spec.ops.values()
        key = struct.pack("=I", slot)
        arrays = self.object.maps
        for member, program in ops.callbacks.items():
            if member not in ("init", "exit"):
                array = arrays[_PROG_ARRAY + member]
                libbpf.update(array.fd, key, struct.pack("=I", fds[program]))
        nr_dsqs = policy.variables["policy_nr_dsqs"].value
        value = struct.pack("=IIII128s", generation, _FILLED, nr_dsqs, 0, name.encode())
        libbpf.update(arrays["slots"].fd, key, value)
        self.policies[slot] = policy

    def clear(self, slot: int) -> None:
        """Empty every array of the slot."""
        key = struct.pack("=I", slot)
        for name, array in self.object.maps.items():
            if name.startswith(_PROG_ARRAY):
                try:
                    libbpf.delete(array.fd, key)
                except libbpf.CallFailed:
                    continue  # it had none
        old = self.policies.pop(slot, None)
        if old:
            old.close()

    def grace(self) -> None:
        """Wait until every callback that had begun has ended."""
        maps = self.object.maps
        self._grace_turn ^= 1
        inner = maps["grace_b" if self._grace_turn else "grace_a"]
        libbpf.update(maps["grace"].fd, struct.pack("=I", 0), struct.pack("=I", inner.fd))

    def switch(self, slot: int) -> int:
        return self.object.run("host_switch", bytearray(struct.pack("=II", slot, 0)))

    def drain(self, slot: int) -> int:
        """How many tasks the slot's policy still had queued."""
        args = bytearray(struct.pack("=II", slot, 0))
        assert self.object.run("host_drain", args) == 0
        return struct.unpack("=II", args)[1]

    def drain_wholly(self, slot: int) -> None:
        if slot < SLOTS:
            kernel.wait_for(f"slot {slot} to drain", lambda: self.drain(slot) == 0)

    def retire(self, slot: int) -> int:
        return self.object.run("host_retire", bytearray(struct.pack("=II", slot, 0)))

    def change(self, slot: int) -> None:
        """The whole of a change to a filled slot."""
        old = self.value("current_slot")
        policy = self.policies[slot]
        policy.variables["policy_epoch"].value += 1
        assert self.switch(slot) == 0
        self.grace()
        self.drain_wholly(old)


@contextmanager
def driven() -> Generator[DrivenHost]:
    """A host that is attached, with no policy yet."""
    host = DrivenHost()
    try:
        host.attach()
        yield host
    finally:
        host.close()


def _kernels_ops() -> set[str]:
    """The members of the running kernel's ``sched_ext_ops``."""
    btf = libbpf.Btf.of_kernel()
    type_id = btf.find("sched_ext_ops")
    assert type_id is not None
    found = Types(btf).resolve(type_id)
    assert isinstance(found, Struct)
    return {member.name for member in found.fields()}
