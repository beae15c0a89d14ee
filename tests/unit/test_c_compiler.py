"""C programs for a guest: compiled once for what they are made of, and what is said when not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyloader.errors import Unsupported
from vm.c_compiler import BadSource, compile_kept, has_library


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "main.c"
    path.write_text("int main(void) { return 0; }\n")
    return path


def test_a_program_is_compiled_once_for_each_content_and_option(source: Path) -> None:
    first = compile_kept("it", [source])
    made = first.stat().st_mtime_ns
    assert compile_kept("it", [source]) == first
    assert first.stat().st_mtime_ns == made
    assert compile_kept("it", [source], "-static") != first
    source.write_text("int main(void) { return 1; }\n")
    assert compile_kept("it", [source]) != first


def test_a_changed_header_makes_another(source: Path) -> None:
    header = source.with_suffix(".h")
    header.write_text("#define STATUS 0\n")
    first = compile_kept("it", [source], headers=[header])
    header.write_text("#define STATUS 1\n")
    assert compile_kept("it", [source], headers=[header]) != first


def test_nothing_is_kept_of_what_does_not_compile(source: Path) -> None:
    source.write_text("int main(void) { return nothing; }\n")
    with pytest.raises(BadSource, match=r"main\.c does not compile \(.*nothing"):
        compile_kept("it", [source])
    source.write_text("int main(void) { return 0; }\n")
    assert compile_kept("it", [source]).is_file()


def test_a_library_that_is_missing_is_named(source: Path) -> None:
    assert not has_library("libnowhere.a")
    with pytest.raises(Unsupported, match=r"there is no -l:libnowhere\.a"):
        compile_kept("it", [source], "-l:libnowhere.a")


def test_the_library_that_each_compiler_brings_is_found() -> None:
    assert has_library("libgcc.a")


def test_no_compiler_is_said_in_one_sentence(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "/nowhere/cc")
    with pytest.raises(Unsupported, match="the C compiler /nowhere/cc cannot be run"):
        compile_kept("it", [source])
