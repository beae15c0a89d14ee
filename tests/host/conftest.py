"""Test programs loaded into this machine's kernel."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pyloader.compile import compile_object
from pyloader.object import BpfObject
from pyloader.spec import ObjectSpec

PROGRAMS = Path(__file__).resolve().parents[1] / "programs"


@cache
def _spec(name: str) -> ObjectSpec:
    return ObjectSpec.open(compile_object(PROGRAMS / f"{name}.bpf.c"))


@pytest.fixture(scope="session")
def spec_of() -> Callable[[str], ObjectSpec]:
    """The spec of a test program, by name."""
    return _spec


@pytest.fixture
def load() -> Iterator[Callable[..., BpfObject]]:
    """Load a test program by name; closed when the test ends."""
    with ExitStack() as stack:

        def loaded(name: str, **options: Any) -> BpfObject:
            return stack.enter_context(_spec(name).load(**options))

        yield loaded


@pytest.fixture
def bpffs_mount(tmp_path: Path) -> Iterator[Path]:
    """A BPF file system of the test's own."""
    subprocess.run(["mount", "-t", "bpf", "bpf", tmp_path], check=True)
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


@pytest.fixture
def fill_args() -> Callable[[int], bytearray]:
    """The argument of ``fill`` in globals.bpf.c: the seed, and room for what it reports."""
    return lambda seed: bytearray(seed.to_bytes(4, "little") + bytes(4))
