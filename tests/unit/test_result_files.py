"""Result files: what is written is read again, and nothing else is taken for it."""

from __future__ import annotations

import dataclasses
import json
import math
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from pyloader.errors import ScxhidError, WrongUse
from pyloader.probes.histogram import NR_BUCKETS
from vm.errors import BadResult
from vm.results.file import read, write
from vm.results.layout import digest, laid_out
from vm.results.model import Cell, Document, Run

WORDS = st.text(max_size=12)
WHOLE = st.integers(-(2**63), 2**63 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | WHOLE | WORDS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(WORDS, JSON, max_size=3)
SAMPLES = arrays_of.arrays(np.int64, st.integers(0, 5), elements=WHOLE)
COUNTS = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5).map(
    lambda some: np.array(some + [0] * (NR_BUCKETS - len(some)), np.uint64)
)
NAMES = st.from_regex(r"[a-z][a-z0-9_.-]{0,8}", fullmatch=True)
ARRAYS = st.dictionaries(NAMES.map("samples/{}".format), SAMPLES, max_size=2).flatmap(
    lambda samples: st.dictionaries(NAMES.map("counts/{}".format), COUNTS, max_size=2).map(
        lambda counts: samples | counts
    )
)
CELLS = st.builds(
    Cell,
    WORDS,
    st.sampled_from(["kernel", "direct", "hosted"]),
    st.dictionaries(WORDS, WHOLE | WORDS, max_size=2).map(lambda knobs: tuple(knobs.items())),
    WORDS,
    WORDS,
    WORDS,
    st.integers(1, 64),
    WORDS,
)
RUNS = st.builds(
    Run,
    cell=CELLS,
    repetition=st.integers(0, 99),
    seed=WHOLE,
    status=st.sampled_from(["done", "failed", "ejected", "lost"]),
    reason=WORDS,
    started=WORDS,
    seconds=st.floats(0, 1e6),
    metrics=st.dictionaries(WORDS, WHOLE | st.floats(allow_nan=False, allow_infinity=False)),
    conditions=OBJECTS,
    samples_sha256=st.none() | WORDS,
    identical_twice=st.none() | st.booleans(),
    arrays=ARRAYS,
)
METRICS = {"p50_ns": {"unit": "ns", "better": "less", "kind": "latency", "about": "half of it"}}
DOCUMENTS = st.builds(
    Document,
    kind=st.sampled_from(["vm", "exact"]),
    created=WORDS,
    command=st.lists(WORDS, max_size=3).map(tuple),
    seed=WHOLE,
    host=OBJECTS,
    workloads=st.just({"wakeup": {"about": "late", "metrics": METRICS}}),
    runs=st.lists(RUNS, max_size=3).map(tuple),
)


def a_run(**fields: Any) -> Run:
    cell = Cell("simple", "hosted", (("slice_us", 2000),), "wakeup", "full", "7.3.4", 4, "1s2c2t")
    arrays = {"samples/late": np.arange(100), "counts/late": np.ones(NR_BUCKETS, np.uint64)}
    usual = {"repetition": 0, "seed": 1, "metrics": {"p50_ns": 327000}, "arrays": arrays}
    return Run(cell, **usual | fields)


def a_document(*runs: Run) -> Document:
    workloads = {"wakeup": {"about": "how late", "metrics": METRICS}}
    return Document(
        "vm", "2026-01-02T03:04:05Z", ("scxhid", "bench"), 7, {"cpus": 2}, workloads, runs
    )


def comparable(document: Document) -> Document:
    """The same with arrays as what ``==`` understands."""
    runs = [
        dataclasses.replace(
            run,
            arrays={name: (str(a.dtype), a.tolist()) for name, a in run.arrays.items()},  # pyright: ignore
        )
        for run in document.runs
    ]
    return dataclasses.replace(document, runs=tuple(runs))


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """A result file of two runs with arrays."""
    path = tmp_path / "result.json"
    write(path, a_document(a_run(), a_run(repetition=1)))
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(document=DOCUMENTS)
def test_what_is_written_is_read_again(document: Document, tmp_path: Path) -> None:
    write(tmp_path / "any.json", document)
    assert comparable(read(tmp_path / "any.json")) == comparable(document)


def test_a_figure_that_is_no_number_is_none_in_the_file_and_no_number_again(tmp_path: Path) -> None:
    path = tmp_path / "nan.json"
    write(path, a_document(a_run(metrics={"p50_ns": math.nan, "p99_ns": np.float64(2.5)})))
    assert json.loads(path.read_text())["runs"][0]["metrics"] == {"p50_ns": None, "p99_ns": 2.5}
    metrics = read(path).runs[0].metrics
    assert math.isnan(metrics["p50_ns"])
    assert metrics["p99_ns"] == 2.5


def test_a_file_is_readable_by_hand_and_by_numpy_alone(result: Path) -> None:
    lines = result.read_text().splitlines()
    assert '  "format": "scxhid bench 1",' in lines
    assert sum(line.strip() == '"metrics": {"p50_ns": 327000},' for line in lines) == 2
    with np.load(result.with_suffix(".npz")) as arrays:
        assert arrays["run000001/samples/late"].tolist() == list(range(100))


def test_what_runs_share_is_written_once(tmp_path: Path) -> None:
    path, command = tmp_path / "shared.json", ["qemu", *["word"] * 200]
    given = [{"command": command}, {"command": command, "host": {"shared": "command 1"}}, {}]
    write(path, a_document(*(a_run(conditions=conditions) for conditions in given)))
    text = path.read_text()
    assert text.count('"word"') == 200
    assert [run.conditions for run in read(path).runs] == given
    path.write_text(text.replace('"conditions": {}', '"conditions": {"host": {"shared": "none"}}'))
    content = json.loads(path.read_text())
    path.write_text(laid_out(content | {"sha256": digest(content)}))
    with pytest.raises(BadResult, match=r"nothing of that name in shared, for runs\[2\]: 'none'"):
        read(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(share=st.floats(0, 1), of_arrays=st.booleans())
def test_a_truncated_file_is_told(share: float, of_arrays: bool, result: Path) -> None:
    with kept(result):
        part = result.with_suffix(".npz") if of_arrays else result
        whole = part.read_bytes()
        # The last character is a newline, without which nothing is missing.
        part.write_bytes(whole[: int(share * (len(whole) - 2))])
        refusal = refused(result)
        assert ("arrays" if of_arrays else "is ") in refusal


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    at=st.floats(0, 1, exclude_max=True), byte=st.binary(min_size=1, max_size=3), part=st.booleans()
)
def test_an_edited_file_is_told(at: float, byte: bytes, part: bool, result: Path) -> None:
    with kept(result):
        edited = result.with_suffix(".npz") if part else result
        whole = edited.read_bytes()
        place = int(at * len(whole))
        changed = whole[:place] + byte + whole[place + len(byte) :]
        edited.write_bytes(changed)
        if part is False and as_json(changed) == as_json(whole):
            return
        if changed != whole:
            refused(result)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_no_result_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_bytes(content)
    refused(tmp_path / "other.json")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(key=st.sampled_from(range(9)), inside=st.sampled_from(range(20)), value=JSON)
def test_a_forged_file_is_refused_or_read(key: int, inside: int, value: Any, result: Path) -> None:
    """With the right digest: somebody else's program wrote it."""
    with kept(result):
        content = json.loads(result.read_text())
        if inside < 19:
            entry = content["runs"][1]
            entry[list(entry)[inside]] = value
        else:
            content[list(content)[key]] = value
        content["sha256"] = digest(content)
        result.write_text(json.dumps(content))
        with suppress(BadResult):
            read(result)


def test_a_newer_version_is_told_whatever_else_is_in_it(result: Path) -> None:
    result.write_text('{"format": "scxhid bench 2", "runs": "of another kind"}')
    assert "newer version: its format is 'scxhid bench 2'" in refused(result)


def test_arrays_that_are_missing_or_of_another_result_are_told(result: Path) -> None:
    beside = result.with_suffix(".npz")
    other = result.with_name("other.json")
    write(other, a_document(a_run(arrays={"samples/late": np.arange(3)})))
    shutil.copy(other.with_suffix(".npz"), beside)
    assert "of another result" in refused(result)
    beside.unlink()
    assert "needs result.npz beside it, which is not there" in refused(result)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert refused(tmp_path / "no.json").endswith("no.json is not there")


def test_a_full_disk_leaves_the_file_of_before(result: Path) -> None:
    before = result.read_bytes()
    rng = np.random.default_rng(1)
    large = a_run(arrays={"samples/late": rng.integers(0, 2**62, 100_000)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(ScxhidError, match=r"cannot be written: File too large$"):
            write(result, a_document(large))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert result.read_bytes() == before
    assert len(read(result).runs) == 2
    assert sorted(p.name for p in result.parent.iterdir()) == ["result.json", "result.npz"]


def test_a_missing_directory_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ScxhidError, match="No such file or directory"):
        write(tmp_path / "no" / "result.json", a_document())


def test_a_result_is_not_named_as_its_arrays(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"name it FILE\.json"):
        write(tmp_path / "result.npz", a_document())


def test_who_was_killed_between_the_two_moves_loses_nothing(
    result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[Path] = []

    def replace(source: Path, target: Path) -> None:
        if moved:
            raise KeyboardInterrupt
        moved.append(target)
        source.rename(target)

    monkeypatch.setattr("os.replace", replace)
    with pytest.raises(KeyboardInterrupt):
        write(result, a_document(a_run(arrays={"samples/late": np.arange(3)})))
    assert moved == [result.with_suffix(".npz")]
    assert len(read(result).runs) == 1


def test_a_result_without_arrays_takes_those_of_before_away(result: Path) -> None:
    write(result, a_document(a_run(arrays={})))
    assert [p.name for p in result.parent.iterdir()] == ["result.json"]


def test_samples_are_whole_nanoseconds(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="float64"):
        write(tmp_path / "x.json", a_document(a_run(arrays={"samples/late": np.ones(3)})))


def refused(path: Path) -> str:
    """The one sentence with which a file is refused."""
    with pytest.raises(BadResult) as caught:
        read(path)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def as_json(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except ValueError:
        return raw


@contextmanager
def kept(result: Path) -> Iterator[None]:
    """Both parts are as before afterwards."""
    parts = {path: path.read_bytes() for path in (result, result.with_suffix(".npz"))}
    try:
        yield
    finally:
        for path, raw in parts.items():
            path.write_bytes(raw)
