"""Files that are no good object, as a user meets them: status 1 and one sentence."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Scxhid = Callable[..., Outcome]
ObjectOf = Callable[[str], Path]

COMMANDS = [("sched", "use"), ("sched", "info"), ("check",)]


def _empty(whole: bytes) -> bytes:
    return b""


def _text(whole: bytes) -> bytes:
    return b"#!/bin/sh\necho this is no object\n"


def _half(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _header(whole: bytes) -> bytes:
    return whole[:32]


def _other_machine(whole: bytes) -> bytes:
    return whole[:18] + (183).to_bytes(2, "little") + whole[20:]  # aarch64


def _scrambled(whole: bytes) -> bytes:
    middle = len(whole) // 4
    return whole[:middle] + bytes(reversed(whole[middle : 2 * middle])) + whole[2 * middle :]


DAMAGE = {
    _empty: "is not an ELF file",
    _text: "is not an ELF file",
    _half: "is truncated: its section table lies past its end",
    _header: "is truncated: 32 bytes do not hold an ELF header",
    _other_machine: "is for another machine (ELF machine 183), not BPF",
    _scrambled: "",
}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__[1:])
def test_bad_object_is_one_sentence_that_names_it(
    command: tuple[str, ...],
    damage: Callable[[bytes], bytes],
    scxhid: Scxhid,
    object_of: ObjectOf,
    tmp_path: Path,
) -> None:
    bad = tmp_path / "bad.bpf.o"
    bad.write_bytes(damage(object_of("simple").read_bytes()))
    done = scxhid(*command, bad)
    assert done.status == 1
    assert done.err.startswith(f"scxhid: {bad} ")
    assert DAMAGE[damage] in done.err
    assert done.err.count("\n") == 1
    assert done.out == ""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_object_without_btf_says_how_to_get_it(
    command: tuple[str, ...], scxhid: Scxhid, object_of: ObjectOf, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.bpf.o"
    objcopy = shutil.which("llvm-objcopy") or "llvm-objcopy-14"
    removed = [
        f"--remove-section={part}" for part in (".BTF", ".BTF.ext", ".rel.BTF", ".rel.BTF.ext")
    ]
    subprocess.run([objcopy, *removed, object_of("simple"), bare], check=True)
    done = scxhid(*command, bare)
    assert done.status == 1
    assert "has no type information (BTF); compile it with -g, or `scxhid build`" in done.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_source_that_does_not_compile_shows_clangs_words_and_status_1(
    command: tuple[str, ...], scxhid: Scxhid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "wrong.bpf.c"
    source.write_text('#include "scx.h"\nint x = y;\n')
    done = scxhid(*command, source)
    assert done.status == 1
    assert "wrong.bpf.c:2:9: error: use of undeclared identifier 'y'" in done.err
    assert done.err.endswith(f"scxhid: {source} does not compile; clang's diagnostics are above\n")
    assert done.out == ""
