"""What in a kernel log is a report of a bug, and what is ordinary talk."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm import klog

ORDINARY = """\
[    0.000000] Linux version 7.3.4+deb13-amd64 (debian-kernel@lists.debian.org)
[    0.000000] Command line: console=ttyS0 loglevel=7 oops=panic panic=-1
[    0.012000] Unknown kernel command line parameters "warning=1", will be passed to user space.
[    0.110000] Spectre V2 : Mitigation: Retpolines
[    1.977532] IPI shorthand broadcast: enabled
[    2.603000] RCU Tasks: Setting shift to 1 and lim to 1 rcu_task_cb_adjust=1 rcu_task_cpu_ids=2.
[    2.623600] x86/mm: Checked W+X mappings: passed, no W+X pages found.
[   24.084577] sched_ext: BPF scheduler "simple" enabled
[   24.201762] sched_ext: BPF scheduler "simple" disabled (unregistered from user space)
[   31.000000] sched_ext: stall: runnable task stall (kworker/0:1[11] failed to run for 2.048s)
[   31.000001] sched_ext: BPF scheduler "stall" disabled (runnable task stall)
[   31.000002] sched_ext: BUG_report is the name of a task here
[   32.000000] hid-generic 0003:1234:5678.0001: hidraw0: USB HID v1.11 Mouse [debug: warning] on
[   40.000000] perf: interrupt took too long (2501 > 2500), lowering
[   40.100000] clocksource: Watchdog remote CPU 1 read timed out
"""

OLD_WARN = """\
[   12.500000] ------------[ cut here ]------------
[   12.500010] WARNING: CPU: 1 PID: 612 at kernel/sched/ext.c:3704 scx_disable_workfn+0x3b1/0x560
[   12.500020] Modules linked in: uhid hid evdev 9p netfs 9pnet_virtio
[   12.500030] CPU: 1 UID: 0 PID: 612 Comm: scx_simple Not tainted 6.16.12+deb13-amd64 #1
[   12.500040] RIP: 0010:scx_disable_workfn+0x3b1/0x560
[   12.500050] Call Trace:
[   12.500060]  <TASK>
[   12.500070]  kthread_worker_fn+0xa4/0x2a0
[   12.500080]  </TASK>
[   12.500090] ---[ end trace 0000000000000000 ]---
[   12.600000] sched_ext: BPF scheduler "simple" disabled (unregistered from user space)
"""

NEW_WARN = """\
[   12.500000] ------------[ cut here ]------------
[   12.500010] WARNING: kernel/sched/ext.c:4100 at scx_root_disable+0x3b1/0x560, CPU#1: scx/612
[   12.500020] Modules linked in: uhid hid
[   12.500090] ---[ end trace 0000000000000000 ]---
"""

RCU_STALL = """\
[   99.100000] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
[   99.100010] rcu: \t1-...!: (0 ticks this GP) idle=e2ec/1/0x4000000000000000 softirq=1/1 fqs=0
[   99.100020] rcu: \t(detected by 0, t=5252 jiffies, g=1061, q=21 ncpus=2)
"""

PANIC = """\
[    7.204893] sysrq: Trigger a crash
[    7.205190] Kernel panic - not syncing: sysrq triggered crash
[    7.205577] CPU: 0 UID: 0 PID: 205 Comm: sh Not tainted 7.3.4+deb13-amd64 #1 PREEMPT(lazy)
[    7.206170] Call Trace:
[    7.206351]  <TASK>
[    7.206514]  dump_stack_lvl+0x5d/0x80
[    7.207700]  </TASK>
[    7.208000] Kernel Offset: 0x1cc00000 from 0xffffffff81000000
"""

ONE_LINE = [
    "BUG: kernel NULL pointer dereference, address: 0000000000000008",
    "BUG: scheduling while atomic: swapper/0/0/0x00000002",
    "BUG: KASAN: slab-use-after-free in scx_exit+0x1/0x2",
    "BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 31s!",
    "watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [kworker/1:1:44]",
    "watchdog: Watchdog detected hard LOCKUP on cpu 1",
    "Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP",
    "Oops: int3: 0000 [#1] SMP NOPTI",
    "INFO: task kworker/u8:2:45 blocked for more than 120 seconds.",
    "rcu: INFO: rcu_preempt self-detected stall on CPU",
    "rcu_tasks: rcu_preempt kthread starved for 5250 jiffies! g1061 f0x0",
    "WARNING: suspicious RCU usage",
    "WARNING: possible circular locking dependency detected",
    "refcount_t: underflow; use-after-free.",
    "UBSAN: array-index-out-of-bounds in kernel/sched/ext.c:100:2",
    "kernel BUG at kernel/sched/core.c:1000!",
    "list_del corruption. prev->next should be ffff, but was 0",
    'irq 11: nobody cared (try booting with the "irqpoll" option)',
    "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100",
]


def test_ordinary_lines_are_no_reports() -> None:
    assert klog.scan(ORDINARY.splitlines()) == []


@pytest.mark.parametrize("text", [OLD_WARN, NEW_WARN])
def test_a_warning_is_one_report_named_by_its_second_line(text: str) -> None:
    [report] = klog.scan((ORDINARY + text).splitlines())
    assert report.line.startswith("WARNING: ")
    assert report.at_ns == 12_500_010_000
    assert report.lines[0].endswith("[ cut here ]------------")
    assert "end trace" in report.lines[-1]


def test_an_rcu_stall_is_reported() -> None:
    assert "detected stalls" in klog.scan(RCU_STALL.splitlines())[0].line


def test_a_panic_is_reported_with_its_call_trace() -> None:
    [report] = klog.scan(PANIC.splitlines())
    assert report.line == "Kernel panic - not syncing: sysrq triggered crash"
    assert any("dump_stack_lvl" in line for line in report.lines)


@pytest.mark.parametrize("line", ONE_LINE)
@pytest.mark.parametrize(
    "stamp", ["[   12.345678] ", "[   12.345678][  T612] ", "<4>[    1.000000] ", ""]
)
def test_each_opening_of_a_report_is_known(line: str, stamp: str) -> None:
    [report] = klog.scan([stamp + line])
    assert report.line == line


def test_a_report_that_is_expected_is_left_out_and_only_that() -> None:
    text = (OLD_WARN + RCU_STALL).splitlines()
    [left] = klog.scan(text, [r"scx_disable_workfn"])
    assert "stall" in left.line


def test_two_warnings_in_a_row_are_two_reports() -> None:
    assert len(klog.scan((OLD_WARN + NEW_WARN).splitlines())) == 2


@given(st.lists(st.text()))
def test_no_log_is_too_odd_to_be_searched(lines: list[str]) -> None:
    klog.scan(lines)


@given(st.lists(st.sampled_from([*ORDINARY.splitlines(), *ONE_LINE]), max_size=30))
def test_each_report_in_a_mixture_is_seen(lines: list[str]) -> None:
    bugs = [line for line in lines if line in ONE_LINE]
    seen = [line for report in klog.scan(lines) for line in report.lines if line in ONE_LINE]
    assert seen == bugs


def test_the_firmwares_escape_sequences_are_not_part_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "kernel.log"
    log.write_bytes(b"\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS\r\n[    1.000000] first\r\n\r\n")
    assert klog.tail(log) == ["SeaBIOS", "[    1.000000] first"]
    assert klog.tail(tmp_path / "none") == []


def test_the_last_words_of_a_machine_begin_with_what_ended_it(tmp_path: Path) -> None:
    log = tmp_path / "kernel.log"
    log.write_text(ORDINARY + PANIC)
    words = klog.last_words(log, 5)
    assert len(words) == 5
    assert words[0].endswith("Kernel panic - not syncing: sysrq triggered crash")
    log.write_text(ORDINARY)
    assert klog.last_words(log, 1) == [ORDINARY.splitlines()[-1]]
