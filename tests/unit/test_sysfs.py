"""What the kernel's files say of sched_ext, from a directory in their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyloader import sysfs
from pyloader.sysfs import SchedExt


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sysfs, "_ROOT", str(tmp_path))
    return tmp_path


def _attach(files: Path, ops: str) -> None:
    (files / "state").write_text("enabled\n")
    (files / "enable_seq").write_text("12\n")
    (files / "root").mkdir()
    (files / "root" / "ops").write_text(f"{ops}\n")


def test_kernel_without_the_files_is_unsupported(files: Path) -> None:
    assert sysfs.read() == SchedExt("unsupported")
    assert not sysfs.read().is_supported
    assert sysfs.events() == {}


def test_state_without_a_scheduler(files: Path) -> None:
    (files / "state").write_text("disabled\n")
    (files / "enable_seq").write_text("3\n")
    now = sysfs.read()
    assert (now.state, now.ops, now.enable_seq) == ("disabled", None, 3)
    assert now.is_supported
    assert not now.runs("simple")


def test_scheduler_that_runs_is_known_by_its_name(files: Path) -> None:
    _attach(files, "simple")
    now = sysfs.read()
    assert now.runs("simple")
    assert not now.runs("simpl")
    assert now.enable_seq == 12


@pytest.mark.parametrize("state", ["enabling", "disabling", "bypassing"])
def test_scheduler_on_its_way_does_not_run(state: str, files: Path) -> None:
    _attach(files, "simple")
    (files / "state").write_text(f"{state}\n")
    assert not sysfs.read().runs("simple")


def test_state_is_read_afresh_each_time(files: Path) -> None:
    _attach(files, "simple")
    assert sysfs.read().runs("simple")
    (files / "state").write_text("disabled\n")
    assert not sysfs.read().runs("simple")


def test_events_are_numbers_by_name(files: Path) -> None:
    _attach(files, "simple")
    lines = "SCX_EV_SELECT_CPU_FALLBACK 4\nSCX_EV_REFILL_SLICE_DFL 123456\nnonsense\nodd x\n"
    (files / "root" / "events").write_text(lines)
    assert sysfs.events() == {"SCX_EV_SELECT_CPU_FALLBACK": 4, "SCX_EV_REFILL_SLICE_DFL": 123456}


def test_name_that_is_no_text_is_no_error(files: Path) -> None:
    _attach(files, "simple")
    (files / "root" / "ops").write_bytes(b"\xff\xfe\n")
    assert sysfs.read().ops == "\ufffd\ufffd"
