"""``scxhid status`` of an installed wheel, against ``python3 -c pass`` of the same interpreter."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

from pyloader.errors import ScxhidError
from vm.bench.floor import BUILD, ROOT
from vm.bench.result import Result, compare
from vm.bench.turns import in_turns, once

SUITE = "status_startup"
_ROUNDS = 40


def measure(tell: Callable[[str], None]) -> list[Result]:
    """Wall time from the start of the process to its end."""
    tell("building and installing the wheel")
    programs = install()
    tell(f"starting each {_ROUNDS} times")
    samples = in_turns(
        {
            "status": once(lambda: _start([str(programs / "scxhid"), "status"])),
            "pass": once(lambda: _start([str(programs / "python3"), "-c", "pass"])),
        },
        _ROUNDS,
    )
    words = "python3 -c pass of the same interpreter"
    return [compare(SUITE, samples, "status", "pass", words=words, unit="ms", limit=6)]


def install() -> Path:
    """Install the wheel of this checkout by itself; the directory of its programs.

    What it depends on is linked in from the environment that runs this: the import path is that
    of a real installation (``pipx``), and nothing is downloaded.
    """
    built, home = BUILD / "dist", BUILD / "venv"
    for old in (built, home):
        shutil.rmtree(old, ignore_errors=True)
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)])
    venv.create(home, symlinks=True)
    python = home / "bin" / "python3"
    wheel = next(built.glob("*.whl"))
    _run([sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps",
          "--no-index", "--disable-pip-version-check", str(wheel)])  # fmt: skip
    target = home / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        ours = path.name.startswith(("scxhid", "__pycache__")) or path.suffix == ".pth"
        if not ours and not (target / path.name).exists():
            (target / path.name).symlink_to(path)
    return python.parent


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ScxhidError(
            f"the wheel could not be built and installed for the benchmark ({command[2]} said:"
            f" {said[-1] if said else 'nothing'}); `make wheel` shows all of it"
        )


def _start(command: list[str]) -> None:
    done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        raise ScxhidError(f"{' '.join(command)} ended with status {done.returncode}")
