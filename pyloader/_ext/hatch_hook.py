"""What makes a wheel more than its Python files: the cffi module, the C sources, the BPF objects.

hatchling loads this file by its path (pyproject.toml). The objects are CO-RE, so
one build serves every supported kernel; the cffi module has libbpf linked in and
keeps to the stable ABI, so one build serves every supported Python.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Folder in pyloader/_data → what of the checkout goes there.
CONTENTS = {
    "schedulers": (
        "schedulers/*.bpf.c",
        "schedulers/host/*.[ch]",
        "schedulers/include/*.h",
        "schedulers/rules/*.toml",
    ),
    "hid": (
        "hid/*.bpf.c",
        "hid/original/*.bpf.c",
        "hid/names/*.bpf.c",
        "hid/remap/*.[ch]",
        "hid/tap/*.bpf.c",
        "hid/include/*.h",
        "hid/keymaps/*.toml",
    ),
    "probes": ("pyloader/probes/*.[ch]",),
    "demo": ("tests/programs/refused.bpf.c", "tests/programs/stall.bpf.c"),
}

# Where a folder lies in the checkout, if not under its own name.
CHECKOUT = {"demo": "tests/programs", "probes": "pyloader/probes"}


class WheelContents(BuildHookInterface[Any]):
    """Builds what is not Python into ``build/wheel`` and adds it to the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        # An editable install runs from the checkout, where `make setup` has built everything.
        if version == "editable":
            return
        root = Path(self.root)
        scratch = root / "build" / "wheel"
        scratch.mkdir(parents=True, exist_ok=True)
        # The build may run in an environment of its own, which has only this file on its path.
        sys.path.insert(0, self.root)
        try:
            contents = _contents(root, scratch)
        finally:
            sys.path.remove(self.root)
        build_data["force_include"].update({str(path): name for name, path in contents.items()})
        build_data["pure_python"] = False
        build_data["tag"] = _tag(next(path for path in contents.values() if path.suffix == ".so"))


def _contents(root: Path, scratch: Path) -> dict[str, Path]:
    """Path in the wheel → file on disk, of everything but Python."""
    import pyloader
    from pyloader._ext.builder import build

    module = build(scratch)
    # What follows imports the module that has just been built, which is not in the package yet.
    pyloader.__path__.insert(0, str(scratch))
    from pyloader.compile import compile_object

    contents = {f"pyloader/{module.name}": module}
    for folder, patterns in CONTENTS.items():
        for source in sorted(path for pattern in patterns for path in root.glob(pattern)):
            base = root / CHECKOUT.get(folder, folder)
            target = f"pyloader/_data/{folder}/{source.relative_to(base)}"
            contents[target] = source
            if source.name.endswith(".bpf.c"):
                built = scratch / source.with_suffix(".o").name
                contents[str(Path(target).with_suffix(".o"))] = compile_object(source, built)
    return contents


def _tag(module: Path) -> str:
    """The wheel's tag: ``cp311-abi3-linux_x86_64``, or this very Python's if not abi3."""
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    if ".abi3." in module.name:
        return f"cp311-abi3-{platform}"
    return f"{python}-{python}-{platform}"
