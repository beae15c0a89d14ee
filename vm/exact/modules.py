"""Kernel modules that a workload needs, as files for the initramfs: unpacked, in load order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vm.errors import VmError
from vm.kernels import Kernel
from vm.modules import canonical, needed_paths, read_dependencies, slim_tree


def module_files(kernel: Kernel, names: Sequence[str]) -> dict[str, bytes]:
    """The modules called ``names`` and all they need, by file name, in the order to load them.

    What is built into the kernel is left out.

    Raises:
        VmError: the kernel brings one of them neither built in nor as a module.
    """
    if not names:
        return {}
    tree = slim_tree(kernel.image, kernel.modules, kernel.version, kernel.derived)
    directory = tree / "lib" / "modules" / kernel.version
    dependencies = read_dependencies((directory / "modules.dep").read_text())
    builtin = directory / "modules.builtin"
    known = {canonical(line) for line in builtin.read_text().splitlines()} | set(dependencies)
    for name in names:
        if canonical(name) not in known:
            raise VmError(f"the kernel {kernel.version} has no module {name}, which it takes")
    paths = needed_paths(dependencies, names)
    return {Path(path).name: (directory / path).read_bytes() for path in paths}
