"""QEMU's command line, from what virtme-ng writes; virtme-ng itself is not run."""

from __future__ import annotations

import shlex
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from pyloader.errors import Unsupported
from vm import qemu
from vm.errors import VmError
from vm.qemu import Plan, Ports

#: What virtme-run 1.42 prints for --script-sh.
WRITTEN = (
    "/usr/bin/qemu-system-x86_64 -m 2G -fsdev local,id=virtfs3,path=/,security_model=none,"
    "readonly=on,multidevs=remap -device virtio-9p-pci,fsdev=virtfs3,mount_tag=/dev/root"
    " -device i6300esb,id=watchdog0 -machine q35 -cpu max -parallel none -net none -smp 4"
    " -vga none -display none -serial chardev:console -chardev file,id=console,path=/dev/null"
    " -chardev stdio,id=stdin,signal=on,mux=off -device virtio-serial-pci"
    " -device virtserialport,name=virtme.stdin,chardev=stdin"
    " -chardev file,id=stdout,path=/proc/self/fd/1 -device virtio-serial-pci"
    " -device virtserialport,name=virtme.stdout,chardev=stdout"
    " -chardev file,id=stderr,path=/proc/self/fd/2 -device virtio-serial-pci"
    " -device virtserialport,name=virtme.stderr,chardev=stderr"
    " -chardev file,id=dev_stdout,path=/proc/self/fd/1 -device virtio-serial-pci"
    " -device virtserialport,name=virtme.dev_stdout,chardev=dev_stdout"
    " -chardev file,id=dev_stderr,path=/proc/self/fd/2 -device virtio-serial-pci"
    " -device virtserialport,name=virtme.dev_stderr,chardev=dev_stderr"
    " -chardev file,id=ret,path=/tmp/virtme_ret -device virtio-serial-pci"
    " -device virtserialport,name=virtme.ret,chardev=ret -no-reboot -kernel /k/vmlinuz"
    " -append 'nr_open=1048576 virtme_link_mods=/k virtme_console=ttyS0 console=ttyS0"
    " earlyprintk=serial,ttyS0,115200 quiet loglevel=0 panic=-1 virtme.exec=`dHJ1ZQ==`"
    " virtme_root_user=1 quiet loglevel=1 init=/v/virtme-ng-init' -initrd /i"
)


def plan(**changes: object) -> Plan:
    values: dict[str, object] = {
        "tree": Path("/tree"),
        "version": "7.3.4",
        "run": Path("/run-1"),
        "cpus": 4,
        "memory": "2G",
        "accel": "tcg",
        **changes,
    }
    return Plan(**values)  # type: ignore[arg-type]


def composed(
    monkeypatch: pytest.MonkeyPatch, made: Plan, written: str = WRITTEN, status: int = 0
) -> list[str]:
    def answer(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, status, written, "a reason\n")

    monkeypatch.setattr(qemu, "program", lambda name: f"/bin/{name}")
    monkeypatch.setattr(subprocess, "run", answer)
    return qemu.compose(made, Ports(stdout=5, stderr=6, control=7))


def options(words: list[str], name: str) -> list[str]:
    return [value for option, value in pairwise(words) if option == name]


def test_the_streams_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    chardevs = options(composed(monkeypatch, plan()), "-chardev")
    assert chardevs == [
        "file,id=console,path=/run-1/kernel.log",
        "stdio,id=stdin,signal=on,mux=off",
        "file,id=stdout,path=/proc/self/fd/5",
        "file,id=stderr,path=/proc/self/fd/6",
        "file,id=ret,path=/proc/self/fd/7",
    ]


def test_one_controller_carries_all_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = options(composed(monkeypatch, plan()), "-device")
    assert [device for device in devices if device.startswith("virtio-serial-pci")] == [
        "virtio-serial-pci,max_ports=8"
    ]
    ports = [device.split(",")[1] for device in devices if device.startswith("virtserialport")]
    assert ports == [
        "name=virtme.stdin",
        "name=virtme.stdout",
        "name=virtme.stderr",
        "name=scxhid.control",
    ]


def test_no_device_of_qemus_own_slows_the_firmware(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "-nodefaults" in composed(monkeypatch, plan())


@pytest.mark.parametrize(
    ("accel", "cpu", "wanted"), [("tcg", "max", "tcg,thread=multi"), ("kvm", "host", "kvm")]
)
def test_the_accelerator_chooses_the_processor(
    monkeypatch: pytest.MonkeyPatch, accel: str, cpu: str, wanted: str
) -> None:
    words = composed(monkeypatch, plan(accel=accel))
    assert options(words, "-cpu") == [cpu]
    assert options(words, "-accel") == [wanted]


def test_the_kernel_is_told_our_init_and_to_end_on_an_oops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = composed(monkeypatch, plan(kernel_arguments=("nosmt",)))
    [line] = options(words, "-append")
    assert shlex.split(line) == [
        "console=ttyS0",
        "loglevel=7",
        "oops=panic",
        "panic=-1",
        "nosmt",
        "init=/run-1/init",
    ]


def test_a_shared_directory_may_have_a_comma(monkeypatch: pytest.MonkeyPatch) -> None:
    words = composed(monkeypatch, plan(rw=(Path("/a,b"),)))
    assert any("id=rw0,path=/a,,b," in value for value in options(words, "-fsdev"))
    assert "virtio-9p-pci,fsdev=rw0,mount_tag=rw0" in options(words, "-device")


def test_a_terminal_is_a_console_and_not_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = options(composed(monkeypatch, plan(console=True)), "-device")
    assert "virtconsole,name=scxhid.console,chardev=stdin" in devices
    assert not any("virtme.stdin" in device for device in devices)


@pytest.mark.parametrize("written", ["/usr/bin/qemu -m 2G", "x -chardev file,id=stdout,path=y"])
def test_an_unknown_virtme_ng_is_named(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    made = plan()
    with pytest.raises(VmError, match="virtme-ng writes its QEMU command line in an unknown way"):
        composed(monkeypatch, made, written)


def test_virtme_ngs_refusal_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    made = plan()
    with pytest.raises(VmError, match="could not compose the machine \\(a reason\\)"):
        composed(monkeypatch, made, "", 1)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)", (10, 0, 2)),
        ("QEMU emulator version 7.2.17", (7, 2, 17)),
        ("no such thing", None),
    ],
)
def test_qemus_version(
    monkeypatch: pytest.MonkeyPatch, said: str, version: tuple[int, ...] | None
) -> None:
    def answer(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 0, said, "")

    monkeypatch.setattr(qemu, "program", lambda name: name)
    monkeypatch.setattr(subprocess, "run", answer)
    assert qemu.qemu_version() == version
    if version is None or version < (10,):
        with pytest.raises(Unsupported, match="too old"):
            qemu.require_qemu()
