"""What the guest is to do, as its program reads it, and the initramfs that brings all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyloader.errors import WrongUse
from vm.exact.program import guest_program
from vm.exact.subject import Subject, host_spec
from vm.initramfs import Entry, archive

_DIRECTORY = 0o040755
_PROGRAM = 0o100755
_FILE = 0o100644
_DEVICE = 0o020600

#: The guest sleeps so long first: it costs no host time, and what follows a boot is over.
SETTLE_MS = 10_000

_DIRECTORIES = ("dev", "files", "modules", "objects", "proc", "sys")

_HOST = "/objects/host.bpf.o"


@dataclass(frozen=True)
class Phase:
    """One run of the wake-up workload: a sleeper on the last CPU, ``hogs`` on every one.

    ``fifo`` puts the sleeper under SCHED_FIFO. ``work`` is what it does after each wake-up, in
    instructions. With ``swap_every_us`` the two policies take turns; unless they ``stay``: then
    the process that swaps only wakes up when it would.
    """

    name: str
    ms: int
    hogs: int = 0
    fifo: bool = False
    period_us: int = 2000
    work: int = 0
    warm_ms: int = 100
    swap_every_us: int = 0
    stay: bool = False

    def line(self, cpus: int) -> str:
        return (
            f"phase {self.name} cpu={cpus - 1} hogs={self.hogs} fifo={int(self.fifo)}"
            f" ms={self.ms} warm_ms={self.warm_ms} period_us={self.period_us} work={self.work}"
            f" swap_every_us={self.swap_every_us} stay={int(self.stay)}"
        )


def wakeup_phases(hogs: int = 2, work: int = 0) -> tuple[Phase, ...]:
    """The workload ``wakeup``: idle, among hogs, and the floor among the same hogs."""
    return (
        Phase("idle", 400, work=work),
        Phase("loaded", 3000, hogs, work=work),
        Phase("floor", 1000, hogs, fifo=True, work=work),
    )


def plan(subjects: Sequence[Subject], body: Sequence[str], modules: Sequence[str] = ()) -> str:
    """The lines of the guest's ``/plan``: load ``modules``, files' names in ``/modules``; attach
    what is measured, the lines of ``body``, detach.

    Raises what ``attach_lines`` raises.
    """
    lines = [f"module /modules/{name}" for name in modules]
    lines += [f"sleep {SETTLE_MS}", "ready", *attach_lines(subjects), *body]
    if subjects[0].mode != "kernel":
        lines.append("detach")
    return "\n".join(lines) + "\n"


def attach_lines(subjects: Sequence[Subject]) -> list[str]:
    """The commands that attach ``subjects``: one by itself, or policies of one host.

    Policies go to slots 0, 1, …; the first is current.

    Raises:
        WrongUse: there are several, and not all of them can be hosted.
    """
    hosted = [subject for subject in subjects if subject.mode == "hosted"]
    if len(subjects) > 1 and len(hosted) != len(subjects):
        raise WrongUse("only schedulers that can be hosted take turns without a gap")
    lines = [f"host {_HOST}"] if hosted else []
    for slot, subject in enumerate(subjects):
        settings = subject.settings()
        if subject.mode == "hosted":
            settings.append(("policy_generation", (slot + 1).to_bytes(4, "little")))
        lines += [f"set {name} {raw.hex()}" for name, raw in settings]
        if subject.mode == "direct":
            lines.append(f"direct {_path(subject)} {subject.ops.kernel_name}")
        elif subject.mode == "hosted":
            fill = [f"{member}={name}" for member, name in _passed_on(subject)]
            lines.append(" ".join(["policy", str(slot), str(slot + 1), _path(subject), *fill]))
    return [*lines, "switch 0"] if hosted else lines


def initramfs(
    subjects: Sequence[Subject],
    text: str,
    files: Mapping[str, bytes] | None = None,
    modules: Mapping[str, bytes] | None = None,
) -> bytes:
    """The archive with the program, the plan ``text``, the objects, ``files``, programs by name
    that the plan calls ``/files/NAME``, and ``modules``; the same bytes for the same."""
    objects = {_path(subject): subject.spec.data for subject in subjects if subject.spec}
    if any(subject.mode == "hosted" for subject in subjects):
        objects[_HOST] = host_spec().data
    return archive(
        [
            *(Entry(name, _DIRECTORY) for name in _DIRECTORIES),
            Entry("dev/console", _DEVICE, device=(5, 1)),
            Entry("dev/random", _DEVICE, device=(1, 8)),
            Entry("init", _PROGRAM, guest_program().read_bytes()),
            Entry("plan", _FILE, text.encode()),
            *(Entry(path[1:].rpartition("/")[0], _DIRECTORY) for path in sorted(objects)),
            *(Entry(path[1:], _FILE, data) for path, data in sorted(objects.items())),
            *(Entry(f"files/{n}", _PROGRAM, data) for n, data in sorted((files or {}).items())),
            *(Entry(f"modules/{n}", _FILE, data) for n, data in sorted((modules or {}).items())),
        ]
    )


def _passed_on(subject: Subject) -> list[tuple[str, str]]:
    """Those callbacks, with their programs, that the host passes on to a policy."""
    own = ("init", "exit")
    return [(m, program) for m, program in subject.ops.callbacks.items() if m not in own]


def _path(subject: Subject) -> str:
    """Where the object lies in the guest: libbpf names its maps after the file."""
    return f"/objects/{(subject.object_sha256 or '')[:12]}/{subject.name}.bpf.o"
