"""A machine's share of the matrix, whatever becomes of the machine: the unit of work of executors.

``measure`` takes and gives plain data, so that it can be called on another computer.

A batch is ``{"machine": {"kernel", "version", "cpus", "topology", "memory_mib", "accel"},
"runs": [RUN, …]}``; a RUN is ``{"number", "scheduler", "mode", "workload", "load", "seconds",
"seed", "timeout_s", "object_sha256", "programs"}``, ``programs`` the name of their folder. What
comes back has for each run ``{"number", "status", "reason", "started", "seconds", "metrics",
"arrays", "conditions"}``.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from typing import Any

from pyloader.errors import ScxhidError, Unsupported
from vm.errors import VmError, VmLost
from vm.exact.subject import KERNEL
from vm.matrix import boot as machines
from vm.matrix import host, topology
from vm.matrix.lock import waiting

Entry = dict[str, Any]
Hear = Callable[[Entry], None]

#: Boots in a row without a run before the rest of a batch is given up.
_FRUITLESS = 2

#: Where machines are started: what tests without machines replace.
boot = machines.boot


class OtherProgram(ScxhidError):
    """What would be measured here is not what was asked for."""


def measure(batch: Mapping[str, Any]) -> list[Entry]:
    """Make all runs of a batch, on this computer, when no other bench measures on it.

    Raises:
        OtherProgram: a scheduler or a program came out otherwise here.
        VmError: machines cannot be started here.
    """
    with waiting():
        entries = measure_here(batch)
    where = {"host": platform.node(), "host_cpu": host.facts()["cpu"]}
    return [{**one, "conditions": {**one["conditions"], **where}} for one in entries]


def measure_here(batch: Mapping[str, Any], hear: Hear | None = None) -> list[Entry]:
    """The same at once; ``hear`` is called with ``{"boot": n}``, ``{"begin": number}`` and each
    finished run, when it is."""
    share = _Share(batch, hear)
    share.run()
    return share.done


class _Share:
    def __init__(self, batch: Mapping[str, Any], hear: Hear | None) -> None:
        self._batch = batch
        self._kind = batch["machine"]
        self._left: list[Entry] = []
        self._hear: Hear = hear or _unheard
        self.done: list[Entry] = []
        self._boots, self._made = 0, 0
        self._fruitless = 0
        self._again: set[int] = set()
        self._of_machine: dict[str, Any] = {}
        self._begun: int | None = None
        self._watch = host.Watch()

    def run(self) -> None:
        for run in self._batch["runs"]:
            try:
                self._left.append(prepared(run))
            except (Unsupported, VmError) as error:
                # A tool is missing, a program does not compile: the others can be measured.
                self._finish(ended_so(run["number"], "failed", error))
        while self._left:
            before = len(self._left)
            why = self._boot()
            if self._begun is not None:
                self._end_begun(why)
            elif self._left and len(self._left) == before:
                self._fruitless += 1
                if self._fruitless == _FRUITLESS or isinstance(why, _WrongMachine):
                    self._give_up(why)
            if len(self._left) < before:
                self._fruitless = 0

    def _boot(self) -> Exception | None:
        """One life of a machine; what ended it early, if something did."""
        self._boots += 1
        self._begun, self._made, self._of_machine = None, 0, {}
        self._hear({"boot": self._boots})
        # Caches, the emulator's translations: the first run of a machine is another one than the
        # rest, so it does not count. Under the kernel's own, which does not end the machine.
        warm_up = {**self._left[0], "number": -1, "scheduler": KERNEL, "mode": KERNEL}
        warm_up["seconds"] = min(1.0, warm_up["seconds"])
        try:
            boot(self._kind, [warm_up, *self._left], self._heard)
        except (VmLost, machines.AgentEnded, _WrongMachine) as error:
            return error
        return None

    def _heard(self, said: Entry) -> None:
        match said:
            case {"qemu": words, **more}:
                self._of_machine = {"qemu": host.facts()["qemu"], "command": words, **more}
            case {"hello": facts}:
                self._of_machine |= facts
                self._require(facts.get("topology_seen", {}))
            case {"begin": number}:
                self._watch = host.Watch()
                if number >= 0:
                    self._begun = number
                    self._hear({"begin": number})
            case {"run": {"number": -1}}:
                pass
            case {"run": entry}:
                self._begun = None
                self._finish(entry)
            case _:
                pass

    def _require(self, seen: Mapping[str, int]) -> None:
        wanted = self._kind["topology"]
        trouble = topology.parse(wanted).trouble(seen) if wanted else ""
        if trouble:
            raise _WrongMachine(f"QEMU did not make a machine {wanted}: {trouble}")

    def _finish(self, entry: Entry) -> None:
        number = entry["number"]
        self._made += 1
        machine = {
            **self._of_machine,
            "machine": f"{self._batch.get('batch', 0)}.{self._boots}",
            "run_of_machine": self._made,
            "memory_mib": self._kind["memory_mib"],
        }
        entry.setdefault("conditions", {})
        entry["conditions"] = {**machine, **entry["conditions"], **self._watch.ended()}
        if number in self._again:
            entry["conditions"]["made_again"] = True
        self._left = [run for run in self._left if run["number"] != number]
        self.done.append(entry)
        self._hear(entry)

    def _end_begun(self, why: Exception | None) -> None:
        """What becomes of the run in whose middle the machine ended."""
        assert self._begun is not None
        from vm.guest_tests import emulator_failed

        number, self._begun = self._begun, None
        if isinstance(why, VmLost) and emulator_failed(why.log_path) and number not in self._again:
            self._again.add(number)  # a fault of the emulator's says nothing of the scheduler
            return
        self._finish(ended_so(number, "lost", why))

    def _give_up(self, why: Exception | None) -> None:
        for run in list(self._left):
            self._finish(ended_so(run["number"], "lost", why))


def _unheard(said: Entry) -> None:
    return


class _WrongMachine(VmError):
    """The machine is not as it was asked for."""


def ended_so(number: int, status: str, why: BaseException | None) -> Entry:
    """A run that measured nothing, and why."""
    said = (str(why).splitlines() or [type(why).__name__])[0] if why else ""
    reason = said or "the machine ended before the run"
    return {"number": number, "status": status, "reason": reason, "metrics": {}, "arrays": {}}


def prepared(run: Mapping[str, Any]) -> Entry:
    """The run with the folder of its programs, all compiled.

    Raises:
        OtherProgram: what was compiled here is not what was asked for.
    """
    from vm.exact.subject import host_spec, subject
    from vm.workloads import find

    one = subject(run["scheduler"], direct=run["mode"] == "direct")
    if run["mode"] == "hosted":
        host_spec()
    if one.object_sha256 != run["object_sha256"]:
        raise OtherProgram(
            f"the scheduler {run['scheduler']} is another one on this machine than where the bench"
            " was started; use the same sources and the same clang on both"
        )
    programs = find.prepare(find.find(run["workload"]))
    if run["programs"] not in ("", programs.name):
        raise OtherProgram(
            f"the programs of the workload {run['workload']} are others on this machine than where"
            " the bench was started; use the same sources on both"
        )
    return {**run, "programs": str(programs)}
