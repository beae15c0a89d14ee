"""The matrix on a Dask cluster: a real scheduler and real workers, machines that are none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_bench_run import FEW, Bench, bench, machines, outcome_of
from vm.results import file

__all__ = ["bench", "machines"]

# Its own warnings, of the versions of what it stands on.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Two workers of one thread, in this process."""
    import distributed

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, protocol="tcp"
    ) as made:
        yield made


def test_a_cluster_measures_the_same(bench: Bench, cluster: Any, tmp_path: Path) -> None:
    here, there = tmp_path / "here.json", tmp_path / "there.json"
    words = (*FEW, "--cpus", "1,2", "--runs-per-machine", "2")
    bench(*words, "-o", here)
    done = bench(*words, "-o", there, "--executor", f"dask:{cluster.scheduler_address}")
    assert done.status == 0, done.err
    assert outcome_of(file.read(here)) == outcome_of(file.read(there))


def test_without_an_address_there_is_a_cluster_here(bench: Bench) -> None:
    done = bench(*FEW, "--executor", "dask", "--json")
    assert done.status == 0, done.err
    assert [one["runs"] for one in json.loads(done.out)] == [{"done": 3}] * 2


def test_a_cluster_that_does_not_answer_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vm.matrix.on_dask._CONNECT_S", 1)
    done = bench(*FEW, "--executor", "dask:tcp://127.0.0.1:9")
    assert done.status == 1
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in done.err
