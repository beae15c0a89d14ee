"""What runs inside the guest before and around the command."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vm.programs import program
from vm.qemu import Plan

#: Host directories that the guest sees with a layer in memory above, so that it can write there.
OVERLAYS = ("/etc", "/home", "/opt", "/root", "/srv", "/tmp", "/usr", "/var")

#: Modules loaded before the command starts: what HID-BPF and its tests stand on.
DEFAULT_MODULES = ("hid", "hid_generic", "uhid", "evdev")

#: The system's programs first; behind them those of the interpreter that runs this, ``scxhid``
#: among them.
PATH = f"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:{Path(sys.executable).parent}"


def write_init(plan: Plan, modules: Sequence[str], *, udev: bool) -> None:
    """Write the guest's first process, ``init.sh`` with its variables, into the run directory."""
    busybox = program("busybox")
    columns, rows = shutil.get_terminal_size()
    values = {
        "BUSYBOX": busybox,
        "MODULES_TREE": str(plan.tree),
        "MODULES": " ".join(modules),
        "UDEV": "1" if udev else "",
        "OVERLAYS": " ".join(path for path in OVERLAYS if os.path.isdir(path)),
        "RW_COUNT": str(len(plan.rw)),
        "HOST_NAME": "scxhid",
        "COMMAND": str(plan.run / "command"),
        "CONSOLE": "1" if plan.console else "",
        "ROWS": str(rows),
        "COLUMNS": str(columns),
    }
    values |= {f"RW_{number}": str(path) for number, path in enumerate(plan.rw)}
    lines = [f"#!{busybox} sh"]
    lines += [f"{name}={shlex.quote(value)}" for name, value in values.items()]
    body = (Path(__file__).parent / "init.sh").read_text()
    init = plan.run / "init"
    init.write_text("\n".join(lines) + "\n" + body)
    init.chmod(0o755)


def write_command(
    plan: Plan, command: Sequence[str], cwd: Path, environment: Mapping[str, str]
) -> None:
    """Write the script that becomes the command, with its directory and environment.

    A file, because a long command does not fit on the kernel's command line.
    """
    values = {
        "PATH": PATH,
        "HOME": "/root",
        "TERM": os.environ.get("TERM", "dumb"),
        "LANG": "C.UTF-8",
        "SHELL": "/bin/sh",
        "USER": "root",
        "LOGNAME": "root",
        **environment,
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    lines.append(f"cd {shlex.quote(str(cwd))} || exit 125")
    # busybox's shell prefers its own small programs to the host's; a path has no such choice.
    lines.append(f"exec {shlex.join([resolved(command[0]), *command[1:]])}")
    (plan.run / "command").write_text("\n".join(lines) + "\n")


def resolved(name: str) -> str:
    """Where the guest, which has this machine's files, finds the program ``name``.

    One that is nowhere gets a path all the same: the guest's shell then says so, with 127.
    """
    if "/" in name:
        return name
    for directory in PATH.split(":"):
        path = os.path.join(directory, name)
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    return f"/usr/bin/{name}"
