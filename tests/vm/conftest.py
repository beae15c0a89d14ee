"""Machines for the tests of ``vm``: few boots, and none that is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.vm.started import REPOSITORY, Ended, Running, command
from vm.kernels import Kernel, choose


@pytest.fixture(scope="session")
def kernel() -> Kernel:
    """The newest kernel, fetched if need be."""
    return choose()


@pytest.fixture
def scxhid_vm() -> Callable[..., Ended]:
    """Run ``scxhid vm …`` as a user would, to its end."""

    def call(*words: str, stdin: bytes = b"", cwd: Path = REPOSITORY, **environment: str) -> Ended:
        done = subprocess.run(
            command(*words),
            input=stdin,
            capture_output=True,
            timeout=300,
            check=False,
            cwd=cwd,
            env={**os.environ, **environment},
        )
        return Ended(done.returncode, done.stdout, done.stderr.decode(errors="replace"))

    return call


@pytest.fixture
def running(tmp_path: Path, kernel: Kernel) -> Generator[Callable[..., Running]]:
    """Start ``scxhid vm …`` and leave it running; whatever the test does, it ends."""
    started: list[Running] = []

    def start(*words: str) -> Running:
        # The run's own directory is on QEMU's command line; a link makes it this test's.
        cache = tmp_path / "cache"
        if not cache.exists():
            cache.mkdir()
            (cache / "scxhid").mkdir()
            real = kernel.derived.parent.parent
            for name in ("kernels", "derived", "kvm.json", "index.json"):
                if (real / name).exists():
                    (cache / "scxhid" / name).symlink_to(real / name)
        process = subprocess.Popen(
            command(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=REPOSITORY,
            env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        )
        started.append(Running(str(cache), process))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()
        for pid in each.machines():
            os.kill(pid, signal.SIGKILL)
