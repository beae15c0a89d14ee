"""What holds for every scheduler in schedulers/, hosted where it can be and on its own.

The list is made from the files: a new scheduler is tested here by being there.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pyloader.catalog import schedulers
from tests.guest import kernel
from tests.guest.command import done, sched_status, use
from tests.guest.conftest import OBJECTS, Program
from tests.guest.waiting import run_crowd, run_on_a_calm_machine

CPUS = os.cpu_count() or 1
HOST = "scxhid_host"

#: Tasks that a scheduler may starve, with 8 hogs a CPU around them.
HOGS_A_CPU = 8
VICTIMS = (
    *("hog,nice=19", "hog,policy=idle", "hog,cpu=-1,nice=19", "hog,cgroup={light},cpu=0"),
    *("sleep", "sleep,cpu=-1,nice=19", "rare,cpu=0", "yield", "pair", "kworker"),
)

#: Everything that may happen to a task, beside one hog a CPU.
CHANGES = (
    *("2xaffinity", "shove", "renice", "class", "cgroup", "2xunmovable"),
    *("fork", "exec", "kworker", "rcu", "sleep", "sleep,cpu=-1", "pair", "yield"),
)

#: What runs while processors go and come back, which takes seconds if much else wants to run.
THROUGH_HOTPLUG = (
    *("hog,cpu=-1", "hog,nice=19", "sleep,cpu=-1", "affinity", "pair", "unmovable", "kworker"),
    "3xlookup",
)

#: The watchdog's own limit, for tasks that others push around or that wait for many.
WATCHDOG_NS = 3_000_000_000

#: With two CPUs a suspend, which takes all but one off, is nothing else; with four it is, so it is
#: among the tests on the oldest kernel, where nobody else comes for tasks that wait.
_SUSPEND = pytest.param("suspend", marks=pytest.mark.smoke)
HOTPLUG = ("hotplug", _SUSPEND) if CPUS > 2 else ("hotplug",) if CPUS > 1 else ()


@dataclass(frozen=True)
class Case:
    """A scheduler, and whether the resident host runs it."""

    name: str
    mode: str

    def __str__(self) -> str:
        return f"{self.name}-{self.mode}"

    def attach(self) -> None:
        compiled = OBJECTS / f"{self.name}.bpf.o"
        assert compiled.is_file(), f"{self.name} did not compile before the boot"
        use(self.name, *(("--direct",) if self.mode == "direct" else ()))
        assert self.runs(), f"{self}: 'sched use' succeeded, and {kernel.ops() or 'nothing'} runs"

    def runs(self) -> bool:
        return kernel.ops() == (HOST if self.mode == "hosted" else self.name)


#: What a scheduler cannot do without; it says so itself where that is missing (its own tests).
_NEEDS = {
    "central": pytest.mark.skipif(not kernel.CAN_KICK, reason="this kernel lets nobody wake a CPU")
}


def _cases() -> list[Any]:
    """Every scheduler as it is used: hosted if it says that it can be. On its own: ``-m slow``."""
    cases: list[Any] = []
    for name in schedulers():
        source = OBJECTS / f"{name}.bpf.o"
        direct = Case(name, "direct")
        if source.is_file() and b"scxhid:hostable:" in source.read_bytes():
            cases.append(Case(name, "hosted"))
            cases.append(pytest.param(direct, marks=pytest.mark.slow))
        else:
            cases.append(pytest.param(direct, marks=_NEEDS.get(name, ())))
    return cases


@pytest.fixture(scope="module", autouse=True)
def a_state_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCXHID_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        patch.setenv("SCXHID_RUN_DIR", str(tmp_path_factory.mktemp("run")))
        yield


@pytest.fixture
def empty_slate() -> None:
    """Instead of the one for each test: one attach serves several tests here."""


@pytest.fixture(scope="module", params=_cases(), ids=str)
def case(request: pytest.FixtureRequest, a_state_of_its_own: None) -> Generator[Case]:
    _clear()
    yield request.param
    _clear()


@pytest.fixture(scope="module", params=_cases(), ids=str)
def steady(request: pytest.FixtureRequest, a_state_of_its_own: None) -> Generator[Case]:
    _clear()
    yield request.param
    _clear()


def _clear() -> None:
    kernel.unpin()
    for cpu in range(1, CPUS):
        _set_online(cpu, True)
    if kernel.state() != "disabled":
        kernel.wait_disabled()


@pytest.fixture
def running(steady: Case) -> Generator[Case]:
    """The scheduler runs before, during and after the test, without an end in between."""
    if not steady.runs():
        _clear()
        steady.attach()
    with goes_on(steady):
        yield steady


@contextmanager
def goes_on(case: Case) -> Generator[None]:
    before = kernel.enable_seq()
    yield
    if case.runs() and kernel.enable_seq() == before:
        return
    exit_: dict[str, object] = sched_status()["last_exit"] or {}
    pytest.fail(
        f"{case} did not live through it: {kernel.ops() or 'nothing'} runs;"
        f" {exit_.get('kind_name')}: {exit_.get('message')}",
        pytrace=False,
    )


def _set_online(cpu: int, online: bool) -> None:
    switch = Path(f"/sys/devices/system/cpu/cpu{cpu}/online")
    if switch.read_text().strip() != str(int(online)):
        switch.write_text(str(int(online)))


@pytest.fixture
def light_group() -> Generator[str]:
    """A cgroup of the least weight that there is."""
    group = Path("/sys/fs/cgroup/light")
    Path("/sys/fs/cgroup/cgroup.subtree_control").write_text("+cpu")
    group.mkdir()
    (group / "cpu.weight").write_text("1")
    yield str(group)
    kernel.wait_for("the tasks of the light cgroup to be gone", lambda: _removed(group))


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except OSError:
        return False
    return True


def _fail_if(said: Sequence[str], case: object) -> None:
    if said:
        pytest.fail("\n".join(f"{case}: {line}" for line in said), pytrace=False)


@pytest.mark.smoke
def test_it_starts_and_stops(case: Case) -> None:
    for online in sorted({CPUS, 1}, reverse=True):
        for cpu in range(1, CPUS):
            _set_online(cpu, cpu < online)
        case.attach()
        assert sched_status()["mode"] == case.mode
        # The CPUs that were away when it started come while it runs.
        with goes_on(case):
            for cpu in range(1, CPUS):
                _set_online(cpu, True)
        done("sched", "stop")
        assert kernel.state() == "disabled", f"{case} on {online} CPUs: stopped, and still runs"


def test_no_task_is_starved(running: Case, light_group: str) -> None:
    tasks = [task.format(light=light_group) for task in VICTIMS]
    crowd = run_on_a_calm_machine(3, [f"{HOGS_A_CPU * CPUS}xhog", *tasks], CPUS)
    _fail_if(crowd.kept_waiting(), running)
    _fail_if(crowd.mistreated(), running)


def test_tasks_go_on_whatever_changes_about_them(running: Case) -> None:
    crowd = run_crowd(3, [f"{CPUS}xhog", *CHANGES], CPUS)
    _fail_if(crowd.kept_waiting(WATCHDOG_NS), running)
    _fail_if(crowd.mistreated(), running)
    assert not crowd.idle(), running


@pytest.mark.parametrize("how", HOTPLUG)
def test_tasks_go_on_while_processors_go_and_come(running: Case, how: str) -> None:
    crowd = run_crowd(3, [f"{CPUS}xhog", *THROUGH_HOTPLUG, how], CPUS)
    _fail_if(crowd.kept_waiting(WATCHDOG_NS), running)
    _fail_if(crowd.mistreated(), running)
    assert not crowd.idle(), running


@pytest.mark.usefixtures("a_state_of_its_own")
def test_a_scheduler_that_starves_is_found_out(program: Program) -> None:
    """The one for heavy tasks only: that the test above can fail."""
    use(program("starves"))
    try:
        crowd = run_crowd(3, [f"{HOGS_A_CPU * CPUS}xhog", "hog,nice=19", "sleep"], CPUS)
    finally:
        _clear()
    [said] = crowd.kept_waiting()
    assert said.startswith("hog,nice=19 was kept waiting for ")
