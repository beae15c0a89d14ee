"""One version of a scheduler under one seed: a boot, and what each of its callbacks did."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pyloader.errors import UnknownName, Unsupported, WrongUse
from pyloader.spec import ObjectSpec
from vm.exact import machine
from vm.exact.bisect import programs
from vm.exact.bisect.account import Callback, Ran, callbacks, counted, windows
from vm.exact.plan import Phase, attach_lines, initramfs, plan
from vm.exact.subject import Subject, of_spec
from vm.kernels import Kernel
from vm.workloads import calls
from vm.workloads.find import find, prepare
from vm.workloads.model import LOADS, Case, Workload

#: The workload of this folder; all others are those of ``vm.workloads`` that can run exactly.
CALLBACKS = "callbacks"

#: Loads that it can make.
_LOADS = ("full", "over", "idle")

#: How often each thing is done in ``callbacks``; a run of it is about 2 s of the guest's time.
_ROUNDS = 400


@dataclass(frozen=True)
class Place:
    """Where and under what is measured."""

    kernel: Kernel
    workload: str = "callbacks"
    load: str = "full"
    cpus: int = 1
    timeout_s: float = 300.0


@dataclass(frozen=True)
class Measured:
    """What one run gave. ``length_ns`` is how long it was watched; ``sha256`` that of all it said;
    ``host_s`` the seconds that it took on this host; ``command`` QEMU's."""

    seed: int
    callbacks: Mapping[str, Callback]
    length_ns: int
    sha256: str
    host_s: float
    command: tuple[str, ...]


def check(workload: str, load: str, cpus: int) -> None:
    """Refuse what cannot be measured; WrongUse."""
    loads = _LOADS if workload == CALLBACKS else _exact(workload).loads or ("idle",)
    if load not in loads:
        raise WrongUse(f"{workload} has no load {load!r} here: {', '.join(loads)}")
    if not 1 <= cpus <= 16:
        raise WrongUse(f"bisect measures on 1 to 16 CPUs, not {cpus}")


def _exact(name: str) -> Workload:
    """A workload that needs nothing but static programs; WrongUse if it is none."""
    try:
        found = find(name)
    except UnknownName as error:
        raise WrongUse(f"{error}; bisect has {CALLBACKS} besides") from None
    if not found.exact or found.modules or found.command is None:
        raise WrongUse(
            f"{name} cannot run in the machine that counts instructions, where nothing is but"
            " static programs"
        )
    return found


def body(place: Place, seed: int) -> tuple[list[str], dict[str, bytes]]:
    """The plan lines of the workload, and its programs; chance comes from ``seed`` alone."""
    if place.workload == CALLBACKS:
        hogs = LOADS[place.load].a_cpu * place.cpus
        line = f"run /files/{CALLBACKS} {hogs} {_ROUNDS} {seed}"
        return [line], {CALLBACKS: programs.workload().read_bytes()}
    found = _exact(place.workload)
    case = Case(place.cpus, place.load, found.seconds, seed, exact=True)
    files = {path.name: path.read_bytes() for path in sorted(prepare(found).iterdir())}
    return [" ".join(["run", *calls.command(found, case)])], files


def text(subject: Subject, nothing: Subject, lines: Sequence[str], cpus: int) -> str:
    """The whole plan: the subject is counted from a round moment on, then the empty scheduler is,
    so that loading one version a little longer than the other changes nothing."""
    counted_lines = ["align 1000", "count", *lines, "counted subject", "calls"]
    calibration = [
        *attach_lines([nothing]),
        *("align 100", "count"),
        Phase("calibration", 100, 2).line(cpus),
        *("counted empty", "detach"),
    ]
    return plan([subject], counted_lines) + "\n".join(calibration) + "\n"


def measure(subject: Subject, place: Place, seed: int) -> Measured:
    """Run ``subject``, which must be ``direct``, once.

    Raises:
        VmError, VmLost: the guest gave up, warned, or was lost.
        Unsupported: no QEMU or compiler that can do it.
    """
    nothing = _nothing()
    lines, files = body(place, seed)
    archive = initramfs([subject, nothing], text(subject, nothing, lines, place.cpus), files)
    plugin = programs.counter()
    if plugin is None and place.cpus > 1:
        raise Unsupported(
            "on more than one CPU only a plugin of QEMU can count, and this one takes none; QEMU"
            " 9.1 or newer does, and --cpus 1 needs none"
        )
    with TemporaryDirectory(prefix="scxhid-bisect-") as directory:
        counts = Path(directory) / "counts"
        done = machine.run(
            place.kernel,
            place.cpus + 1,  # one stays off: ops.select_cpu is asked only where there is a choice
            seed,
            archive,
            round_us=machine.ROUND_US if place.cpus > 1 else 0,
            timeout_s=place.timeout_s,
            more=("-plugin", f"{plugin},to={counts}") if plugin else (),
            kernel_words=f"maxcpus={place.cpus}",
        )
        ran = counts.read_text() if plugin else ""
    found = windows(done.report)
    tables: list[Ran] | None = counted(ran) if plugin else None
    members = {program: member for member, program in subject.ops.callbacks.items()}
    return Measured(
        seed,
        callbacks(found, tables, members, own_only=place.cpus > 1),
        found["subject"].length_ns,
        _digest(done.report, tables or []),
        done.host_s,
        done.command,
    )


def _digest(report: bytes, tables: Sequence[Ran]) -> str:
    """Of all that a run said. In which order the plugin wrote it depends on the host."""
    digest = hashlib.sha256(report)
    for table in tables:
        for column in table:
            digest.update(column.tobytes())
    return digest.hexdigest()


def first_difference(one: Measured, other: Measured) -> str:
    """Where two runs of one version and seed part, in words; empty if they do not."""
    for name in {**one.callbacks, **other.callbacks}:
        a, b = one.callbacks.get(name), other.callbacks.get(name)
        if a is None or b is None:
            return f"{name} was called in one of them only"
        if a.calls != b.calls:
            return f"{name} was called {a.calls:,} times and then {b.calls:,} times"
        if a.instructions != b.instructions:
            return f"{name} took {a.instructions:,} instructions and then {b.instructions:,}"
        if a.own != b.own:
            return f"{name} ran its own instructions otherwise"
    if one.length_ns != other.length_ns:
        return f"the workload took {one.length_ns:,} ns and then {other.length_ns:,} ns"
    return "" if one.sha256 == other.sha256 else "something other than a count differs"


@cache
def _nothing() -> Subject:
    return of_spec(ObjectSpec.open(programs.empty()), direct=True)
