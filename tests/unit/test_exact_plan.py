"""What the guest is sent: the same bytes for the same wish, and wishes that make no sense."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from pyloader.errors import ScxhidError, Unsupported, WrongUse
from vm.exact import machine
from vm.exact.bench import Request, run, summarise, table
from vm.exact.plan import initramfs, plan, wakeup_phases
from vm.exact.report import parse
from vm.exact.run import Result, document
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
    assert ("-qmp" in words) == shortened


@pytest.mark.parametrize("version", [None, (7, 2, 0), (8, 0, 5)])
def test_an_old_qemu_is_refused(
    version: tuple[int, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "qemu_version", lambda: version)
    with pytest.raises(Unsupported, match=r"need QEMU 8\.1 or newer"):
        machine.require_qemu()


def request(**changes: object) -> Request:
    wish: dict[str, object] = {
        "exact": True,
        "schedulers": ["kernel"],
        "workloads": ["wakeup"],
        "seeds": 1,
        "cpus": ["1"],
        "kernel": "",
        "hogs": 2,
        "work_us": 0,
        "direct": False,
        "gate_all": False,
        "output": None,
        "as_json": False,
    }
    return Request(**{**wish, **changes})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (request(exact=False), "add --exact"),
        (request(workloads=["throughput"]), "the sum of what all CPUs do"),
        (request(workloads=["hackbench"]), "cannot measure hackbench"),
        (request(workloads=["wakup"]), "no workload is called 'wakup'"),
        (request(cpus=["0"]), "from 1 to 64"),
        (request(cpus=["4", "two"]), "from 1 to 64"),
        (request(output=Path("/nowhere/at/all.json")), "there is no directory /nowhere/at"),
    ],
)
def test_a_benchmark_that_cannot_be_is_refused_before_it_starts(wish: Request, said: str) -> None:
    with pytest.raises(ScxhidError, match=re.escape(said)):
        run(wish)


def result(seed: int, late_ns: int) -> Result:
    text = f"kernel 7.3.4\nphase loaded\nwake 10 {late_ns}\nend\n"
    report = parse(text.encode())
    return Result((subject("kernel"),), 1, seed, "7.3.4", "10.0", ("qemu",), 3.14, True, report)


def test_an_entry_of_runs_has_what_a_reader_needs() -> None:
    import json

    results = [result(1, 40), result(2, 60)]
    read = json.loads(document(results, summarise(results)))
    first, second = read["runs"]
    assert first["seed"] == 1
    assert first["samples"] == {"loaded": [40]}
    assert first["samples_sha256"] != second["samples_sha256"]
    assert first["metrics"]["p99_ns"] == 40
    assert (first["scheduler"], first["mode"], first["object_sha256"]) == ("kernel", "kernel", None)
    (summary,) = read["summary"]
    assert summary["seeds"] == 2
    assert summary["metrics"]["p50_ns"] == {"median": 50.0, "low": 40.0, "high": 60.0}
    assert "kernel" in table(read["summary"]).splitlines()[1]
