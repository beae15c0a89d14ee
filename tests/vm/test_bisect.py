"""Two versions of a scheduler in real machines: one instruction more is seen, and where."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pyloader.places import data_root
from vm.exact.bisect.compare import Row, rows, sentence
from vm.exact.bisect.lines import line_rows
from vm.exact.bisect.measure import Measured, Place, measure
from vm.exact.bisect.version import version
from vm.kernels import Kernel

THRESHOLD = 0.001
SIMPLE = data_root("schedulers") / "simple.bpf.c"

#: What makes enqueue about one part in a hundred slower, and never does anything.
SLOWER = """\
	if (p->scx.weight > 5000)
		stat_inc(dispatched_kthread);
	if (p->nr_cpus_allowed == 77)
		stat_inc(dispatched_kthread);
"""


def changed(directory: Path, old: str, new: str) -> str:
    """A copy of simple with one place of it changed."""
    text = SIMPLE.read_text()
    assert text.count(old) == 1
    copy = directory / "simple.bpf.c"
    copy.write_text(text.replace(old, new))
    return str(copy)


def slower(directory: Path) -> str:
    old = "\tstat_inc(dispatched_global);\n"
    return changed(directory, old, old + SLOWER)


def run(what: str, place: Place) -> Measured:
    return measure(version(what).subject, place, 1)


@pytest.fixture(scope="module")
def place(kernel: Kernel) -> Place:
    return Place(kernel)


@pytest.fixture(scope="module")
def simple(place: Place) -> Measured:
    return run(str(SIMPLE), place)


def by_name(a: Measured, b: Measured) -> dict[str, Row]:
    return {row.name: row for row in rows([a], [b], THRESHOLD)}


def test_the_callback_that_became_slower_is_found_and_no_other(
    simple: Measured, place: Place, tmp_path: Path
) -> None:
    """Two boots, 20 s on an idle host."""
    found = by_name(simple, run(slower(tmp_path), place))
    assert set(found) == {
        *("select_cpu", "enqueue", "dispatch"),
        *("running", "stopping", "enable"),
    }
    assert [name for name, row in found.items() if not row.same_code] == ["enqueue"]
    enqueue = found["enqueue"]
    assert enqueue.verdict == "more"
    assert enqueue.ratio is not None
    assert 1.005 < enqueue.ratio[0] < 1.03
    text = sentence(list(found.values()), THRESHOLD)
    assert text.startswith("enqueue costs 1.")
    grown = [line.text for line in line_rows(enqueue) if line.difference > 1 and not line.a_line]
    assert "if (p->scx.weight > 5000)" in grown
    assert "if (p->nr_cpus_allowed == 77)" in grown


@pytest.mark.slow
def test_the_same_on_a_busy_host_and_a_comment_changes_nothing(
    simple: Measured, place: Place, tmp_path: Path
) -> None:
    """Three boots beside four busy processes, 60 s."""
    comment = changed(
        tmp_path, "/* ---- The callbacks", "/* More words\n */\n\n/* ---- The callbacks"
    )
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        again = run(str(SIMPLE), place)
        with_comment = run(comment, place)
        worse = run(slower(tmp_path), place)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert again.sha256 == simple.sha256
    assert {name: (c.calls, c.instructions) for name, c in with_comment.callbacks.items()} == {
        name: (c.calls, c.instructions) for name, c in simple.callbacks.items()
    }
    found = by_name(simple, worse)
    assert [name for name, row in found.items() if row.differs and not row.same_code] == ["enqueue"]


@pytest.mark.slow
def test_on_two_cpus_own_instructions_are_told(kernel: Kernel) -> None:
    """One boot, 20 s."""
    found = run(str(SIMPLE), Place(kernel, workload="wakeup", cpus=2)).callbacks
    assert found["running"].instructions == found["running"].own_instructions
    assert found["running"].calls > 100
