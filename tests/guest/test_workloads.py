"""Workloads that only a guest can run: input takes uhid, cgroups the version 2 of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from vm.workloads.find import find, prepare
from vm.workloads.model import Case, Outcome

CGROUPS = Path("/sys/fs/cgroup")


def measured(name: str, load: str, seconds: float) -> Outcome:
    workload = find(name)
    case = Case(os.cpu_count() or 1, load, seconds, programs=prepare(workload))
    assert workload.command
    assert workload.read
    done = subprocess.run(workload.command(case), capture_output=True, text=True, timeout=60)
    assert not done.returncode, done.stderr
    return workload.read(done.stdout, case)


@pytest.mark.smoke
def test_stages_of_input_add_up_to_the_whole_of_each_report() -> None:
    outcome = measured("input", "full", 0.4)
    stages = [outcome.samples[name] for name in ("kernel", "scheduler", "reader")]
    total = outcome.samples["total"]
    assert len(total) == 101
    assert (sum(stages) == total).all()
    assert all((stage >= 0).all() for stage in stages)
    assert outcome.metrics["stage_kernel_ns"] > 0
    assert outcome.metrics["lost"] == 0
    assert outcome.metrics["p50_ns"] < 1e9


def test_the_kernels_own_gives_cgroups_what_their_weights_say() -> None:
    before = sorted(CGROUPS.iterdir())
    outcome = measured("cgroups", "idle", 1.0)
    assert sorted(CGROUPS.iterdir()) == before
    # By number of tasks it would be 0.69, and 0.77 if all groups were alike.
    assert 0.8 < outcome.metrics["fairness"] <= 1
    assert outcome.metrics["least_of_fair"] < 1 < outcome.metrics["most_of_fair"]
