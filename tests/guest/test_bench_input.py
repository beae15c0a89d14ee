"""The benchmark of input latency, with few reports: that it measures, and leaves all as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyloader import sysfs
from pyloader.input_first import state
from tests.guest.command import done, use
from tests.guest.running import assert_runs
from vm.bench.input import here
from vm.bench.input.cells import Cell
from vm.bench.input.rounds import Plan, Samples, key
from vm.bench.input.ways import Way, ways

CELL = Cell("hogs2", "mouse1000", "chain")
WAYS = ways(["interactive"])
PLAN = Plan(WAYS, (CELL,), rounds=1, seconds=0.2)


def of(samples: Samples, way: Way, metric: str) -> float:
    [value] = samples[key(CELL, way, metric)]
    return value


def hogs_or_readers() -> list[str]:
    names = [path.read_text().strip() for path in Path("/proc").glob("[0-9]*/comm")]
    return [name for name in names if name in ("hogs", "report_path")]


def test_every_way_is_measured_and_nothing_is_left() -> None:
    samples = here.run(PLAN, lambda _: None)
    for way in WAYS:
        assert of(samples, way, "reports") == 200
        assert 0 < of(samples, way, "read_p50") <= of(samples, way, "read_p99")
        assert of(samples, way, "read_p50") < of(samples, way, "end_p50")
        assert of(samples, way, "lost") < 1
        assert 0 < of(samples, way, "share") <= 1
    assert_runs("", "none")
    assert not state.is_on()
    assert not sysfs.hid_devices()
    assert not hogs_or_readers()


@pytest.mark.slow
def test_ctrl_c_leaves_the_scheduler_and_input_first_as_they_were(simple: str) -> None:
    use(simple, "slice_us=3000")
    done("input", "on", "budget_us=2000", "--not", "0003:1209:0002")
    steps: list[str] = []
    kernels, *_, last = WAYS

    def tell(step: str) -> None:
        steps.append(step)
        if last.name in step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        here.run(Plan((kernels, last), (CELL,), 1, 0.2), tell)
    assert len(steps) == 2
    assert_runs("simple", "hosted")
    assert done("sched", "knobs", "--json").json["slice_us"]["value"] == 3000
    told = done("input", "show", "--json").json
    assert told["knobs"]["budget_us"] == 2000
    assert [each["device"] for each in told["devices"] if not each["counts"]] == ["0003:1209:0002"]
    assert not hogs_or_readers()
