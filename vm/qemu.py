"""From a kernel and a wish to QEMU's command line, by way of virtme-ng.

``virtme-run`` (of virtme-ng) makes the initramfs that loads the virtio and 9p modules and mounts
the host's root, and writes QEMU's arguments. We take both from a dry run and change what has to
differ: our own streams in place of its own, a kernel log that is kept, one serial controller for
all ports, none of QEMU's default devices (they cost 30 s in firmware on QEMU 10), our init.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pyloader.errors import Unsupported
from vm.errors import VmError
from vm.programs import program

QEMU = "qemu-system-x86_64"

#: Multi-threaded emulation of QEMU 7.2 panics guests that attach schedulers in a row.
OLDEST_QEMU = (10, 0)


@dataclass(frozen=True)
class Ports:
    """Descriptors, in QEMU's process, of the pipes behind the guest's streams."""

    stdout: int
    stderr: int
    control: int


@dataclass(frozen=True)
class Plan:
    """A machine to be started.

    ``tree`` holds ``lib/modules/<version>`` with the image in it; ``run`` is the directory of this
    run (init script, initramfs, kernel log); ``rw`` are host directories shared for writing.
    """

    tree: Path
    version: str
    run: Path
    cpus: int
    memory: str
    accel: str
    rw: tuple[Path, ...] = ()
    console: bool = False
    kernel_arguments: tuple[str, ...] = ()
    qemu_arguments: tuple[str, ...] = ()
    loglevel: int = 7


def qemu_version() -> tuple[int, ...] | None:
    """QEMU's version, or None if it is not there or does not start."""
    try:
        done = subprocess.run(
            [program(QEMU), "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError, Unsupported):
        return None
    found = re.search(r"version (\d+(?:\.\d+)+)", done.stdout)
    return tuple(map(int, found[1].split("."))) if found else None


def require_qemu() -> None:
    """Raise Unsupported when QEMU is missing or older than ``OLDEST_QEMU``."""
    program(QEMU)
    version = qemu_version()
    if version is None or version < OLDEST_QEMU:
        has = ".".join(map(str, version)) if version else "an unknown version"
        raise Unsupported(
            f"QEMU {has} is too old: below {OLDEST_QEMU[0]} it crashes guests that change"
            " schedulers; install qemu-system-x86 from your distribution's backports"
        )


def accelerator_arguments(accel: str) -> list[str]:
    """QEMU's arguments for ``kvm`` or ``tcg``."""
    if accel == "kvm":
        return ["-accel", "kvm", "-cpu", "host"]
    return ["-accel", "tcg,thread=multi", "-cpu", "max"]


def compose(plan: Plan, ports: Ports) -> list[str]:
    """QEMU's whole command line for ``plan``; writes the initramfs into ``plan.run``."""
    initramfs = plan.run / "initramfs"
    command = [
        program("virtme-run"),
        *(
            "--kimg",
            str(plan.tree / "lib" / "modules" / plan.version / "vmlinuz"),
            "--mods",
            "auto",
        ),
        *("--force-9p", "--disable-kvm", "--disable-microvm"),
        *("--memory", plan.memory, "--cpus", str(plan.cpus)),
        *("--busybox", program("busybox"), "--qemu-bin", program(QEMU)),
        *("--script-sh", "true", "--dry-run", "--show-command"),
        *("--save-initramfs", str(initramfs)),
    ]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    words = shlex.split(done.stdout)
    if done.returncode or not words:
        said = done.stderr.strip().splitlines()
        raise VmError(
            f"virtme-ng could not compose the machine ({said[-1] if said else 'no word why'});"
            " 'scxhid doctor' says what is missing"
        )
    return _adapt(words, plan, ports)


def _adapt(words: list[str], plan: Plan, ports: Ports) -> list[str]:
    log = plan.run / "kernel.log"
    streams = {
        "id=console": f"file,id=console,path={log}",
        "id=stdout": f"file,id=stdout,path=/proc/self/fd/{ports.stdout}",
        "id=stderr": f"file,id=stderr,path=/proc/self/fd/{ports.stderr}",
        "id=ret": f"file,id=ret,path=/proc/self/fd/{ports.control}",
    }
    out = [words[0], "-nodefaults", "-no-user-config", *accelerator_arguments(plan.accel)]
    controllers = 0
    left = set(streams)
    pairs = _pairs(words[1:])
    for option, value in pairs:
        match option, value:
            case "-chardev", str() if key := _key(value, streams):
                out += [option, streams[key]]
                left.discard(key)
            case "-chardev", str() if "id=dev_std" in value:
                # A second port each for /dev/stdout and /dev/stderr: our init links those to the
                # command's own descriptors.
                continue
            case "-device", str() if "virtme.dev_std" in value or "i6300esb" in value:
                continue
            case "-device", "virtio-serial-pci":
                controllers += 1
                if controllers == 1:
                    out += [option, "virtio-serial-pci,max_ports=8"]
            case "-device", str() if plan.console and "name=virtme.stdin" in value:
                out += [option, "virtconsole,name=scxhid.console,chardev=stdin"]
            case "-device", str() if "name=virtme.ret" in value:
                out += [option, value.replace("virtme.ret", "scxhid.control")]
            case "-append", str():
                out += [option, _kernel_command_line(value, plan)]
            case "-cpu", _:
                continue
            case "-smp", _ if "-smp" in plan.qemu_arguments:
                continue
            case _, None:
                out.append(option)
            case _, str():
                out += [option, value]
    if left or controllers == 0 or "-append" not in out:
        raise VmError(
            "this version of virtme-ng writes its QEMU command line in an unknown way;"
            " install the version that scxhid[vm] asks for"
        )
    for number, directory in enumerate(plan.rw):
        out += [
            "-fsdev",
            f"local,id=rw{number},path={_quoted(str(directory))},security_model=none,"
            "multidevs=remap",
            "-device",
            f"virtio-9p-pci,fsdev=rw{number},mount_tag=rw{number}",
        ]
    return [*out, *plan.qemu_arguments]


def _pairs(words: list[str]) -> list[tuple[str, str | None]]:
    pairs: list[tuple[str, str | None]] = []
    for word in words:
        if word.startswith("-") or not pairs or pairs[-1][1] is not None:
            pairs.append((word, None))
        else:
            pairs[-1] = (pairs[-1][0], word)
    return pairs


def _key(value: str, streams: dict[str, str]) -> str | None:
    return next((key for key in streams if key in value.split(",")), None)


def _quoted(value: str) -> str:
    """A value inside one of QEMU's comma-separated options."""
    return value.replace(",", ",,")


def _kernel_command_line(line: str, plan: Plan) -> str:
    """Keep what virtme-ng's initramfs reads, drop what only its init does, add ours."""
    dropped = ("virtme", "quiet", "loglevel=", "init=", "earlyprintk", "panic=", "nr_open=")
    kept = [word for word in shlex.split(line) if not word.startswith(dropped)]
    return " ".join(
        [
            *kept,
            f"loglevel={plan.loglevel}",
            # Any oops ends the machine, and -no-reboot turns that into an end of QEMU.
            "oops=panic",
            "panic=-1",
            *plan.kernel_arguments,
            f"init={plan.run / 'init'}",
        ]
    )
