"""Which command installs a system package on this machine.

The lists are those that the setup of a checkout installs (``_setup/packages``):
one line a package, with the oldest version that will do.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

_SETUP = Path(__file__).resolve().parent / "_setup"
_CHECKOUT = _SETUP.parent.parent
_MANAGERS = {
    "apt": ("apt-get", "sudo apt-get install {}"),
    "dnf": ("dnf", "sudo dnf install {}"),
    "pacman": ("pacman", "sudo pacman -S --needed {}"),
}


def in_checkout() -> bool:
    """Whether this package is the one of a checkout, which `make setup` takes care of."""
    return (_CHECKOUT / "Makefile").is_file() and (_CHECKOUT / "schedulers").is_dir()


def manager() -> str | None:
    """``apt``, ``dnf`` or ``pacman``, whichever this machine has."""
    return next((name for name, (tool, _) in _MANAGERS.items() if shutil.which(tool)), None)


def oldest(name: str, listed: str) -> str | None:
    """The oldest version of package ``name`` that will do, by the list ``listed``; None for any."""
    for line in (_SETUP / "packages" / listed).read_text().splitlines():
        package, at_least, *_ = [*line.split(), "", ""]
        if package == name and at_least != "-":
            return at_least
    return None


def install_command(names: Iterable[str]) -> str:
    """The command that installs ``names``, in Debian's spelling, on this machine."""
    names = list(names)
    if in_checkout():
        return f"make -C {_CHECKOUT} setup"
    found = manager()
    if found is None:
        return f"install {', '.join(names)} (Debian's names) with this machine's package manager"
    wanted = {name: oldest(name, found) for name in names}
    if found == "apt" and any(wanted.values()):
        # Plain apt-get would take the release's own version, which may be too old.
        pairs = " ".join(f"{name}/{least}" if least else name for name, least in wanted.items())
        return f"sudo sh {_SETUP / 'apt.sh'} {pairs}"
    return _MANAGERS[found][1].format(" ".join(names))
