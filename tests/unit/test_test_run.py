"""That a green `make test` means what it says: nothing skipped, all counted."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

TESTS = Path(__file__).resolve().parents[1]
pytest_plugins = ["pytester"]


@pytest.fixture
def run() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run", TESTS / "run.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("..\n2 passed in 0.10s\n", {"passed": 2}),
        (
            "=== 1 failed, 3 passed, 2 skipped in 61.20s (0:01:01) ===",
            {"failed": 1, "passed": 3, "skipped": 2},
        ),
        ("\x1b[32m\x1b[1m7 passed\x1b[0m\x1b[32m in 1.05s\x1b[0m\n", {"passed": 7}),
        ("1 passed in 1s\n2 errors in 0.4s\n", {"errors": 2}),
        ("no tests ran in 0.01s", {}),
        ("Traceback: 3 passed by", {}),
    ],
)
def test_closing_line_is_counted(output: str, expected: dict[str, int], run: ModuleType) -> None:
    assert run.counts(output) == expected


@pytest.mark.parametrize(
    ("parts", "status", "closing"),
    [
        (["echo 3 passed in 1s", "echo 2 passed in 1s"], 0, "5 passed, 0 failed"),
        (["echo 1 failed, 3 passed in 1s; exit 1", "echo 2 passed in 1s"], 1, "5 passed, 1 failed"),
        (["echo 3 passed in 1s", "echo the VM was lost; exit 124"], 1, "3 passed, 1 failed"),
        (["echo 3 passed in 1s", "true"], 1, "3 passed, 1 failed"),
        (["echo 3 passed, 1 skipped in 1s", "echo 2 passed in 1s"], 1, "5 passed, 1 failed"),
    ],
)
def test_the_parts_are_summed(
    parts: list[str],
    status: int,
    closing: str,
    run: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    commands = {f"part {n}": ["sh", "-c", part] for n, part in enumerate(parts)}
    monkeypatch.setattr(run, "PARTS", commands)
    assert run.main() == status
    assert capfd.readouterr().out.splitlines()[-1] == closing


def test_what_failed_is_said_again_before_the_sum(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    commands = {
        "here": [*("sh", "-c"), "echo FAILED tests/a.py::b - no; echo 1 failed in 1s; exit 1"],
        "there": [*("sh", "-c"), "echo tests/c.py::d hangs; exit 124"],
    }
    monkeypatch.setattr(run, "PARTS", commands)
    assert run.main() == 1
    assert capfd.readouterr().out.splitlines()[-4:] == [
        "FAILED tests/a.py::b - no",
        "the tests there ended with status 124 and no failed test; at last:",
        "  tests/c.py::d hangs",
        "0 passed, 2 failed",
    ]


def test_a_part_that_runs_beside_another_is_told_after_it_and_counted(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    commands = {
        run.BESIDE: ["sh", "-c", "echo 1 failed, 3 passed in 1s; exit 1"],
        "here": ["sh", "-c", "sleep 0.2; echo 2 passed in 1s"],
        "there": ["sh", "-c", "echo 4 passed in 1s"],
    }
    monkeypatch.setattr(run, "PARTS", commands)
    assert run.main() == 1
    said = capfd.readouterr().out.splitlines()
    heads = [line for line in said if line.startswith("==")]
    assert heads == ["== tests here", f"== tests {run.BESIDE}", "== tests there"]
    assert said[-1] == "9 passed, 1 failed"


@pytest.fixture
def skipping(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest((TESTS / "conftest.py").read_text())
    pytester.makepyfile(
        test_one="""
            import pytest
            def test_passes(): pass
            def test_skips(): pytest.skip("no such device")
            """,
        test_two="""
            import pytest
            pytest.skip("no such module", allow_module_level=True)
            """,
    )
    return pytester


def test_a_skip_is_a_skip(skipping: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCXHID_NO_SKIP", raising=False)
    skipping.runpytest().assert_outcomes(passed=1, skipped=2)


def test_a_skip_fails_where_none_is_allowed(skipping: pytest.Pytester) -> None:
    result = skipping.runpytest("--no-skip", "--continue-on-collection-errors")
    result.assert_outcomes(passed=1, failed=1, errors=1)
    result.stdout.fnmatch_lines(["*nothing may be skipped*no such module*"])
    result.stdout.fnmatch_lines(["*nothing may be skipped*no such device*"])


def test_an_expected_failure_is_no_skip(pytester: pytest.Pytester) -> None:
    pytester.makeconftest((TESTS / "conftest.py").read_text())
    pytester.makepyfile("import pytest\n@pytest.mark.xfail\ndef test_it(): assert False")
    pytester.runpytest("--no-skip").assert_outcomes(xfailed=1)
