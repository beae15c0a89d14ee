"""Every scheduler with one CPU and with eight: the guest tests have two, and four on the oldest."""

from __future__ import annotations

import pytest

from pyloader.catalog import schedulers
from tests.vm.started import REPOSITORY
from vm import many_cpus
from vm.kernels import Kernel


@pytest.mark.parametrize("cpus", [pytest.param(1, marks=pytest.mark.slow), 8])
def test_every_scheduler_starts_runs_a_load_and_stops(kernel: Kernel, cpus: int) -> None:
    outcome = many_cpus.run(kernel, list(schedulers()), root=REPOSITORY, cpus=cpus, as_used=True)
    assert {stay.label.split()[0] for stay in outcome.stays} == set(schedulers())
    assert not outcome.kept_waiting()
