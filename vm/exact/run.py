"""One cell of an exact benchmark: schedulers, a machine, a seed; and the identity gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pyloader.errors import ScxhidError
from vm.exact import machine
from vm.exact.metrics import Number, metrics
from vm.exact.plan import Phase, initramfs, plan, wakeup_phases
from vm.exact.report import Report, first_difference, parse
from vm.exact.subject import Subject, subject
from vm.kernels import Kernel, choose


class NotIdentical(ScxhidError):
    """The same cell and seed gave two different reports: nothing measured so can be trusted."""


@dataclass(frozen=True)
class Result:
    """One run: what was measured, how, and every sample.

    ``identical_twice``: whether it was repeated and came out the same. ``host_s``: seconds that it
    took on this host, ``all_host_s`` those of each time.
    """

    subjects: tuple[Subject, ...]
    cpus: int
    seed: int
    kernel: str
    qemu: str
    command: tuple[str, ...]
    host_s: float
    identical_twice: bool
    report: Report
    all_host_s: tuple[float, ...]

    @property
    def metrics(self) -> dict[str, Number]:
        """See ``vm.exact.metrics.metrics``; times in ns."""
        return metrics(self.report)

    @property
    def samples(self) -> dict[str, list[int]]:
        """Lateness of each wake-up in ns, by phase, in the order in which they came."""
        return {name: phase.late_ns for name, phase in self.report.phases.items()}

    @property
    def samples_sha256(self) -> str:
        """Of the report as the guest wrote it: samples, CPU times, changes of policy."""
        return self.report.sha256


def cell(
    what: str | Subject,
    *,
    cpus: int = 4,
    seed: int = 1,
    kernel: str | Kernel = "",
    gate: bool = False,
    phases: Sequence[Phase] = (),
    round_us: int = machine.ROUND_US,
    timeout_s: float = 300.0,
) -> Result:
    """Measure the workload ``wakeup`` once; with ``gate`` twice, and only the same counts.

    ``what`` is as in ``--sched`` (``kernel``, ``simple:slice_us=2000``) or made by ``subject``;
    ``phases`` default to ``wakeup_phases()``.

    Raises:
        NotIdentical: the second run differs.
        VmError, VmLost: the guest gave up, warned, or was lost.
        Unsupported: no QEMU that can do it.
    """
    one = subject(what) if isinstance(what, str) else what
    lines = [phase.line(cpus) for phase in phases or wakeup_phases()]
    return session(
        [one],
        lines,
        cpus=cpus,
        seed=seed,
        kernel=kernel,
        gate=gate,
        round_us=round_us,
        timeout_s=timeout_s,
    )


def session(
    subjects: Sequence[Subject],
    body: Sequence[str],
    *,
    cpus: int = 4,
    seed: int = 1,
    kernel: str | Kernel = "",
    gate: bool = False,
    files: Mapping[str, bytes] | None = None,
    modules: Mapping[str, bytes] | None = None,
    round_us: int = machine.ROUND_US,
    timeout_s: float = 300.0,
    is_stopped: Callable[[], bool] = lambda: False,
    difference: Callable[[Report, Report], str] = first_difference,
    times: int = 2,
) -> Result:
    """Run the plan lines ``body`` (see ``guest/main.c``) with ``subjects`` attached.

    ``files`` are static programs by name for ``run /files/NAME WORD …``; what they print is in
    ``report.said``. ``modules`` of the kernel are loaded first, in their order. ``difference``
    tells where two reports that are not the same part; with ``gate`` there are ``times`` of them.
    Raises what ``cell`` raises, and Stopped.
    """
    qemu = _qemu()
    if isinstance(kernel, str):
        kernel = choose(kernel)
    text = plan(subjects, body, list(modules or ()))
    archive = initramfs(subjects, text, files, modules)

    def once() -> tuple[machine.Run, Report]:
        done = machine.run(
            kernel,
            cpus,
            seed,
            archive,
            round_us=round_us,
            timeout_s=timeout_s,
            is_stopped=is_stopped,
        )
        return done, parse(done.report)

    done, report = once()
    host_s = [done.host_s]
    for _ in range(times - 1 if gate else 0):
        other, again = once()
        host_s.append(other.host_s)
        if again.sha256 != report.sha256:
            names = " and ".join(subject.label for subject in subjects)
            raise NotIdentical(
                f"{names} on {cpus} CPUs with seed {seed} did not give the same twice:"
                f" {difference(report, again)}; the result is refused"
            )
    return Result(
        tuple(subjects),
        cpus,
        seed,
        report.kernel,
        qemu,
        done.command,
        done.host_s,
        gate,
        report,
        tuple(host_s),
    )


@cache
def _qemu() -> str:
    return machine.require_qemu()
