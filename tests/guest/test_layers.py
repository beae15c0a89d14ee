"""The scheduler layers: its rules are kept, changed while it runs, and leave nobody behind."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pyloader.rules import apply
from tests import rules_oracle
from tests.guest import kernel
from tests.guest.command import done, scxhid, use
from tests.guest.conftest import Program
from tests.guest.crowd import (
    Identity,
    crowd,
    doze,
    join,
    last_cpu,
    ran_in,
    remove_cgroup,
    set_online,
)
from tests.guest.workers import busy, working

CPUS = os.cpu_count() or 1

#: Applies the rules in a text; gives what the command printed as JSON.
Apply = Callable[[str], Any]

#: Whoever tests has a layer too, or a crowd would make each step of a test take its time.
TESTER = Path("/proc/self/comm").read_text().strip()

RULES = """
[layer.tester]
weight = 400
latency = "interactive"
preempt = true
[[rule]]
layer = "tester"
comm = "{tester}"
[layer.red]
{red}
[layer.blue]
{blue}
[[rule]]
layer = "red"
comm = "red*"
[[rule]]
layer = "blue"
comm = "blue*"
"""


def rules(red: str = "", blue: str = "") -> str:
    return RULES.format(red=red, blue=blue, tester=TESTER)


def weights() -> dict[str, int]:
    told = done("sched", "rules", "--json").json
    return {layer["name"]: layer["weight"] for layer in told["layers"]}


@pytest.fixture
def layers(program: Program) -> str:
    return program("layers")


@pytest.fixture
def follow(layers: str, tmp_path: Path) -> Apply:
    use(layers)

    def apply_text(text: str) -> Any:
        path = tmp_path / "rules.toml"
        path.write_text(text)
        return done("sched", "rules", str(path), "--json").json

    return apply_text


def figures() -> dict[str, dict[str, Any]]:
    told = done("sched", "rules", "--json").json
    return {layer["name"]: layer["figures"] for layer in told["layers"]}


def statistic(name: str) -> int:
    return done("sched", "stats", "--json").json["total"][name]


def colour(name: str, per_cpu: int = 2) -> list[Identity]:
    return [Identity(f"{name}{n}") for n in range(per_cpu * CPUS)]


def is_within(part: float, wanted: float, tolerance: float) -> bool:
    return wanted * (1 - tolerance) <= part <= wanted * (1 + tolerance)


def test_weights_are_shares_and_change_while_it_runs(follow: Apply) -> None:
    first = follow(rules("weight = 300", "weight = 100"))
    seq = kernel.enable_seq()
    with crowd(colour("red")) as red, crowd(colour("blue")) as blue:
        time.sleep(0.5)
        most, least = ran_in(3, red, blue)
        assert is_within(most / least, 3, 0.25), f"{most / least:.2f} at 300:100"
        second = follow(rules("weight = 50", "weight = 200"))
        time.sleep(0.5)
        least, most = ran_in(3, red, blue)
        assert is_within(most / least, 4, 0.25), f"{most / least:.2f} at 200:50"
        counted = figures()
        assert counted["red"]["tasks"] == counted["blue"]["tasks"] == 2 * CPUS
        assert counted["red"]["run_ns"] > 2_000_000_000
    kernel.wait_for("the tasks to be gone", lambda: figures()["red"]["tasks"] == 0)
    assert second["version"] == first["version"] + 1
    assert kernel.enable_seq() == seq


@pytest.mark.slow
def test_nice_values_count_within_a_layer(follow: Apply) -> None:
    follow(rules())
    with (
        crowd([Identity("red", nice=0)] * CPUS) as usual,
        crowd([Identity("red", nice=5)] * CPUS) as light,
    ):
        time.sleep(0.5)
        most, least = ran_in(3, usual, light)
    assert most / least > 2, f"{most / least:.2f}; the kernel's weights say 1024 to 335"


def test_a_set_of_cpus_is_kept_and_changes_at_once(follow: Apply) -> None:
    follow(rules('cpus = "1"'))
    with crowd(colour("red")) as red, crowd(colour("blue", 1)):
        kernel.wait_for("all to be on CPU 1", lambda: {last_cpu(p) for p in red} == {1})
        assert {last_cpu(p) for _ in range(50) for p in red if not time.sleep(0.002)} == {1}
        follow(rules('cpus = "0"'))
        time.sleep(0.3)
        assert {last_cpu(p) for _ in range(50) for p in red if not time.sleep(0.002)} == {0}


def test_a_task_that_has_a_cpu_for_itself_leaves_it_too(follow: Apply) -> None:
    follow(rules('cpus = "1"'))
    with crowd([Identity("red")]) as red:
        for cpu in (0, 1, 0):
            kernel.wait_for("it to run", lambda: ran_in(0.05, red)[0] > 0)
            follow(rules(f'cpus = "{cpu}"'))
            kernel.wait_for(f"it to be on CPU {cpu}", lambda c=cpu: last_cpu(red[0]) == c, 2)


def test_a_task_that_may_run_on_none_of_its_layers_cpus_runs(follow: Apply) -> None:
    follow(rules('cpus = "1"'))
    stuck = [Identity("red", cpus=frozenset({0}))] * 2
    with crowd(stuck) as red, crowd(colour("blue")):
        time.sleep(0.3)
        assert ran_in(1, red)[0] > 50_000_000
        assert {last_cpu(p) for p in red} == {0}
    assert statistic("queued_anywhere") > 0


@pytest.mark.slow
def test_no_cpu_of_a_layer_is_left_and_its_tasks_run(follow: Apply) -> None:
    follow(rules('cpus = "1"'))
    with (
        crowd([Identity("red"), Identity("red", cpus=frozenset({0, 1}))]) as red,
        crowd(colour("red", 1), doze) as sleepers,
        working([busy]) as others,
    ):
        time.sleep(0.3)
        for _ in range(2):
            set_online(1, False)
            try:
                assert ran_in(1, red)[0] > 50_000_000
                assert ran_in(1, sleepers)[0] > 0
                others.all_go_on(within_s=5)
            finally:
                set_online(1, True)
            time.sleep(1.2)
            assert ran_in(0.5, red)[0] > 50_000_000
        assert {last_cpu(p) for _ in range(50) for p in red if not time.sleep(0.002)} == {1}
        others.all_go_on(within_s=5)


@pytest.mark.slow
def test_a_layer_that_may_preempt_waits_less(follow: Apply) -> None:
    lazy = "slice_us = 20000"
    follow(rules('latency = "interactive"\npreempt = true', lazy))
    with crowd(colour("blue")), crowd([Identity("red")], doze):
        time.sleep(2)
        quick = figures()["red"]
        follow(rules("", lazy))
        before = figures()["red"]
        time.sleep(2)
        after = figures()["red"]
    assert quick["preempting"] > 20
    assert figures()["blue"]["preempted"] > 20
    assert after["preempting"] == before["preempting"]
    quick_ns = quick["wait_mean_ns"]
    waits = after["enqueued"] - before["enqueued"]
    whole = after["wait_mean_ns"] * after["enqueued"] - before["wait_mean_ns"] * before["enqueued"]
    assert whole / waits > 2 * quick_ns, f"{quick_ns} ns with, {whole / waits:.0f} ns without"


def here() -> str:
    """The cgroup of this process, where those stay that are not moved."""
    return Path("/proc/self/cgroup").read_text().strip().rpartition("0::")[2]


COMMS = ("a", "ab", "abc", "worker-12", "Web Content", "fifteen-letters", "éclair")
GROUPS = (here(), "/t_a", "/t_a/b", "/t_a/b/c.scope", "/t_c.service")
COMM_PATTERNS = ("a", "a*", "*b*", "w?rker*", "*", "*n?", "fifteen-letters", "?clair", "??clair")
GROUP_PATTERNS = ("/", "/t_a", "/t_a/*", "*b", "/t_?", "*.s*e", "/t_a/b/c.scope/", "/t")


def some_rules(rng: random.Random) -> str:
    lines = ["[layer.one]", "[layer.two]", 'latency = "batch"', "[layer.three]", "weight = 7"]
    for _ in range(rng.randint(1, 8)):
        lines += ["[[rule]]", f'layer = "{rng.choice(["one", "two", "three", "default"])}"']
        if rng.random() < 0.6:
            lines.append(f'comm = ["{rng.choice(COMM_PATTERNS)}", "{rng.choice(COMM_PATTERNS)}"]')
        if rng.random() < 0.5:
            lines.append(f'cgroup = "{rng.choice(GROUP_PATTERNS)}"')
        if rng.random() < 0.3:
            lines.append(f"uid = {rng.choice(['0', '[1, 5000]', '1000'])}")
        if rng.random() < 0.3:
            lines.append(f"nice = {rng.choice(['0', '[-20, -1]', '[1, 19]', '5'])}")
        if rng.random() < 0.1:
            lines.append(f"kernel_thread = {rng.choice(['true', 'false'])}")
        if rng.random() < 0.2:
            lines.append(f"input = {rng.choice(['true', 'false'])}")
    return "\n".join(lines)


def layers_now(pids: Sequence[int]) -> list[str]:
    """The layers that the program has put tasks into."""
    scheduler = apply.require_layers()
    version = int(scheduler.variables["rules_version"].value)
    table = scheduler.maps["rule_tables"].lookup(version & 1)
    assert table is not None
    names = [bytes(name).decode() for name in table["layers"]["name"]]
    found: list[str] = []
    for pid in pids:
        fd = os.pidfd_open(pid)
        try:
            entry = scheduler.maps["policy_tasks"].lookup(fd)
        finally:
            os.close(fd)
        layer = len(names) if entry is None else int(entry["state"]["layer"])
        found.append(names[layer] if layer < len(names) else "(not seen)")
    return found


def test_every_task_is_in_the_layer_where_the_rules_put_it(follow: Apply) -> None:
    rng = random.Random(3)
    tasks = [
        rules_oracle.Task(
            COMMS[n % len(COMMS)],
            rng.choice(GROUPS),
            rng.choice((0, 1000, 5000)),
            rng.choice((-5, 0, 5)),
        )
        for n in range(14)
    ]
    who = [Identity(t.comm, t.cgroup, t.uid, t.nice) for t in tasks]
    try:
        with crowd(who, doze, renamed="worker-9") as pids:
            for turn in range(25):
                text = some_rules(rng)
                follow(text)
                n = turn % len(pids)
                task = tasks[n]
                if turn % 3 == 0:
                    task = rules_oracle.Task("worker-9", task.cgroup, task.uid, task.nice)
                    os.kill(pids[n], signal.SIGUSR1)
                elif turn % 3 == 1:
                    task = rules_oracle.Task(task.comm, "/t_a/b/c.scope", task.uid, task.nice)
                    join(pids[n], task.cgroup)
                else:
                    task = rules_oracle.Task(task.comm, task.cgroup, task.uid, 7)
                    os.setpriority(os.PRIO_PROCESS, pids[n], 7)
                tasks[n] = task
                wanted = [rules_oracle.layer_of(task, text) for task in tasks]
                deadline = time.monotonic() + 5
                while (found := layers_now(pids)) != wanted:
                    wrong = [w for w in zip(tasks, wanted, found, strict=True) if w[1] != w[2]]
                    assert time.monotonic() < deadline, f"{wrong} (wanted, found) under {text}"
                    time.sleep(0.05)
    finally:
        for cgroup in ("/t_a", "/t_c.service"):
            remove_cgroup(cgroup)


def test_a_bad_file_changes_nothing(follow: Apply, tmp_path: Path) -> None:
    follow(rules("weight = 300"))
    before = done("sched", "rules", "--json").json["version"]
    bad = tmp_path / "bad.toml"
    bad.write_text("[layer.red]\nweight = 3000000")
    outcome = scxhid("sched", "rules", str(bad))
    assert outcome.status == 1
    assert "weight is 3000000; it takes 1 to 10000" in outcome.err
    assert done("sched", "rules", "--json").json["version"] == before
    assert weights()["red"] == 300


def test_the_rules_in_force_are_shown(follow: Apply, tmp_path: Path) -> None:
    follow(rules('cpus = "0"\npreempt = true'))
    shown = done("sched", "rules").out
    assert f"rules of layers: {tmp_path}/rules.toml, applied 20" in shown
    lines = [line.split() for line in shown.splitlines()]
    assert ["red", "100", "5,000", "0", "normal", "yes"] in lines
    assert ["3", "comm", "blue*", "blue"] in lines


def test_it_starts_with_rules_of_its_own(layers: str) -> None:
    use(layers)
    told = done("sched", "rules", "--json").json
    assert told["file"] is None
    assert [n["name"] for n in told["layers"]] == ["default", "kernel", "preferred", "background"]
    assert [rule["layer"] for rule in told["rules"] if rule["input"]] == ["preferred"]
    with crowd([Identity("x", nice=5), Identity("y", nice=-5), Identity("z")], doze) as pids:
        kernel.wait_for(
            "each to be in its layer",
            lambda: layers_now(pids) == ["background", "preferred", "default"],
        )


def test_rules_need_the_scheduler_that_follows_them(simple: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(rules())
    for words in ([str(path)], []):
        outcome = scxhid("sched", "rules", *words)
        assert outcome.status == 1
        assert "the kernel's own runs; `scxhid sched use layers` starts it" in outcome.err
    use(simple)
    outcome = scxhid("sched", "rules", str(path))
    assert outcome.status == 1
    assert "for the scheduler layers, and simple runs" in outcome.err


def test_rules_are_still_there_after_going_back(follow: Apply, simple: str) -> None:
    follow(rules("weight = 300"))
    use(simple)
    done("sched", "back")
    assert weights()["red"] == 300


def test_a_knob_is_turned_and_the_rules_stay(follow: Apply) -> None:
    follow(rules("weight = 300"))
    done("sched", "set", "longest_wait_ms=200")
    assert weights()["red"] == 300
