"""What the guest is sent: the same bytes for the same wish, and wishes that make no sense."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from pyloader.errors import Unsupported, WrongUse
from vm.exact import machine
from vm.exact.plan import initramfs, plan, wakeup_phases
from vm.exact.subject import Subject, subject

PLAIN = """\
#include "scx.h"
char _license[] SEC("license") = "GPL";
void BPF_STRUCT_OPS(plain_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}
SEC(".struct_ops.link")
struct sched_ext_ops plain = { .enqueue = (void *)plain_enqueue, .name = "plainly" };
"""


def lines(subjects: list[Subject], cpus: int = 4) -> str:
    return plan(subjects, [phase.line(cpus) for phase in wakeup_phases()])


def test_the_kernels_own_scheduler_attaches_nothing() -> None:
    text = lines([subject("kernel")])
    assert not re.search(r"^(direct|host|policy|detach)", text, re.M)
    assert re.findall(r"^phase (\w+)", text, re.M) == ["idle", "loaded", "floor"]


def test_a_hosted_scheduler_fills_a_slot_before_it_becomes_current() -> None:
    words = lines([subject("simple")]).splitlines()
    verbs = [line.split()[0] for line in words]
    assert verbs == ["sleep", "ready", "host", "set", "policy", "switch", *["phase"] * 3, "detach"]
    assert "set policy_generation 01000000" in words
    assert "enqueue=simple_enqueue" in words[4]
    assert "init=" not in words[4]


def test_a_scheduler_that_cannot_be_hosted_is_attached_by_its_kernel_name(tmp_path: Path) -> None:
    source = tmp_path / "plain.bpf.c"
    source.write_text(PLAIN)
    one = subject(str(source))
    assert one.mode == "direct"
    assert re.search(r"^direct /objects/\w+/plain\.bpf\.o plainly$", lines([one]), re.M)


def test_knobs_become_bytes_of_variables() -> None:
    one = subject("simple:slice_us=2ms:fifo=on", direct=True)
    assert one.knobs == {"slice_us": 2000, "fifo": True}
    text = lines([one])
    assert f"set slice_us {(2000).to_bytes(8, 'little').hex()}\n" in text
    assert "set fifo 01\n" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kernel:slice_us=3", "kernel's own scheduler has no knobs"),
        ("simple:slice_us", "is not KNOB=VALUE"),
        ("simple:slice_us=1", "out of range"),
        ("simple:slice=5000", "did you mean slice_us"),
        ("simpel", "did you mean simple"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(text: str, said: str) -> None:
    with pytest.raises(WrongUse, match=re.escape(said)):
        subject(text)


def test_only_hosted_schedulers_take_turns() -> None:
    with pytest.raises(WrongUse, match="can be hosted"):
        plan([subject("simple"), subject("kernel")], [])


def test_the_same_wish_gives_the_same_archive() -> None:
    subjects = [subject("simple")]
    text = lines(subjects)
    one = initramfs(subjects, text, {"b": b"2", "a": b"1"})
    assert one == initramfs([subject("simple")], text, {"a": b"1", "b": b"2"})
    assert one != initramfs(subjects, text + "sleep 1\n")


def test_nothing_of_the_host_is_asked_for(tmp_path: Path) -> None:
    words = machine.arguments(Path("/vmlinux"), 4, 7, tmp_path)
    given = dict(itertools.pairwise(words))
    assert given["-icount"] == "shift=0,sleep=off,align=off"
    assert given["-rtc"].endswith("clock=vm")
    assert "scxhid_seed=7" in given["-append"]
    assert "-cpu" not in words  # the default model has no RDRAND
    assert not {"-drive", "-fsdev", "-virtfs"} & set(words)


@pytest.mark.parametrize(
    ("cpus", "round_us", "shortened"), [(4, 50, True), (4, 0, False), (1, 50, False)]
)
def test_rounds_are_shortened_where_there_are_any(
    cpus: int, round_us: int, shortened: bool, tmp_path: Path
) -> None:
    words = machine.arguments(Path("/vmlinux"), cpus, 1, tmp_path, round_us)
    assert ("none,id=rounds,timer-period=50" in words) == shortened


def test_modules_are_loaded_in_their_order_before_the_machine_comes_to_rest() -> None:
    words = plan([subject("kernel")], [], ["hid.ko", "uhid.ko"]).splitlines()
    assert words[:3] == ["module /modules/hid.ko", "module /modules/uhid.ko", "sleep 10000"]


@pytest.mark.parametrize("version", [None, (7, 2, 0), (8, 0, 5)])
def test_an_old_qemu_is_refused(
    version: tuple[int, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "qemu_version", lambda: version)
    with pytest.raises(Unsupported, match=r"need QEMU 8\.1 or newer"):
        machine.require_qemu()
