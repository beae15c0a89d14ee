"""``scxhid doctor``: one check a thing, a remedy for each that is missing, a stable JSON form."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pyloader import bpffs, doctor, packages, sysfs
from pyloader.cli.doctor import doctor as command
from pyloader.doctor import Check
from pyloader.errors import NotPermitted


@pytest.mark.parametrize(
    ("release", "ok"),
    [
        ("7.3.4+deb13-amd64", True),
        ("6.16.0", True),
        ("6.12.3-arch1", None),
        ("6.1.0-40-amd64", False),
        ("strange", False),
    ],
)
def test_kernel_is_judged_by_its_version(
    release: str, ok: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "release", lambda: release)
    check = doctor.kernel_version()
    assert check.ok is ok
    assert release in check.detail
    assert bool(check.remedy) is (ok is not True)


def test_kernel_without_sched_ext_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysfs, "read", lambda: sysfs.SchedExt("unsupported"))
    check = doctor.sched_ext()
    assert check.ok is False
    assert "CONFIG_SCHED_CLASS_EXT=y" in check.remedy


@pytest.mark.parametrize(
    ("content", "ok"),
    [
        (b"\0int\0bpf_struct_ops_hid_bpf_ops\0", True),
        (b"\0int\0hid_bpf_ops_not\0", False),
        (None, None),
    ],
)
def test_hid_bpf_is_read_from_the_kernels_types(
    content: bytes | None, ok: bool | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "vmlinux"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(doctor, "_KERNEL_BTF", path)
    assert doctor.hid_bpf().ok is ok


@pytest.mark.parametrize(
    ("content", "ok"),
    [
        ("[none] integrity confidentiality\n", True),
        ("none [integrity] confidentiality\n", True),
        ("none integrity [confidentiality]\n", False),
        (None, True),
    ],
)
def test_only_confidential_lockdown_is_in_the_way(
    content: str | None, ok: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lockdown"
    if content is not None:
        path.write_text(content)
    monkeypatch.setattr(doctor, "_LOCKDOWN", path)
    assert doctor.lockdown().ok is ok


def test_unmounted_bpf_file_system_names_the_mount_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bpffs, "is_mounted", lambda: False)
    check = doctor.bpf_file_system()
    assert check.ok is False
    assert check.remedy == "sudo mount -t bpf bpf /sys/fs/bpf"


@pytest.mark.parametrize(
    ("version", "ok"),
    [("Debian clang version 14.0.6", True), ("clang version 11.1.0", False), ("?", None)],
)
def test_clang_is_asked_for_its_version(
    version: str, ok: bool | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyloader.compile import find_clang

    clang = tmp_path / "clang"
    clang.write_text(f"#!/bin/sh\necho '{version}'\n")
    clang.chmod(0o755)
    monkeypatch.setenv("CLANG", str(clang))
    find_clang.cache_clear()
    check = doctor.clang()
    find_clang.cache_clear()
    assert check.ok is ok


def test_a_scheduler_of_somebody_else_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_looks(_: bpffs.Place) -> bool:
        raise NotPermitted("belongs to root")

    monkeypatch.setattr(sysfs, "read", lambda: sysfs.SchedExt("enabled", "lavd"))
    monkeypatch.setattr(bpffs.Place, "is_attached", nobody_looks)
    assert doctor.attached().ok is None
    assert "lavd" in doctor.attached().detail


def test_a_purpose_fails_with_any_check_that_it_needs() -> None:
    checks = [
        Check("a", True, "", "", "schedulers hid"),
        Check("b", False, "", "mend", "hid"),
        Check("c", None, "", "", "build"),
    ]
    expected = {"schedulers": True, "hid": False, "build": True, "vm": False}
    assert doctor.abilities(checks) == expected


def test_every_missing_thing_on_this_machine_has_a_remedy() -> None:
    assert not [check for check in doctor.run() if check.ok is False and not check.remedy]


def test_checks_need_only_purposes_that_exist() -> None:
    needed = {purpose for check in doctor.run() for purpose in check.needed_for.split()}
    assert needed <= set(doctor.PURPOSES)


def test_a_broken_libbpf_module_is_reported_with_the_rest() -> None:
    code = (
        "import sys; sys.modules['pyloader._libbpf'] = None;"
        "from pyloader import doctor;"
        "print(*[check.name for check in doctor.run() if check.ok is False], sep=',')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "libbpf module" in done.stdout.strip().split(",")


@pytest.mark.parametrize(("supported", "status"), [(True, 0), (False, 3)])
def test_exit_status_tells_whether_schedulers_can_run(
    supported: bool, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = [Check("sched_ext", supported, "words", "" if supported else "mend", "schedulers")]
    monkeypatch.setattr(doctor, "run", lambda: checks)
    assert CliRunner().invoke(command, []).exit_code == status
    done = CliRunner().invoke(command, ["--json"])
    assert done.exit_code == status
    assert json.loads(done.output) == {
        "can": {"schedulers": supported, "hid": False, "build": False, "vm": False},
        "checks": [
            {
                "name": "sched_ext",
                "ok": supported,
                "detail": "words",
                "remedy": "" if supported else "mend",
                "needed_for": "schedulers",
            }
        ],
    }


def test_a_pipe_gets_plain_lines_with_the_remedy_below(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [Check("bpffs", False, "not mounted", "mount it", "schedulers hid")]
    monkeypatch.setattr(doctor, "run", lambda: checks)
    lines = CliRunner().invoke(command, []).output.splitlines()
    assert lines[0] == "no  bpffs  not mounted"
    assert lines[1].strip() == "to mend it: mount it"
    assert "no  run CPU schedulers    for want of bpffs" in lines


def test_a_checkout_is_mended_by_make_setup() -> None:
    command_line = packages.install_command(["clang"])
    assert command_line.startswith("make -C ")
    assert command_line.endswith(" setup")


def test_an_installation_is_mended_by_the_machines_package_manager(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packages, "in_checkout", lambda: False)
    monkeypatch.setattr(packages, "manager", lambda: "apt")
    assert packages.install_command(["clang", "llvm"]) == "sudo apt-get install clang llvm"
    # The release's own may be too old: our script knows where a newer one is.
    line = packages.install_command(["qemu-system-x86", "file"])
    assert line.startswith("sudo sh ")
    assert line.endswith("/apt.sh qemu-system-x86/10 file")
    monkeypatch.setattr(packages, "manager", lambda: "pacman")
    assert packages.install_command(["clang"]) == "sudo pacman -S --needed clang"
