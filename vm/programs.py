"""Where the programs are that the virtual machine needs, and which package brings each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from pyloader.errors import Unsupported
from vm.errors import VmError

#: program → (Debian package, what it is needed for)
PACKAGES: dict[str, tuple[str, str]] = {
    "qemu-system-x86_64": ("qemu-system-x86", "running virtual machines"),
    "busybox": ("busybox-static", "the guest's first programs"),
    "modprobe": ("kmod", "finding kernel modules"),
    "depmod": ("kmod", "making the module tree of a guest"),
    "zstd": ("zstd", "unpacking kernel modules"),
    "apt-get": ("apt", "fetching kernels"),
    "dpkg-deb": ("dpkg", "unpacking kernels"),
    "file": ("file", "virtme-ng's look at binaries"),
    "cc": ("gcc", "compiling the load of guest tests"),
    "cyclictest": ("rt-tests", "the workload cyclictest"),
    "hackbench": ("rt-tests", "the workload hackbench"),
    "stress-ng": ("stress-ng", "the workload stress-ng"),
}

_SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def search_path() -> str:
    """PATH with the interpreter's own directory first and the sbin directories last."""
    parts = [str(Path(sys.executable).parent), *os.environ.get("PATH", os.defpath).split(":")]
    parts += [directory for directory in _SBIN if directory not in parts]
    return ":".join(parts)


def find_program(name: str) -> str | None:
    """The absolute path of a program, or None."""
    return shutil.which(name, path=search_path())


def program(name: str) -> str:
    """The absolute path of a program.

    Raises:
        Unsupported: it is not installed.
    """
    path = find_program(name)
    if path is None:
        package, purpose = PACKAGES.get(name, (name, "running virtual machines"))
        raise Unsupported(
            f"the program {name} is not on this machine and is needed for {purpose};"
            f" install the package {package} (on Debian: apt-get install {package})"
        )
    return path


def run_tool(name: str, *words: str) -> None:
    """Run a program that has to succeed and says nothing worth keeping when it does.

    Raises:
        VmError: it failed; the last line of what it said is in the sentence.
    """
    done = subprocess.run(
        [program(name), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise VmError(
            f"'{name} {' '.join(words)}' failed ({said[-1] if said else done.returncode});"
            " 'scxhid doctor' checks what machines need"
        )
