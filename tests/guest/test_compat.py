"""The fallbacks in compat.h: each is dated with the last series that needs it, and needs it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from vm.support_table import MISSING_PROPERTY

_HEADER = Path(__file__).resolve().parents[2] / "schedulers" / "include" / "compat.h"
_BTF = Path("/sys/kernel/btf/vmlinux")
_FUNCTION = re.compile(r"^static __always_inline [^;{]*?(\w+)\([^;{]*\)\n\{\n(.*?)^\}", re.M | re.S)
_ASKED = re.compile(r"bpf_ksym_exists\((\w+)\)")
_DATED = re.compile(r"goes with (\d+)\.(\d+)")

_Version = tuple[int, int]


@dataclass(frozen=True)
class Shim:
    """A function of compat.h: the newest name that it asks for, and the last series without it."""

    name: str
    newest: str
    last_without: _Version

    def __str__(self) -> str:
        return self.name


def shims() -> list[Shim]:
    found: list[Shim] = []
    for name, body in _FUNCTION.findall(_HEADER.read_text()):
        asked, dated = _ASKED.search(body), _DATED.search(body)
        # Without a series: what one faulty build lacks, and every kernel has.
        if asked and dated:
            newest = _without_flavour(asked[1])
            found.append(Shim(name, newest, (int(dated[1]), int(dated[2]))))
    return found


def _without_flavour(name: str) -> str:
    """A name as libbpf looks it up: the last ``___word`` is cut off."""
    return name[: name.rindex("___")] if "___" in name else name


@pytest.fixture(scope="module")
def names() -> bytes:
    """The strings of the kernel's BTF, each between two zero bytes."""
    return _BTF.read_bytes()


def test_there_are_shims_and_each_is_dated() -> None:
    assert len(shims()) >= 7
    for name, body in _FUNCTION.findall(_HEADER.read_text()):
        assert "bpf_ksym_exists" not in body or "goes with" in body or name == "can_kick_cpu"


@pytest.mark.smoke
@pytest.mark.parametrize("shim", shims(), ids=str)
def test_a_fallback_serves_the_kernels_that_it_is_dated_for(
    shim: Shim, names: bytes, request: pytest.FixtureRequest
) -> None:
    release = re.match(r"(\d+)\.(\d+)", os.uname().release)
    assert release
    running = (int(release[1]), int(release[2]))
    there = f"\0{shim.newest}\0".encode() in names
    if not there:
        said = f"{shim.newest} (after {shim.last_without[0]}.{shim.last_without[1]})"
        request.node.user_properties.append((MISSING_PROPERTY, said))
    assert there == (running > shim.last_without), (
        f"{shim.newest} is {'there' if there else 'missing'} in {running[0]}.{running[1]},"
        f" and {shim.name} in compat.h is dated {shim.last_without[0]}.{shim.last_without[1]}"
    )
