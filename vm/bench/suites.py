"""What can be measured, and in which groups: suites of one group share a virtual machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vm.bench.result import Result

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Measured:
    """Results, and facts about the machine that they were measured on."""

    results: list[Result]
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


def _many_cpus(suites: Sequence[str], tell: Tell) -> Measured:
    from vm.bench import knob_write, read_percpu
    from vm.bench.floor import ROOT, SOURCES, compile_floor, compile_object
    from vm.bench.guest import sample_inside

    compile_floor("read_map")
    compile_object(SOURCES / "counters.bpf.c")
    compile_object(ROOT / "schedulers" / "simple.bpf.c")
    tell(f"booting a machine with {read_percpu.POSSIBLE_CPUS} possible CPUs")
    sampled = sample_inside(suites, cpus=2, possible_cpus=read_percpu.POSSIBLE_CPUS)
    makers = {module.SUITE: module.results for module in (read_percpu, knob_write)}
    results = [made for name in suites for made in makers[name](sampled.samples[name])]
    return Measured(results, {"guest_kernel": sampled.kernel, "accel": sampled.accel})


def _attach(suites: Sequence[str], tell: Tell) -> Measured:
    from vm.bench import attach_detach
    from vm.bench.floor import ROOT, compile_floor, compile_object
    from vm.bench.guest import sample_inside

    compile_floor("attach")
    compile_object(ROOT / "schedulers" / "simple.bpf.c")
    tell("booting a machine, attaching and detaching")
    sampled = sample_inside(suites, cpus=attach_detach.CPUS)
    results = attach_detach.results(sampled.samples[attach_detach.SUITE])
    return Measured(results, {"guest_kernel": sampled.kernel, "accel": sampled.accel})


def _swaps(suites: Sequence[str], tell: Tell) -> Measured:
    from vm.bench import gapless, swap_gap
    from vm.bench.guest import sample_inside

    swap_gap.prepare()
    tell("swapping, idle and beside hogs")
    sampled = sample_inside(suites, cpus=swap_gap.CPUS)
    makers = {module.SUITE: module.results for module in (swap_gap, gapless)}
    results = [made for name in suites for made in makers[name](sampled.samples[name])]
    return Measured(results, {"guest_kernel": sampled.kernel, "accel": sampled.accel})


def _exact(suites: Sequence[str], tell: Tell) -> Measured:
    from vm.bench import exact_programs, exact_wakeup

    measures = {
        exact_wakeup.SWAPS: exact_wakeup.measure_swaps,
        exact_programs.OVERHEAD: exact_programs.measure_overhead,
        exact_wakeup.OVERLOAD: exact_wakeup.measure_overload,
        exact_programs.INTERACTIVE: exact_programs.measure_interactive,
    }
    return Measured([result for name in suites for result in measures[name](tell)])


def _contest(suites: Sequence[str], tell: Tell) -> Measured:
    from vm.bench import contest
    from vm.bench.guest import sample_inside

    names, said = contest.prepare()
    tell(f"{len(names)} schedulers and the kernel's own, in turns")
    sampled = sample_inside(suites, cpus=contest.CPUS)
    results = contest.results(sampled.samples[contest.SUITE])
    facts = {"guest_kernel": sampled.kernel, "accel": sampled.accel}
    return Measured(
        results, facts | {"schedulers_left_out": "\n".join([*said, *sampled.said.splitlines()])}
    )


def _hid(suites: Sequence[str], tell: Tell) -> Measured:
    from vm.bench import mouse_8khz, remap_injecting, remap_reload, remap_rules, remap_vs_keyd
    from vm.bench.guest import sample_inside

    remap_vs_keyd.prepare()
    tell("typing and moving")
    sampled = sample_inside(suites, cpus=remap_vs_keyd.CPUS)
    modules = (remap_vs_keyd, remap_rules, remap_reload, remap_injecting, mouse_8khz)
    makers = {module.SUITE: module.results for module in modules}
    samples = dict(sampled.samples)
    if remap_reload.SUITE in samples:
        here = remap_reload.measure_here(tell)
        samples[remap_reload.SUITE] = {**samples[remap_reload.SUITE], **here}
    results = [made for name in suites for made in makers[name](samples[name])]
    return Measured(results, {"guest_kernel": sampled.kernel, "accel": sampled.accel})


def _input(suites: Sequence[str], tell: Tell) -> Measured:
    from vm.bench.input import inside, suite

    tell(f"{suite.PLAN.steps} runs of readers beside a load")
    sampled = inside.run(suite.PLAN, cpus=suite.CPUS)
    facts = {"guest_kernel": sampled.kernel, "accel": sampled.accel}
    return Measured(suite.results(sampled.samples, suites), facts)


def _probes(suites: Sequence[str], tell: Tell) -> Measured:
    from vm.bench import probe_cost, report_cost
    from vm.bench.guest import sample_inside

    modules = {module.SUITE: module for module in (probe_cost, report_cost)}
    for suite in suites:
        modules[suite].prepare()
    tell("talking and typing, with the probes of top and without")
    sampled = sample_inside(suites, cpus=probe_cost.CPUS)
    results = [each for s in suites for each in modules[s].results(sampled.samples[s])]
    return Measured(results, {"guest_kernel": sampled.kernel, "accel": sampled.accel})


def _screen(suites: Sequence[str], tell: Tell) -> Measured:
    from vm.bench import top_screen

    return Measured(top_screen.measure(suites, tell))


def _screen_memory(suites: Sequence[str], tell: Tell) -> Measured:
    from vm.bench import top_memory

    return Measured(top_memory.measure(tell))


def _status(suites: Sequence[str], tell: Tell) -> Measured:
    from vm.bench import status_startup

    return Measured(status_startup.measure(tell))


def _boot(suites: Sequence[str], tell: Tell) -> Measured:
    from vm.bench import vm_boot

    return Measured(*vm_boot.measure(tell))


#: Names of a group's suites → what measures those that were asked for.
GROUPS: dict[tuple[str, ...], Callable[[Sequence[str], Tell], Measured]] = {
    ("read_percpu_64x32", "knob_write"): _many_cpus,
    ("attach_detach",): _attach,
    ("swap_gap", "gapless"): _swaps,
    (
        "gapless_wakeup_max",
        "host_overhead",
        "interactive_p99_overload",
        "interactive_hackbench",
    ): _exact,
    ("schedulers",): _contest,
    (
        "remap_vs_keyd",
        "remap_rules_1000_vs_4",
        "remap_reload",
        "remap_injecting",
        "mouse_8khz",
    ): _hid,
    ("input_p50_overload", "input_p99_overload", "input_chain_p99", "input_hogs_share"): _input,
    ("probe_switch_cost", "probe_report_cost"): _probes,
    ("top_cpu_1hz", "top_cpu_10hz", "top_first_paint", "top_key_to_paint"): _screen,
    ("top_memory",): _screen_memory,
    ("status_startup",): _status,
    ("vm_boot",): _boot,
}

NAMES = tuple(name for group in GROUPS for name in group)


def run(wanted: Sequence[str], tell: Tell) -> Measured:
    """Measure the suites called ``wanted``, in the order of the table."""
    results: list[Result] = []
    facts: dict[str, Any] = {}
    for group, measure in GROUPS.items():
        chosen = [name for name in group if name in wanted]
        if chosen:
            measured = measure(chosen, lambda text, name=chosen[0]: tell(f"{name}: {text}"))
            results += measured.results
            facts |= measured.facts
    return Measured(results, facts)
