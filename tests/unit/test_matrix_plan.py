"""The matrix: which cells there are, and in which order chance puts the runs."""

from __future__ import annotations

from collections import Counter

import pytest

from pyloader.errors import UnknownName, WrongUse
from tests.unit import fake_machines
from vm.matrix import plan
from vm.matrix.plan import Matrix, matrix, timeout_s
from vm.matrix.request import Request


@pytest.fixture(autouse=True)
def _kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "choose", fake_machines.kernel)


def of(**given: object) -> Matrix:
    usual = {"schedulers": ("kernel", "simple", "nest"), "workloads": ("wakeup",)}
    return matrix(Request(**{**usual, **given}))  # type: ignore[arg-type]


def test_the_matrix_is_the_product_of_all_that_is_named() -> None:
    made = of(
        loads=("light", "over"), kernels=("7.3", "6.16"), cpus=(1,), topologies=("2c2t",), reps=2
    )
    cells = {run.cell for run in made.runs}
    assert len(cells) == 3 * 2 * 2 * 2
    assert {(c.kernel, c.cpus, c.topology) for c in cells} == {
        (kernel, *shape) for kernel in ("7.3.4", "6.16.12") for shape in ((1, ""), (4, "1s2c2t"))
    }
    assert Counter(run.cell for run in made.runs) == dict.fromkeys(cells, 2)


def test_every_cell_is_measured_once_before_any_is_again() -> None:
    made = of(cpus=(1, 2), reps=5)
    for cpus in (1, 2):
        runs = [run for run in made.runs if run.cell.cpus == cpus]
        assert [run.repetition for run in runs] == [n for n in range(5) for _ in range(3)]
        for block in range(5):
            assert len({run.cell for run in runs[3 * block : 3 * block + 3]}) == 3


def test_blocks_are_in_different_orders_and_the_same_seed_gives_the_same() -> None:
    orders = {
        tuple(run.cell.scheduler for run in of(reps=20).runs[3 * n : 3 * n + 3]) for n in range(20)
    }
    assert len(orders) > 3
    assert of(seed=7).batches == of(seed=7).batches
    assert [r.cell for r in of(seed=7).runs] != [r.cell for r in of(seed=8).runs]


def test_a_machine_serves_so_many_runs_and_machines_take_turns() -> None:
    made = of(cpus=(1, 2), reps=6, runs_per_machine=4)
    assert max(len(batch.runs) for batch in made.batches) == 4
    kinds = [batch.machine.cpus for batch in made.batches]
    assert all(set(kinds[n : n + 2]) == {1, 2} for n in range(0, len(kinds) - 1, 2))
    assert [run.number for run in made.runs] == list(range(36))


def test_cells_that_are_compared_have_the_same_chance() -> None:
    seeds: dict[int, set[int]] = {}
    for run in of(reps=3).runs:
        seeds.setdefault(run.repetition, set()).add(run.seed)
    assert all(len(each) == 1 for each in seeds.values())
    assert len(set.union(*seeds.values())) == 3


def test_schedulers_are_hosted_where_they_can_be_or_as_it_was_asked() -> None:
    assert {run.cell.mode for run in of().runs} == {"kernel", "hosted"}
    assert {run.cell.mode for run in of(modes=("direct",)).runs} == {"kernel", "direct"}
    both = {run.cell.subject for run in of(modes=("hosted", "direct")).runs}
    assert both == {"kernel", "simple", "simple direct", "nest", "nest direct"}
    assert "central" in {r.cell.scheduler for r in of(schedulers=("central",)).runs}
    with pytest.raises(WrongUse, match="central cannot be hosted"):
        of(schedulers=("central",), modes=("hosted",))


def test_a_workload_has_its_usual_load_unless_others_are_named() -> None:
    assert {run.cell.load for run in of().runs} == {"full"}
    assert {run.cell.load for run in of(loads=("over", "light")).runs} == {"over", "light"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"schedulers": ("simple", "simple")}, "--sched names simple twice"),
        ({"schedulers": ("nobody",)}, "no scheduler is called 'nobody'"),
        ({"schedulers": ("kernel:slice_us=1",)}, "no knobs"),
        ({"schedulers": ("simple:slice_us=0",)}, "slice_us"),
        ({"workloads": ("wakeup", "wakeup")}, "--workload names wakeup twice"),
        ({"workloads": ("wakup",)}, "no workload is called 'wakup'; did you mean wakeup"),
        ({"workloads": ("nowhere.py",)}, "there is no such file"),
        ({"loads": ("heavy",)}, "no load is called 'heavy'; there are idle, light, full, over"),
        ({"loads": ("idle",)}, "the workload wakeup has no load idle"),
        ({"loads": ("full", "full")}, "--load names full twice"),
        ({"cpus": (2, 2)}, "--cpus names 2 twice"),
        ({"cpus": ()}, "no machine to measure on"),
        ({"topologies": ("2c", "1s2c1t")}, "--topology names 1s2c1t twice"),
        ({"topologies": ("4",)}, "no topology"),
        ({"topologies": ("64c2t",)}, "128 CPUs"),
        ({"kernels": ("7.3", "7.3.4")}, "--kernel names 7.3.4 twice"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(
    given: dict[str, object], said: str
) -> None:
    from pyloader.errors import ScxhidError

    with pytest.raises(ScxhidError) as raised:
        of(**given)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_was_asked_for_means_the_same_tomorrow_and_elsewhere() -> None:
    request = of(kernels=("7.3",), topologies=("2c",)).request
    assert request.kernels == ("7.3.4",)
    assert request.topologies == ("1s2c1t",)
    with pytest.raises(UnknownName):
        of(schedulers=("nothing",))


def test_a_request_is_read_as_it_was_written() -> None:
    request = of(loads=("over",), seconds=0.5).request
    assert Request.from_json(request.to_json()) == request
    with pytest.raises(TypeError):
        Request.from_json({**request.to_json(), "more": 1})


def test_a_hung_run_is_one_that_takes_many_times_what_it_measures() -> None:
    request = Request(("kernel",), ("wakeup",))
    assert timeout_s(request, 1) == 80
    assert timeout_s(Request(("kernel",), ("wakeup",), timeout_s=5), 1) == 5
