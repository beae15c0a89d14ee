"""The half of setup that needs no root: .venv, what is in it, and the cffi module.

``setup.sh`` runs it as ``environment.py ROOT [--lint]`` with a Python that has
venv and the headers. Standard library only. Each step compares what is there
with what is asked for, so a second run touches neither the disk nor the network.

The checkout is put on the path by a plain ``.pth`` file: an editable install's
import hook would add about 10 ms to every start of every Python in the
environment.
"""

from __future__ import annotations

import compileall
import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import sysconfig
import time
import tomllib
import venv
from pathlib import Path
from typing import Any

EXTRAS = ("vm", "report", "test", "build")
LINT_EXTRAS = ("dev",)
PACKAGES = ("pyloader", "tui", "vm")
LAUNCHER = """\
#!{python}
import sys

from {module} import {function}

if __name__ == "__main__":
    sys.exit({function}())
"""


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def fail(text: str, evidence: str = "") -> None:
    if evidence:
        print(evidence.rstrip(), file=sys.stderr)
    print(f"setup: {text}", file=sys.stderr)
    sys.exit(1)


def enter_environment(home: Path) -> None:
    """Make ``home`` if need be and become its Python; returns once this process runs that."""
    if Path(sys.prefix).resolve() == home.resolve():
        return
    if not _made_by_this_python(home):
        say(f"making {home} with Python {sys.version.split()[0]} ({sys.executable})")
        venv.EnvBuilder(clear=True, symlinks=True, with_pip=True).create(home)
    python = home / "bin" / "python"
    os.execv(python, [str(python), "-B", *sys.argv])


def _made_by_this_python(home: Path) -> bool:
    python = home / "bin" / "python"
    return (
        python.exists()
        and python.resolve() == Path(sys.executable).resolve()
        and subprocess.run([python, "-c", "import pip"], check=False).returncode == 0
    )


class Record:
    """What the steps were last done for: step name → digest, kept inside the environment."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.done: dict[str, str] = json.loads(path.read_text())
        except (OSError, ValueError):
            self.done = {}

    def holds(self, step: str, digest: str) -> bool:
        return self.done.get(step) == digest

    def keep(self, step: str, digest: str) -> None:
        self.done[step] = digest
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps(self.done, indent=1))
        partial.rename(self.path)


def requirements(metadata: dict[str, Any], extras: tuple[str, ...]) -> list[str]:
    """The distributions that ``[project]`` asks for, with those of ``extras``."""
    names: list[str] = list(metadata["dependencies"])
    for extra in extras:
        names += metadata["optional-dependencies"][extra]
    return sorted(names)


def install(names: list[str], step: str, record: Record) -> bool:
    """Have pip install ``names`` unless it already has; True if it ran."""
    digest = hashlib.sha256("\n".join([sys.version, sys.prefix, *names]).encode()).hexdigest()
    if record.holds(step, digest):
        return False
    say("installing Python packages: " + ", ".join(re.split(r"[\[<>=!~ ]", n)[0] for n in names))
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--no-input", "--progress-bar=off", *names]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        doing = line.strip()
        if sys.stdout.isatty() and doing.startswith(("Collecting", "Downloading", "Installing")):
            print(f"\rsetup:   {doing[:68]}\033[K", end="", flush=True)
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    if process.wait() != 0:
        fail(
            "pip could not install the Python packages; its last words are above",
            "".join(said[-15:]),
        )
    record.keep(step, digest)
    return True


def write_if_other(path: Path, text: str, mode: int = 0o644) -> bool:
    """Give ``path`` the content ``text``; True if it had another."""
    if path.exists() and path.read_text() == text and path.stat().st_mode & 0o777 == mode:
        return False
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    partial.chmod(mode)
    partial.rename(path)
    return True


def put_on_path(root: Path, home: Path, scripts: dict[str, str]) -> bool:
    """The ``.pth`` of the checkout and a launcher for each console script."""
    site = Path(sysconfig.get_paths()["purelib"])
    changed = write_if_other(site / "scxhid.pth", f"{root}\n")
    python = home / "bin" / "python"
    # The kernel cuts a #! line at 127 characters and splits it at the first space.
    shebang = str(python)
    if len(shebang) > 120 or " " in shebang:
        shebang = f"/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''"
    for name, target in scripts.items():
        module, function = target.split(":")
        text = LAUNCHER.format(python=shebang, module=module, function=function)
        changed |= write_if_other(home / "bin" / name, text, 0o755)
    if changed:
        say(f"putting the checkout on the path of {home}, with {', '.join(scripts)}")
    return changed


def build_extension(root: Path, record: Record) -> bool:
    """Build pyloader/_libbpf*.so in place unless it was made from the same inputs."""
    from pyloader._ext import builder

    package = root / "pyloader"
    digest = builder.fingerprint()
    if record.holds("extension", digest) and any(package.glob("_libbpf*.so")):
        return False
    say("building the cffi module, with libbpf linked into it")
    # In a process of its own: the compiler writes to this one's standard output otherwise.
    done = subprocess.run(
        [sys.executable, "-m", "pyloader._ext.builder", str(package)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        fail(
            "the cffi module does not build; the compiler's words are above",
            done.stdout + done.stderr,
        )
    record.keep("extension", digest)
    return True


def compile_python(root: Path) -> None:
    """Leave ``.pyc`` files: in a virtual machine the checkout is read-only and emulation slow."""
    for name in PACKAGES:
        compileall.compile_dir(root / name, quiet=1, workers=1)


def compile_programs(root: Path) -> None:
    """Fill the cache of compiled objects, for the same reason: clang is slow there too.

    A program that does not compile is left for whoever uses it to be told.
    """
    from pyloader.compile import compile_object
    from pyloader.errors import ScxhidError

    for folder in ("schedulers", "tests/programs"):
        for source in sorted((root / folder).glob("*.bpf.c")):
            with contextlib.suppress(ScxhidError):
                compile_object(source)


def main() -> None:
    began = time.monotonic_ns()
    root = Path(sys.argv[1]).resolve()
    home = root / ".venv"
    enter_environment(home)
    sys.path.insert(0, str(root))
    metadata = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    record = Record(home / "scxhid-setup.json")
    changed = install(requirements(metadata, EXTRAS), "packages", record)
    if "--lint" in sys.argv[2:]:
        changed |= install(requirements(metadata, EXTRAS + LINT_EXTRAS), "lint packages", record)
    changed |= put_on_path(root, home, metadata["scripts"])
    changed |= build_extension(root, record)
    compile_python(root)
    compile_programs(root)
    if changed:
        say(f"ready, after {(time.monotonic_ns() - began) / 1e9:.0f} s in the environment")


if __name__ == "__main__":
    main()
