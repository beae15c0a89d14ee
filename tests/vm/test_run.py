"""``vm run``: the command's streams and status are its own, and a lost machine is no status."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.vm.started import Ended, Running
from vm import machine
from vm.errors import VmLost
from vm.kernels import Kernel

EVERY_BYTE = bytes(range(256)) * 2000
REPORT = """\
cat
exec >&2
printf '{"uid": %s, "cwd": "%s", "home": "%s", "words": "%s"' "$(id -u)" "$PWD" "$HOME" "$1"
printf ', "sched_ext": "%s"' "$(cat /sys/kernel/sched_ext/state)"
printf ', "modules": "%s"' "$(cut -d' ' -f1 /proc/modules | tr '\\n' ' ')"
printf ', "mounts": "%s"' "$(cut -d' ' -f2,3 /proc/mounts | tr '\\n' ';')"
printf ', "up": "%s"' "$(cat /sys/class/net/lo/flags)"
touch /tmp/written /etc/written /usr/written /root/written && printf ', "writable": true'
touch /written 2>/dev/null || printf ', "root_is_safe": true'
echo from-the-guest > "$2/file"
printf '}'
exit 255
"""


@pytest.fixture(scope="module")
def result(kernel: Kernel, tmp_path_factory: pytest.TempPathFactory) -> machine.Result:
    """One boot that everything here looks at."""
    shared = tmp_path_factory.mktemp("shared")
    return machine.run(
        ["sh", "-c", REPORT, "sh", "a 'word' with $blanks", str(shared)],
        kernel=kernel,
        rw=(shared,),
        cwd=Path("/usr"),
        stdin=EVERY_BYTE,
        capture=True,
        timeout_s=60,
        log_path=shared / "kernel.log",
    )


@pytest.fixture(scope="module")
def report(result: machine.Result) -> dict[str, object]:
    return dict(json.loads(result.stderr))


def test_every_byte_comes_back(result: machine.Result) -> None:
    assert result.stdout == EVERY_BYTE


def test_a_status_of_255_is_a_status(result: machine.Result) -> None:
    assert result.status == 255


def test_the_command_is_root_in_the_callers_directory(report: dict[str, object]) -> None:
    assert (report["uid"], report["cwd"], report["home"]) == (0, "/usr", "/root")


def test_words_arrive_as_they_were_given(report: dict[str, object]) -> None:
    assert report["words"] == "a 'word' with $blanks"


def test_the_guest_has_what_the_product_needs(report: dict[str, object]) -> None:
    assert report["sched_ext"] == "disabled"
    modules = str(report["modules"]).split()
    assert {"hid", "hid_generic", "uhid", "evdev"} <= set(modules)
    mounts = str(report["mounts"]).split(";")
    assert {
        "/sys/fs/bpf bpf",
        "/sys/fs/cgroup cgroup2",
        "/sys/kernel/tracing tracefs",
        "/sys/kernel/debug debugfs",
    } <= set(mounts)
    # IFF_UP | IFF_LOOPBACK
    assert report["up"] == "0x9"


def test_the_guest_writes_to_memory_and_to_what_it_was_given(
    result: machine.Result, report: dict[str, object]
) -> None:
    assert report["writable"] is True
    assert report["root_is_safe"] is True
    assert not Path("/tmp/written").exists()
    assert not Path("/usr/written").exists()
    assert (result.log_path.parent / "file").read_text() == "from-the-guest\n"


def test_the_boot_is_accounted_for(result: machine.Result) -> None:
    boot = result.boot
    parts = (boot.compose_s, boot.firmware_s, boot.kernel_s, boot.init_s)
    assert all(part > 0 for part in parts)
    assert sum(parts) == pytest.approx(result.boot_to_command_s, abs=0.01)
    assert result.boot_to_command_s < result.seconds


def test_the_kernel_log_is_kept_and_clean(result: machine.Result) -> None:
    assert result.kernel in result.log_path.read_text(errors="replace")
    assert result.warnings == ()


def test_a_panic_is_a_lost_machine_with_the_kernels_last_words(
    scxhid_vm: Callable[..., Ended],
) -> None:
    ended = scxhid_vm("run", "--", "sh", "-c", "echo said; echo c > /proc/sysrq-trigger")
    assert ended.status == 124
    assert ended.stdout == b"said\n"
    assert "panicked (Kernel panic - not syncing: sysrq triggered crash)" in ended.stderr
    assert "Call Trace:" in ended.stderr


def test_a_hang_is_a_lost_machine(scxhid_vm: Callable[..., Ended]) -> None:
    ended = scxhid_vm("run", "--timeout", "2", "--", "sleep", "1000")
    assert ended.status == 124
    assert "still running its command after 2 s" in ended.stderr


def test_a_command_that_falls_silent_is_a_lost_machine(kernel: Kernel) -> None:
    speaks = "for i in 1 2 3; do echo; sleep 0.6; done; sleep 1000"
    began = time.monotonic()
    with pytest.raises(VmLost, match=r"had said nothing for 1\.5 s") as lost:
        machine.run(["sh", "-c", speaks], kernel=kernel, capture=True, silence_s=1.5, timeout_s=300)
    assert lost.value.reached_command
    assert time.monotonic() - began > 1.2 + 1.5


def test_a_boot_that_hangs_is_tried_again_and_then_given_up(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "STALL_S", 0.3)  # no boot says so much so fast
    told: list[str] = []
    with pytest.raises(VmLost, match="hung while booting") as lost:
        machine.run(["true"], kernel=kernel, capture=True, say=told.append)
    assert not lost.value.reached_command
    assert [line for line in told if "once more" in line]


def test_no_such_command_is_a_status_as_in_a_shell_and_output_may_end_early(
    scxhid_vm: Callable[..., Ended],
) -> None:
    ended = scxhid_vm("run", "--", "no-such-program", stdin=b"never read")
    assert ended.status == 127
    assert "no-such-program" in ended.stderr


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_whatever_ends_us_ends_the_machine(
    running: Callable[..., Running], number: signal.Signals, status: int
) -> None:
    run = running("run", "--", "sleep", "1000")
    assert run.wait_for_machines(1)
    run.process.send_signal(number)
    assert run.process.wait(timeout=30) == status
    assert run.wait_for_machines(0)
