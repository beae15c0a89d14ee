"""The demo's steps, in their order: what each does, shows, measures and checks.

A step is ok only if the kernel agrees: sysfs, its counters, its exit information. Names of
steps and figures are part of ``demo.json``.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pyloader import history, sched, sysfs
from pyloader.attached import Attached
from pyloader.cli.output import duration
from pyloader.hosted import NAME as HOST
from vm.demo_load import LOW_PRIORITY, Sample
from vm.demo_stage import Stage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Names the C file, or where there is no compiler the object, of the programs ``stall`` and
#: ``refused``, as the guest's working directory has them.
STALL_VARIABLE, REFUSED_VARIABLE = "SCXHID_DEMO_STALL", "SCXHID_DEMO_REFUSED"

_SPAN_S = 3.0
FIRST = -19  # nice value of the process that draws the screen
_EXIT_STALL = "error_stall"


class Step(NamedTuple):
    """``text`` is what a viewer should know before it runs: two sentences or so."""

    name: str
    title: str
    text: str
    run: Callable[[Stage], None]


def kernels_own(stage: Stage) -> None:
    stage.run("status")
    now = sysfs.read()
    stage.check(now.state == "disabled" and not now.ops, f"sched_ext is {now.state} already")
    sample = stage.measure("own", _SPAN_S)
    _show(stage, sample)
    stage.check(sample.switches_per_s > 0, "the kernel counted no context switch")


def fifo_attach(stage: Stage) -> None:
    stage.run("sched use simple fifo=on --no-wait")
    _keep_times(stage)
    _check_runs(stage, "simple")
    sample = stage.measure("fifo", _SPAN_S)
    _show(stage, sample)
    stage.check(sample.share < 2, f"nice values still counted ({sample.share:.1f} : 1)")


def knob_live(stage: Stage) -> None:
    seq = sysfs.read().enable_seq
    found: dict[int, Sample] = {}
    for slice_ms in (20, 1):
        stage.run(f"sched set slice_us={slice_ms}ms")
        value = sched.require_current().variables["slice_us"].value
        stage.check(value == slice_ms * 1000, f"slice_us reads {value}")
        sample = stage.measure(f"slice_{slice_ms}ms", _SPAN_S, f"slice_{slice_ms}ms_")
        _show(stage, sample, with_share=False)
        found[slice_ms] = sample
    ratio = found[1].switches_per_s / max(1.0, found[20].switches_per_s)
    stage.figure("context_switches_ratio_times", ratio)
    stage.show("1 ms against 20 ms", f"{ratio:.1f} times the context switches")
    stage.check(ratio > 1.3, f"the slice had no effect: {ratio:.2f} times the context switches")
    stage.check(sysfs.read().enable_seq == seq, "the scheduler was attached anew")


def vtime_swap(stage: Stage) -> None:
    seq = sysfs.read().enable_seq
    stage.run("sched set fifo=off slice_us=5ms")
    _keep_times(stage)
    _check_runs(stage, "simple")
    stage.check(sysfs.read().enable_seq == seq, "the kernel's own scheduler ran in between")
    sample = stage.measure("vtime", _SPAN_S)
    _show(stage, sample)
    stage.check(sample.share > 3, f"nice values hardly count ({sample.share:.1f} : 1)")


def interactive_swap(stage: Stage) -> None:
    seq = sysfs.read().enable_seq
    stage.run("sched use interactive --no-wait")
    _keep_times(stage)
    _check_runs(stage, "interactive")
    sample = stage.measure("interactive", _SPAN_S)
    _show(stage, sample)
    ran = stage.run("sched back")
    stage.figure("back_command_ms", ran.took_ns / 1e6)
    _check_runs(stage, "simple")
    stage.check(sysfs.read().enable_seq == seq, "the kernel's own scheduler ran in between")


def statistics(stage: Stage) -> None:
    running = sched.require_current()
    before, then_ns = _counters(running)
    stage.run("sched stats")
    stage.emit("measuring", what="counting", seconds=1)
    time.sleep(1)
    after, now_ns = _counters(running)
    counted, span_ns = after - before, now_ns - then_ns
    names = list(running.stats)
    queued, ran_ns = counted[names.index("dispatched_global")], counted[names.index("run_ns")]
    cpus = os.cpu_count() or 1
    busy = 100 * float(ran_ns.sum()) / (span_ns * cpus)
    stage.show("queued, CPU by CPU", "  ".join(f"{int(count):,}" for count in queued[:cpus]))
    stage.show("time that tasks ran", f"{busy:.0f} % of {cpus} CPUs, by its own counter")
    for cpu in range(cpus):
        stage.figure(f"cpu{cpu}_queued_count", int(queued[cpu]))
    stage.figure("queued_count", int(queued.sum()))
    stage.figure("run_time_percent", busy)
    stage.check(bool((queued[:cpus] > 0).all()), "a CPU counted nothing under load")
    stage.check(50 < busy < 120, f"tasks are said to have run for {busy:.0f} % of the time")


def the_screen(stage: Stage) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "top.svg"
        # An emulated machine that is this full would take minutes to draw it.
        os.setpriority(os.PRIO_PROCESS, 0, FIRST)
        try:
            stage.run(f"top --screenshot {path} --for 6 --every 0.5")
        finally:
            os.setpriority(os.PRIO_PROCESS, 0, 0)
        drawn = path.read_text() if path.exists() else ""
    stage.emit("picture", text=drawn)
    stage.figure("picture_bytes", len(drawn))
    # In an SVG of text each space is one that does not break.
    stage.check("scheduler" in drawn and "simple" in drawn, "the screen does not name what runs")


def stall_ejected(stage: Stage) -> None:
    ran = stage.run(f"sched use {os.environ[STALL_VARIABLE]} after_s=1 --trial 20", status=1)
    events = [event for event in history.read() if event["name"] == "stall"]
    kind = events[-1].get("exit", {}).get("kind_name") if events else None
    stage.check(kind == _EXIT_STALL, f"the kernel's reason is {kind}, not a stall")
    _check_runs(stage, "simple")
    stage.figure("command_s", ran.took_ns / 1e9)
    if events:
        stage.figure("exit_kind_number", events[-1].get("exit", {}).get("kind", 0))
    waited = re.search(r"failed to run for ([\d.]+)s", ran.text)
    if waited:
        stage.figure("task_waited_s", float(waited[1]))
        stage.show("a task had waited for", f"{float(waited[1]):.1f} s when the watchdog looked")


def verifier_refusal(stage: Stage) -> None:
    before = sysfs.read()
    ran = stage.run(f"check {os.environ[REFUSED_VARIABLE]}", status=1)
    place = re.search(r"refused\.bpf\.c:(\d+)", ran.text)
    stage.check(place is not None, "the refusal names no source line")
    stage.check(sysfs.read() == before, "what runs has changed")
    stage.figure("command_ms", ran.took_ns / 1e6)
    if place:
        stage.figure("source_line_number", int(place[1]))


def back_to_normal(stage: Stage) -> None:
    ran = stage.run("sched stop")
    stage.figure("command_ms", ran.took_ns / 1e6)
    stage.run("status")
    now = sysfs.read()
    stage.check(now.state == "disabled" and not now.ops, f"sched_ext is {now.state}")
    stage.check(sched.current() is None and sched.fallen() is None, "something is still attached")
    sample = stage.measure("own again", _SPAN_S)
    _show(stage, sample)


STEPS = (
    Step(
        "kernels_own",
        "The kernel's own scheduler",
        "The yardstick, before anything is changed. Half of the busy loops have nice"
        f" {LOW_PRIORITY}: a fair scheduler gives them about a ninth of what the others get.",
        kernels_own,
    ),
    Step(
        "fifo_attach",
        "Another scheduler, while everything runs",
        "A scheduler is a small C program, compiled to eBPF. The kernel proves that it can"
        " neither crash nor loop for ever, then asks it which task runs where, and how long. This"
        " one, simple, is told to serve first come, first served: it ignores nice values.",
        fifo_attach,
    ),
    Step(
        "knob_live",
        "A knob, turned while it runs",
        "The program's variables lie in memory that it shares with user space: turning a knob"
        " is one store, and the next task feels it. A long slice switches less; a short one lets"
        " a task that wakes in sooner.",
        knob_live,
    ),
    Step(
        "vtime_swap",
        "A swap for what cannot be turned live",
        "fifo is a constant, so that the kernel can drop the half of the program that it rules"
        " out. Changing it loads and verifies a second copy; then one store makes all CPUs ask it"
        " instead of the first. With fifo off, tasks queue by virtual time, and nice values count.",
        vtime_swap,
    ),
    Step(
        "interactive_swap",
        "Another policy, and back, with no gap",
        "The kernel knows only a resident host, which calls whatever policy is current. So a swap"
        " detaches nothing: interactive takes over here, finds the tasks that simple had queued,"
        " and simple, which stays loaded, is one word away.",
        interactive_swap,
    ),
    Step(
        "statistics",
        "What it counts",
        "Each CPU counts in its own row of a map, so that counting needs no lock; one system"
        " call reads all rows. The map is pinned in a file system: any later process finds it,"
        " and no daemon has to live.",
        statistics,
    ),
    Step(
        "the_screen",
        "All of it on one screen",
        "scxhid top attaches its probes, looks for some seconds, and here draws itself into a file;"
        " on a terminal it stays, and its keys swap schedulers and turn knobs.",
        the_screen,
    ),
    Step(
        "stall_ejected",
        "A scheduler with a bug",
        "stall forgets some tasks, after a second. The kernel's watchdog sees a task that is"
        " ready and does not run, and throws the scheduler out; --trial was watching, and puts"
        " back what ran before.",
        stall_ejected,
    ),
    Step(
        "verifier_refusal",
        "A scheduler that never gets to run",
        "refused uses what a map lookup returned without asking whether it found anything. The"
        " kernel follows every path through a program before it accepts it.",
        verifier_refusal,
    ),
    Step(
        "back_to_normal",
        "Back to normal",
        "What keeps a scheduler attached is a pinned link. Without it the kernel's own takes"
        " over again, in the middle of the load.",
        back_to_normal,
    ),
)


def _show(stage: Stage, sample: Sample, with_share: bool = True) -> None:
    stage.show("context switches", f"{sample.switches_per_s:,.0f} a second")
    late = f"p50 {duration(sample.late_p50_ns)}, p99 {duration(sample.late_p99_ns)}"
    stage.show("the sleeper ran late by", f"{late} ({len(sample.late_ns)} times)")
    if with_share:
        stage.show("CPU time, nice 0 : nice 10", f"{sample.share:.1f} : 1")


def _keep_times(stage: Stage) -> None:
    """The figures of the change that was just made, if one was."""
    if not stage.uses:
        return
    result = stage.uses[-1]
    stage.figure("load_ms", result.load_ns / 1e6)
    stage.figure("attach_ms", result.attach_ns / 1e6)
    if result.gap_ns is not None:
        stage.figure("gap_ms", result.gap_ns / 1e6)
    if result.gapless:
        stage.figure("drained_count", result.gapless.drained)
        stage.figure("drain_ms", result.gapless.drain_ns / 1e6)
        if result.gapless.first_task_ns is not None:
            stage.figure("first_task_us", result.gapless.first_task_ns / 1e3)


def _counters(running: Attached) -> tuple[NDArray[np.uint64], int]:
    """Its counters, shape ``(len(stats), possible CPUs)``, and the monotonic time (ns) of them.

    Under this load a process may lose its CPU between the two, for longer than a slice: the
    closest of some attempts.
    """
    best: tuple[int, NDArray[np.uint64], int] | None = None
    for _ in range(20):
        before_ns = time.monotonic_ns()
        rows = running.read_stats()
        took_ns = time.monotonic_ns() - before_ns
        if best is None or took_ns < best[0]:
            best = took_ns, rows, before_ns + took_ns // 2
    assert best is not None
    return best[1], best[2]


def _check_runs(stage: Stage, name: str) -> None:
    now = sysfs.read()
    stage.check(now.runs(HOST), f"sysfs says that {now.ops or 'nothing'} runs ({now.state})")
    running = sched.current()
    stage.check(running is not None and running.name == name, f"{name} is not ours and alive")
