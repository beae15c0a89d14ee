"""Compiling: the cache goes by content, the errors are clang's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyloader import compile as compiler
from pyloader.compile import cache_dir, compile_object
from pyloader.errors import CompileError, ScxhidError, Unsupported
from pyloader.spec import ObjectSpec

SOURCE = """\
#include "scx.h"
#include "answer.h"
char _license[] SEC("license") = "GPL";
const volatile u32 answer = ANSWER;
SEC("syscall") int get(void *context) { return answer; }
"""


@pytest.fixture(autouse=True)
def fresh_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A cache of the test's own, and clang looked for anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    compiler.find_clang.cache_clear()
    yield
    compiler.find_clang.cache_clear()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "with a space"
    folder.mkdir()
    (folder / "answer.h").write_text("#define ANSWER 42\n")
    path = folder / "small.bpf.c"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The compilers that have been started, by their first word."""
    started: list[str] = []
    original = subprocess.run

    def counted(command: list[str], **options: object) -> object:
        started.append(Path(command[0]).name)
        return original(command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", counted)
    return started


def _answer(path: Path) -> int:
    return ObjectSpec.open(path).variables["answer"].initial


def test_object_is_compiled_into_the_cache(source: Path) -> None:
    path = compile_object(source)
    assert path.is_relative_to(cache_dir())
    assert path.name == "small.bpf.o"
    assert _answer(path) == 42


def test_second_compile_starts_no_process(source: Path, runs: list[str]) -> None:
    first = compile_object(source)
    assert runs
    runs.clear()
    assert compile_object(source) == first
    assert runs == []


def test_changed_source_is_compiled_anew_and_the_old_one_is_found_again(
    source: Path, runs: list[str]
) -> None:
    first = compile_object(source)
    source.write_text(SOURCE.replace("ANSWER;", "ANSWER + 1;"))
    assert _answer(compile_object(source)) == 43
    source.write_text(SOURCE)
    runs.clear()
    assert compile_object(source) == first
    assert runs == []


def test_changed_header_is_noticed(source: Path) -> None:
    compile_object(source)
    header = source.parent / "answer.h"
    stat = header.stat()
    header.write_text("#define ANSWER 43\n")  # as long as before, and as old
    os.utime(header, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert _answer(compile_object(source)) == 43


def test_header_that_has_gone_is_noticed(source: Path) -> None:
    compile_object(source)
    (source.parent / "answer.h").unlink()
    with pytest.raises(CompileError, match=r"small\.bpf\.c does not compile") as caught:
        compile_object(source)
    assert "answer.h" in caught.value.diagnostics


def test_touched_source_is_not_compiled_again(source: Path, runs: list[str]) -> None:
    compile_object(source)
    runs.clear()
    os.utime(source)
    compile_object(source)
    assert runs == []


def test_many_compiles_at_once_do_not_disturb_each_other(source: Path, launcher: Path) -> None:
    targets = [source.parent / f"{number}.o" for number in range(6)]
    running = [subprocess.Popen([launcher, "build", source, "-o", out]) for out in targets]
    assert [process.wait() for process in running] == [0] * 6
    assert len({target.read_bytes() for target in targets}) == 1
    assert not list(cache_dir().rglob(".compile-*"))


def test_spoiled_cache_entry_is_made_anew(source: Path) -> None:
    compile_object(source)
    for manifest in cache_dir().rglob("manifest.json"):
        manifest.write_text("{")
    assert _answer(compile_object(source)) == 42


def test_error_is_clangs_own_and_leaves_nothing_in_the_cache(source: Path) -> None:
    source.write_text(SOURCE.replace("return answer", "return question"))
    with pytest.raises(CompileError) as caught:
        compile_object(source)
    words = caught.value.diagnostics
    assert "small.bpf.c:5:" in words
    assert "error: use of undeclared identifier 'question'" in words
    assert caught.value.exit_status == 1
    assert not [path for path in cache_dir().rglob("*") if path.is_file()]


def test_warnings_are_told_once(source: Path) -> None:
    source.write_text(SOURCE.replace("{ return", "{ int unused; return"))
    told: list[str] = []
    compile_object(source, warn=told.append)
    assert len(told) == 1
    assert "unused variable 'unused'" in told[0]
    compile_object(source, warn=told.append)
    assert len(told) == 1


def test_good_source_has_no_warnings(source: Path) -> None:
    compile_object(source, warn=pytest.fail)


def test_object_is_written_where_asked(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "here.o"
    assert compile_object(source, out) == out
    assert _answer(out) == 42


def test_place_that_cannot_be_written_is_named(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ScxhidError, match=r"none/here\.o cannot be written: No such file"):
        compile_object(source, tmp_path / "none" / "here.o")


def test_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScxhidError, match=r"none\.bpf\.c does not exist"):
        compile_object(tmp_path / "none.bpf.c")


def test_cache_that_cannot_be_made_says_what_helps(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/version")
    with pytest.raises(ScxhidError, match="set XDG_CACHE_HOME to a place that can") as caught:
        compile_object(source)
    assert caught.value.exit_status == 1


def test_clang_that_is_named_and_missing_is_unsupported(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLANG", "clang-of-tomorrow")
    with pytest.raises(Unsupported, match="CLANG is 'clang-of-tomorrow'") as caught:
        compile_object(source)
    assert caught.value.exit_status == 3


def test_missing_clang_points_to_doctor(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLANG", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Unsupported, match="`scxhid doctor` says how to get it"):
        compile_object(source)


def test_other_compiler_has_other_objects(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compile_object(source)
    other = tmp_path / "other-clang"
    other.write_text(f'#!/bin/sh\nexec {shutil.which(compiler.find_clang())} "$@"\n')
    other.chmod(0o755)
    monkeypatch.setenv("CLANG", str(other))
    compiler.find_clang.cache_clear()
    second = compile_object(source)
    assert second != first
    assert _answer(second) == 42


def test_object_carries_btf_but_no_debug_sections(source: Path) -> None:
    data = compile_object(source).read_bytes()
    assert b".BTF\0" in data
    assert b".debug_info" not in data
