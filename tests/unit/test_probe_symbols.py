"""Addresses of the kernel's variables, from lines as /proc/kallsyms has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.probes import symbols

NAMES = st.text("abcdef_.", min_size=1, max_size=12)
PLACES = st.integers(1, 2**64 - 1)


@given(st.dictionaries(NAMES, PLACES, min_size=1, max_size=30), st.integers(1, 64), st.data())
def test_a_name_is_found_wherever_it_is_cut(
    places: dict[str, int], block: int, data: st.DataObject
) -> None:
    lines = [f"{place:016x} B {name}\n" for name, place in places.items()]
    lines.insert(0, f"{1:016x} T {data.draw(NAMES)}\t[a_module]\n")
    path = Path("/dev/shm/scxhid-test-kallsyms")
    path.write_text("".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(symbols, "_BLOCK", block)
        for name, place in places.items():
            assert symbols.address(name, path) == place
        missing = data.draw(NAMES.filter(lambda name: name not in places))
        assert symbols.address(missing, path) == 0
    path.unlink()


@given(st.sets(NAMES, min_size=1, max_size=30), st.integers(1, 64), st.data())
def test_functions_of_the_kernel_and_of_modules_are_found(
    names: set[str], block: int, data: st.DataObject
) -> None:
    ends = ["\n", "\t[a_module]\n"]
    lines = [f"{1:016x} t {name}{data.draw(st.sampled_from(ends))}" for name in sorted(names)]
    path = Path("/dev/shm/scxhid-test-kallsyms-functions")
    path.write_text("".join(lines))
    wanted = data.draw(st.sets(NAMES, max_size=10)) | set(data.draw(st.sampled_from([names, ()])))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(symbols, "_BLOCK", block)
        assert symbols.functions(wanted, path) == wanted & names
    path.unlink()


def test_what_is_hidden_or_damaged_has_no_address(tmp_path: Path) -> None:
    path = tmp_path / "kallsyms"
    path.write_text("0000000000000000 B scx_root\n")
    assert symbols.address("scx_root", path) == 0
    path.write_text("not a line at all scx_root\n scx_root\n")
    assert symbols.address("scx_root", path) == 0
    assert symbols.address("scx_root", tmp_path / "none") == 0
