"""What a link puts on and takes off: a scheduler by itself, or the host with a policy in it."""

from __future__ import annotations

import os
import time

from pyloader import bpffs, exitrecord, hosted, libbpf, sysfs
from pyloader.attached import Attached
from pyloader.errors import AttachError, Ejected
from pyloader.hosted import Host
from pyloader.object import BpfObject, explain_attach
from pyloader.swap.standby import OPS, load_host

Record = exitrecord.ExitRecord | exitrecord.ExitVariable | None

POLL_S = 0.02
_CONFIRM_NS = 5_000_000_000
_CLOCK = "policy_vtime"
_FIRST = 0  # the slot of a policy that is attached together with its host


class Side:
    """One side of a plain change. ``ops`` is the name that sysfs shows while it runs."""

    def __init__(self, attached: Attached, loaded: BpfObject | None = None) -> None:
        """``loaded``: the object, if it was loaded just now and has never been attached."""
        self.attached, self.name = attached, attached.name
        self.is_hosted = attached.is_hosted
        self.place = bpffs.host() if self.is_hosted else attached.place
        self.ops = hosted.NAME if self.is_hosted else self.name
        self._loaded = None if self.is_hosted else loaded
        self._host: Host | None = None

    @property
    def record(self) -> Record:
        """Where it records how it ended."""
        return self.attached.exit_record

    def prepare(self) -> None:
        """Make it ready for its attach; what it recorded of an earlier end is forgotten."""
        if self.is_hosted:
            if not self.place.exists():
                self._loaded = load_host()
            self._host = Host()  # kept: between attach and start no time is to be lost
            self._host.forget_slots()
            self._host.fill(_FIRST, self.attached)
        self.attached.forget_exit()

    def attach(self) -> int:
        """Attach it, for the first time or again; the link's descriptor."""
        if self._loaded:
            link = self._loaded.attach(self._loaded.spec.sole_ops(OPS).name)
            return os.dup(link.fd)
        fd = self.place.open_ops()
        try:
            return libbpf.link_struct_ops(fd)
        except libbpf.CallFailed as error:
            raise explain_attach(self.name, error) from None
        finally:
            os.close(fd)

    def detach(self) -> None:
        """When it returns, the kernel's own scheduler runs."""
        fd = self.place.open(self.place.link)
        try:
            libbpf.detach_link(fd)
        except libbpf.CallFailed as error:
            raise AttachError(f"{self.name} could not be taken off: {error}") from None
        finally:
            os.close(fd)

    def forget_link(self) -> None:
        """Its link is dead or is to die; a host without one serves nobody."""
        self.place.unpin_link()
        if self.is_hosted:
            self.place.clear()

    def start(self) -> None:
        """Right after the attach: a hosted policy becomes current. Its host had none so far."""
        if self._host:
            raise_if_ended(self.name, self.record)
            self._host.initialise(self.attached)
            activate(self._host, self.attached)
            self._host.switch(_FIRST)

    def confirm(self, seq_before: int) -> None:
        """Wait until sysfs says that it runs; Ejected or AttachError if it does not."""
        confirm(self.ops, self.name, self.record, seq_before)

    def close(self) -> None:
        """Let go of all descriptors; what is pinned stays."""
        if self._loaded and self.is_hosted:
            self._loaded.close()
            self._loaded = None
        if self._host:
            self._host.close()
            self._host = None
        self.attached.close()


def activate(host: Host, policy: Attached, old: Attached | None = None) -> None:
    """Tell a policy that it becomes current, last of all before the switch.

    Whatever state it has of tasks is stale. Where it and the ``old`` one measure tasks by what the
    kernel keeps in them, it goes on by the old one's clock.
    """
    policy.policy_variable("policy_epoch").value = host.read("nr_switches") + 2
    policy.policy_variable("policy_active").value = True
    if old and policy.has_policy_variable(_CLOCK) and old.has_policy_variable(_CLOCK):
        policy.policy_variable(_CLOCK).value = int(old.policy_variable(_CLOCK).value)


def deactivate(policy: Attached) -> None:
    """Tell it that it no longer is."""
    policy.policy_variable("policy_active").value = False


def confirm(ops: str, name: str, record: Record, seq_before: int) -> None:
    """Wait until sysfs shows ``ops``: an attach that succeeded does not mean that it runs."""
    deadline = time.monotonic_ns() + _CONFIRM_NS
    while True:
        raise_if_ended(name, record)
        now = sysfs.read()
        if now.runs(ops) and now.enable_seq > seq_before:
            return
        if time.monotonic_ns() > deadline:
            raise AttachError(
                f"{name} was attached but does not run: sched_ext is {now.state}, and it "
                "recorded no reason; the kernel log (dmesg) may have one"
            )
        time.sleep(POLL_S)


def raise_if_ended(name: str, record: Record) -> None:
    """Ejected with the reason if it has ended."""
    info = record.read() if record else None
    if info:
        raise Ejected(f"{name} was thrown out: {info.sentence()}", info)


def wait_for_end(name: str, record: Record) -> None:
    """Stay until it ends by itself; then Ejected, or AttachError if it recorded no reason."""
    while True:
        if not sysfs.read().runs(name):
            wait_disabled()
            raise_if_ended(name, record)
            raise AttachError(f"{name} ended by itself and recorded no reason")
        raise_if_ended(name, record)
        time.sleep(POLL_S)


def wait_disabled() -> None:
    """Return when the kernel's own scheduler runs, or after a while.

    The record of an exit is written on the way there: under load that is over a second
    after the state has left "enabled".
    """
    deadline = time.monotonic_ns() + _CONFIRM_NS
    while sysfs.read().state != "disabled" and time.monotonic_ns() < deadline:
        time.sleep(POLL_S)
