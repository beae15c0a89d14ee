"""Run one command in a virtual machine and bring back all that can be known of it.

The command's standard streams are the caller's, byte for byte and apart; its status travels on a
channel of its own, so that a command which ends with 255 is not taken for a machine that was
lost. The kernel log is kept in a file and searched for warnings.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vm import accel as accelerators
from vm import klog
from vm.errors import VmError, VmLost
from vm.guest import DEFAULT_MODULES, write_command, write_init
from vm.kernels import Kernel, choose
from vm.lifeline import Leashed
from vm.modules import slim_tree
from vm.qemu import Plan, Ports, compose, require_qemu
from vm.rundirs import run_directory
from vm.streams import Pump

#: A guest that has not reached its command by then never will: a bare boot takes 5 s under TCG,
#: 25 s with 64 CPUs, and machines are busy.
BOOT_TIMEOUT_S = 240.0

#: A kernel log that has not grown for so long before the command: the boot hangs. Multi-threaded
#: emulation loses a boot now and then, most of all on a busy machine, when CPUs are brought up.
STALL_S = 60.0

#: Such a boot is tried again: nothing of the command has happened yet.
_BOOTS = 2

#: How long a guest that has reported its command's status may take to switch itself off.
_OFF_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Boot:
    """Where the time before the command went, in seconds.

    ``compose_s`` is virtme-ng's and ours before QEMU starts; ``firmware_s`` QEMU, firmware and the
    unpacking of the kernel, until the guest's clock starts; ``kernel_s`` from there to the first
    line of the guest's init (virtme-ng's initramfs included); ``init_s`` from there to the
    command.
    """

    compose_s: float
    firmware_s: float
    kernel_s: float
    init_s: float


@dataclass(frozen=True)
class Result:
    """How a command in a machine ended.

    ``status`` is the command's own (128 + n for signal n, as a shell says it); ``stdout`` and
    ``stderr`` are what it wrote if they were captured, else empty. ``log_path`` is the kernel
    log's file, ``warnings`` what was found in it. ``boot_to_command_s`` runs from the call to the
    command's start; ``boot`` says what it was spent on. ``accel`` is ``kvm`` or ``tcg``.
    """

    status: int
    log_path: Path
    boot_to_command_s: float
    boot: Boot
    seconds: float
    accel: str
    kernel: str
    warnings: tuple[klog.Report, ...]
    stdout: bytes = b""
    stderr: bytes = b""


def run(
    command: Sequence[str],
    *,
    kernel: str | Kernel = "",
    cpus: int = 2,
    memory: str = "2G",
    timeout_s: float | None = None,
    silence_s: float | None = None,
    rw: Sequence[Path] = (),
    accel: str = "auto",
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    modules: Sequence[str] = DEFAULT_MODULES,
    udev: bool = False,
    stdin: int | bytes | None = None,
    stdout: int = 1,
    stderr: int = 2,
    capture: bool = False,
    console: bool = False,
    log_path: Path | None = None,
    allowed_warnings: Sequence[str] = (),
    kernel_arguments: Sequence[str] = (),
    qemu_arguments: Sequence[str] = (),
    started: Callable[[Sequence[str]], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Result:
    """Boot a machine, run ``command`` in it as root, return how it ended.

    Args:
        command: program and arguments; looked up in the usual system directories.
        kernel: empty (the newest), a version or its beginning, a path, ``host``, or a Kernel.
        timeout_s: seconds from the command's start; past them the machine is lost. None: for ever.
        silence_s: seconds without any output of the command past which the machine is lost.
        rw: host directories that the guest may write to; all others are read-only or in memory.
        cwd: working directory in the guest, by default the current one.
        environment: variables beside PATH, HOME, TERM, LANG.
        modules: kernel modules loaded before the command starts.
        udev: start udev before the command (3 s under emulation).
        stdin: a descriptor, bytes, or None for an empty one.
        stdout, stderr: descriptors that the command's output and errors are copied to.
        capture: return both in the result instead.
        console: a terminal on stdin and stdout instead of three streams.
        log_path: where the kernel log goes; by default a file in the cache directory.
        allowed_warnings: regexes of kernel-log reports that are expected.
        qemu_arguments: added to QEMU's; a ``-smp`` among them takes the place of ``cpus``.
        started: is told QEMU's whole command line, with its directory of this run, at each boot.
        say: is told, in a sentence, of anything worth knowing before the boot.

    Raises:
        VmLost: the machine panicked, hung past the timeout, or ended without a status.
        VmError: it could not be prepared or started.
    """
    if not command:
        raise VmError("there is no command to run; put it after '--'")
    started_ns = time.monotonic_ns()
    require_qemu()
    chosen = kernel if isinstance(kernel, Kernel) else choose(kernel, say=say)
    mode = accelerators.resolve(accel, chosen, say=say)
    for attempt in range(1, _BOOTS + 1):
        try:
            machine, pump, kept_log = _live(
                command,
                chosen,
                mode,
                cpus=cpus,
                memory=memory,
                limits=Limits(timeout_s, silence_s),
                rw=rw,
                cwd=cwd or Path.cwd(),
                environment=environment or {},
                modules=modules,
                udev=udev,
                stdin=stdin,
                sinks=(None, None) if capture else (stdout, stderr),
                console=console,
                log_path=log_path,
                kernel_arguments=kernel_arguments,
                qemu_arguments=qemu_arguments,
                started=started,
            )
            break
        except VmLost as lost:
            if lost.reached_command or attempt == _BOOTS:
                raise
            if say:
                say("the machine did not come up; booting it once more")
    else:
        raise AssertionError
    ended_ns = time.monotonic_ns()
    output, errors = pump.output()
    return Result(
        status=machine.status,
        log_path=kept_log,
        boot_to_command_s=(machine.command_ns - started_ns) / 1e9,
        boot=machine.boot(started_ns),
        seconds=(ended_ns - started_ns) / 1e9,
        accel=mode,
        kernel=chosen.version,
        warnings=tuple(klog.scan_file(kept_log, allowed_warnings)),
        stdout=output,
        stderr=errors,
    )


def _live(
    command: Sequence[str],
    chosen: Kernel,
    mode: str,
    *,
    cpus: int,
    memory: str,
    limits: Limits,
    rw: Sequence[Path],
    cwd: Path,
    environment: Mapping[str, str],
    modules: Sequence[str],
    udev: bool,
    stdin: int | bytes | None,
    sinks: tuple[int | None, int | None],
    console: bool,
    log_path: Path | None,
    kernel_arguments: Sequence[str],
    qemu_arguments: Sequence[str],
    started: Callable[[Sequence[str]], None] | None,
) -> tuple[_Machine, Pump, Path]:
    """One boot, one command, one end: what ``run`` says, once."""
    with run_directory(log_path) as (directory, kept_log):
        plan = Plan(
            tree=slim_tree(chosen.image, chosen.modules, chosen.version, chosen.derived),
            version=chosen.version,
            run=directory,
            cpus=cpus,
            memory=memory,
            accel=mode,
            rw=tuple(path.resolve() for path in rw),
            console=console,
            kernel_arguments=tuple(kernel_arguments),
            qemu_arguments=tuple(qemu_arguments),
        )
        write_init(plan, modules, udev=udev)
        write_command(plan, command, cwd, environment)
        machine = _Machine(plan, kept_log, limits)
        pump = Pump(stdin, *sinks, machine.hear)
        machine.run(pump, started)
        return machine, pump, kept_log


@dataclass(frozen=True)
class Limits:
    """Seconds that a command may take in all, and may be silent; None: for ever."""

    timeout_s: float | None
    silence_s: float | None


class _Machine:
    """One life of a guest: QEMU, what the guest reports, and the limits on both."""

    def __init__(self, plan: Plan, kept_log: Path, limits: Limits) -> None:
        self._plan = plan
        self._kept_log = kept_log
        self._limits = limits
        self._launch_ns = 0
        self._log_bytes = 0
        self._log_grew_ns = 0
        self._uptimes_s: dict[str, float] = {}
        self._status: int | None = None
        self.command_ns = 0

    @property
    def status(self) -> int:
        assert self._status is not None
        return self._status

    def hear(self, line: str, at_ns: int) -> None:
        """Take one line that the guest's init wrote: ``init UPTIME``, ``command UPTIME``,
        ``exit STATUS``."""
        word, _, value = line.partition(" ")
        match word:
            case "exit":
                self._status = int(value)
            case "init" | "command":
                self._uptimes_s[word] = float(value)
                if word == "command":
                    self.command_ns = at_ns
            case _:
                pass

    def boot(self, started_ns: int) -> Boot:
        init_s = self._uptimes_s["init"]
        command_s = self._uptimes_s["command"]
        return Boot(
            compose_s=(self._launch_ns - started_ns) / 1e9,
            firmware_s=(self.command_ns - self._launch_ns) / 1e9 - command_s,
            kernel_s=init_s,
            init_s=command_s - init_s,
        )

    def run(self, pump: Pump, started: Callable[[Sequence[str]], None] | None) -> None:
        """Start QEMU, move the streams, wait for the end."""
        stdin, stdout, stderr, control = pump.guest_ends
        with contextlib.closing(pump), (self._plan.run / "qemu.log").open("wb") as said:
            try:
                command = compose(self._plan, Ports(stdout=stdout, stderr=stderr, control=control))
                if started is not None:
                    started(command)
                self._launch_ns = self._log_grew_ns = time.monotonic_ns()
                leash = Leashed(
                    command,
                    stdin=stdin,
                    # With a terminal the guest's console is on QEMU's own standard streams.
                    stdout=stdout if self._plan.console else said.fileno(),
                    stderr=said.fileno(),
                    pass_fds=(stdout, stderr, control),
                )
            finally:
                pump.close_guest_ends()
            with contextlib.closing(leash):
                self._attend(pump)
                if self._status is None:
                    leash.process.wait()
        if self._status is None:
            self._lost()

    def _attend(self, pump: Pump) -> None:
        off_by_ns: int | None = None
        while not pump.ended:
            if pump.broken:
                # Nobody reads the command's output: as for any filter, that ends it.
                self._status = 141
                return
            if self._status is not None and off_by_ns is None:
                off_by_ns = time.monotonic_ns() + int(_OFF_TIMEOUT_S * 1e9)
            deadline_ns = off_by_ns or self._deadline_ns(pump.last_output_ns)
            left_s = 3600.0
            if deadline_ns is not None:
                left_s = (deadline_ns - time.monotonic_ns()) / 1e9
            if not self.command_ns:
                left_s = min(left_s, self._stall_in_s())
            if left_s <= 0:
                if off_by_ns is not None:
                    return
                self._hung(pump.last_output_ns)
            pump.step(left_s if self.command_ns else min(left_s, 1.0))

    def _stall_in_s(self) -> float:
        """Seconds until a boot whose kernel log does not grow counts as hung."""
        log = self._plan.run / "kernel.log"
        size = log.stat().st_size if log.exists() else 0
        if size != self._log_bytes:
            self._log_bytes, self._log_grew_ns = size, time.monotonic_ns()
        return STALL_S - (time.monotonic_ns() - self._log_grew_ns) / 1e9

    def _deadline_ns(self, last_output_ns: int) -> int | None:
        if not self.command_ns:
            return self._launch_ns + int(BOOT_TIMEOUT_S * 1e9)
        ends = (
            (self.command_ns, self._limits.timeout_s),
            (max(self.command_ns, last_output_ns), self._limits.silence_s),
        )
        return min((since + int(s * 1e9) for since, s in ends if s is not None), default=None)

    def _hung(self, last_output_ns: int) -> None:
        now_ns = time.monotonic_ns()
        timeout_s, silence_s = self._limits.timeout_s, self._limits.silence_s
        if not self.command_ns:
            spent_s = (now_ns - self._launch_ns) / 1e9
            what = f"hung while booting (given up after {spent_s:.0f} s)"
            remedy = "the kernel log tells how far it came"
        elif timeout_s is not None and now_ns - self.command_ns >= timeout_s * 1e9:
            what = f"was still running its command after {timeout_s:g} s and was stopped"
            remedy = "give it more with --timeout if it only was slow"
        else:
            what = f"was stopped because its command had said nothing for {silence_s:g} s"
            remedy = "its last words tell where it hangs, and the kernel log"
        self._raise(what, remedy)

    def _lost(self) -> None:
        log = self._plan.run / "kernel.log"
        said = klog.tail(self._plan.run / "qemu.log", 3)
        if not log.exists() or not log.stat().st_size:
            raise VmError(
                f"QEMU did not start the machine ({' '.join(said) or 'no word why'});"
                " 'scxhid doctor' checks this machine"
            )
        reports = klog.scan_file(log)
        panic = next((report for report in reports if "Kernel panic" in report.line), None)
        what = f"panicked ({panic.line})" if panic else "ended without its command's status"
        self._raise(what, "the kernel log tells why")

    def _raise(self, what: str, remedy: str) -> None:
        log = self._plan.run / "kernel.log"
        raise VmLost(
            f"the virtual machine (kernel {self._plan.version}) {what}; {remedy}: {self._kept_log}",
            self._kept_log,
            klog.last_words(log),
            reached_command=bool(self.command_ns),
        )
