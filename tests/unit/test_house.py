"""The rules of the house that a reader of one file cannot see."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("pyloader", "tui", "vm")
PYTHON = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
C = sorted(
    path
    for folder in ("schedulers", "hid", "tests", "pyloader", "vm")
    for path in (ROOT / folder).rglob("*.[ch]")
)
LONGEST_FILE = 500  # aim at half of that; past 400 ask which two ideas a file holds


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    """Dotted names of all modules that ``path`` imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imports_package(path: Path, package: str) -> bool:
    return any(found == package or found.startswith(f"{package}.") for found in imports(path))


def test_imports_follow_the_arrows_of_the_house() -> None:
    forbidden = {"pyloader": ("tui", "vm"), "tui": ("vm",), "vm": ("tui",)}
    assert not [
        f"{name(path)} imports {other}"
        for path in PYTHON
        for other in (*forbidden[path.relative_to(ROOT).parts[0]], "tests")
        if imports_package(path, other)
    ]


def test_only_one_module_calls_c() -> None:
    calling = {name(path) for path in PYTHON if imports_package(path, "pyloader._libbpf")}
    assert calling == {"pyloader/libbpf/calls.py"}
    interfaces = {name(p) for p in PYTHON for c in ("cffi", "ctypes") if imports_package(p, c)}
    assert interfaces == {"pyloader/_ext/builder.py"}


@pytest.mark.parametrize(
    ("text", "home"),
    [
        ("/sys/fs/bpf", "pyloader/bpffs.py"),
        ("/sys/kernel/sched_ext", "pyloader/sysfs.py"),
    ],
)
def test_one_module_knows_each_path_of_the_kernel(text: str, home: str) -> None:
    knowing = {
        name(path)
        for path in PYTHON
        if name(path).startswith("pyloader/")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(text)
    }
    assert knowing <= {home}


def test_a_file_fits_in_a_readers_head() -> None:
    lengths = {name(p): len(p.read_text().splitlines()) for p in PYTHON + TESTS + C}
    assert not {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE}


def test_a_module_says_what_it_is_for() -> None:
    trees = {name(path): ast.parse(path.read_text()) for path in PYTHON}
    assert not [path for path, tree in trees.items() if tree.body and not ast.get_docstring(tree)]


def test_no_file_is_named_after_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
    assert not [name(path) for path in PYTHON + TESTS + C if path.stem in vague]


def test_c_files_name_their_licence() -> None:
    licence = "SPDX-License-Identifier: GPL-2.0-or-later"
    assert not [name(path) for path in C if licence not in path.read_text()[:200]]


def test_nothing_is_left_to_be_done() -> None:
    pattern = re.compile(r"\b(TODO|FIXME|XXX)\b|NotImplementedError")
    this = Path(__file__).name
    left = [
        f"{name(path)}:{number}"
        for path in PYTHON + TESTS + C
        if path.name != this
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]
    assert not left


def test_generated_files_are_not_in_the_tree() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    generated = (".so", ".o", ".pyc", ".whl")
    assert not [path for path in listed if path.endswith(generated) or path.endswith("vmlinux.h")]
