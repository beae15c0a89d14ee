"""Whatever a result file holds, it is told without a crash: table, summary, JSON and page."""

from __future__ import annotations

import json
import math
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.unit import made_results as made
from vm.report.as_json import as_json
from vm.report.baseline import check
from vm.report.files import File
from vm.report.markdown import markdown
from vm.report.page.html import page
from vm.report.terminal import printed
from vm.report.told import abridged, tell
from vm.results.model import Cell, Document, Run, Status

FIGURES = st.one_of(
    st.floats(allow_nan=True, allow_infinity=False, width=32),
    st.sampled_from([0.0, 1.0, -1.0, 1e-30, 1e30, math.nan]),
    st.integers(0, 10**10).map(float),
)
METRICS = [name for workload in made.WORKLOADS.values() for name in workload["metrics"]]
ARRAYS = st.one_of(
    st.just({}),
    st.lists(st.integers(-5, 10**12), max_size=30).map(
        lambda some: {"samples/late": np.array(some, np.int64)}
    ),
    st.lists(st.integers(0, 5), min_size=304, max_size=304).map(
        lambda some: {"counts/late": np.array(some, np.uint64)}
    ),
)
CELLS = st.builds(
    Cell,
    scheduler=st.sampled_from(["kernel", "simple", "a|b", "<b>", "$x$", ""]),
    mode=st.sampled_from(["kernel", "direct", "hosted"]),
    knobs=st.sampled_from([(), (("slice_us", 1),), (("slice_us", "20ms"),), (("on", True),)]),
    workload=st.sampled_from([*made.WORKLOADS, "unknown"]),
    load=st.sampled_from(["", "idle", "full", "strange"]),
    kernel=st.sampled_from(["7.3.4", "6.16.12", ""]),
    cpus=st.sampled_from([1, 4]),
    topology=st.sampled_from(["", "1s2c2t"]),
)
RUNS = st.builds(
    Run,
    cell=CELLS,
    repetition=st.integers(0, 3),
    seed=st.integers(0, 3),
    status=st.sampled_from(get_args(Status)),
    reason=st.text(max_size=20),
    metrics=st.dictionaries(st.sampled_from([*METRICS, "undeclared"]), FIGURES, max_size=6),
    conditions=st.dictionaries(
        st.sampled_from(["object_sha256", "qemu", "command", "host_load", "odd"]),
        st.one_of(st.none(), st.text(max_size=9), st.lists(st.integers(), max_size=2), FIGURES),
        max_size=3,
    ),
    samples_sha256=st.one_of(st.none(), st.just("ab" * 32)),
    identical_twice=st.one_of(st.none(), st.booleans()),
    arrays=ARRAYS,
)


@st.composite
def documents(draw: st.DrawFn, most: int = 12) -> Document:
    runs: list[Any] = draw(st.lists(RUNS, max_size=most))
    return made.document(runs, draw(st.sampled_from(["vm", "exact"])))


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

#: A page takes half a second, and a thousand smaller ones would be tried.
NO_SHRINKING = [Phase.explicit, Phase.reuse, Phase.generate]


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(documents(), st.sampled_from([20, 80, None]))
def test_any_result_is_compared(document: Document, width: int | None) -> None:
    file = File(Path("a.json"), "a.json", document)
    telling = tell([file])
    assert printed(telling.told, telling.notes, width) is not None
    assert printed(abridged(telling).told, telling.notes, width) is not None
    json.dumps(as_json(telling), allow_nan=False)
    text = markdown(telling, [file])
    assert "\nscxhid bench run" in text


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(documents(), documents())
def test_any_two_results_are_put_together_or_compared(one: Document, other: Document) -> None:
    files = [File(Path(f"{n}.json"), f"{n}.json", d) for n, d in enumerate((one, other))]
    if one.kind != other.kind:
        return
    telling = tell(files)
    assert printed(telling.told, telling.notes, 80) is not None
    if {run.cell for run in one.runs} & {run.cell for run in other.runs}:
        telling = tell(files, as_change=True)
        assert printed(telling.told, telling.notes, 80) is not None
        check(files[0], files[1], 0.05, anyway=True)


class WellFormed(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "wbr"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@settings(max_examples=8, deadline=None, suppress_health_check=SLOW, phases=NO_SHRINKING)
@given(documents(8))
def test_any_result_becomes_a_page(document: Document) -> None:
    file = File(Path("a.json"), "a.json", document)
    text = page(tell([file]), [file], [], "scxhid bench report a.json -o a")
    WellFormed(text)
    assert (
        "nan" not in text.split("<main>")[1].split('<section id="conditions">')[0].lower().split()
    )
