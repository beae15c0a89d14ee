"""Maps as numpy arrays: shapes and dtypes from BTF, contents as the program wrote them."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest

from pyloader import libbpf
from pyloader.errors import BadValue, Gone, LoadError
from pyloader.object import BpfObject

pytestmark = pytest.mark.host

Load = Callable[..., BpfObject]
FillArgs = Callable[[int], bytearray]
CPUS = libbpf.possible_cpus()
SEED = 5


@pytest.fixture
def filled(load: Load, fill_args: FillArgs) -> BpfObject:
    """``globals`` after one fill, with this thread on one CPU so that only its slots are set."""
    loaded = load("globals")
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert loaded.run("fill", fill_args(SEED)) == 0
    finally:
        os.sched_setaffinity(0, before)
    return loaded


def _here() -> int:
    return min(os.sched_getaffinity(0))


def test_array_of_structs_has_their_fields(filled: BpfObject) -> None:
    samples = filled.maps["samples"].read()
    assert samples.shape == (16,)
    assert samples.dtype.names == ("count", "delta", "kind", "valid", "at", "bytes")
    assert samples["count"].tolist() == [SEED * 1000 + i for i in range(16)]
    assert samples["delta"].tolist() == [-(SEED + i) for i in range(16)]
    assert samples["valid"].tolist() == [bool(i & 1) for i in range(16)]
    assert samples["at"]["y"].tolist() == [-i for i in range(16)]
    assert samples["bytes"][3].tolist() == [3, 0, 0, 0, SEED]


def test_per_cpu_array_has_a_column_for_each_possible_cpu(filled: BpfObject) -> None:
    counters = filled.maps["counters"].read()
    assert (counters.shape, counters.dtype) == ((32, CPUS), np.dtype("u8"))
    assert counters[:, _here()].tolist() == [SEED * i for i in range(32)]
    assert counters.sum() == sum(SEED * i for i in range(32))


def test_per_cpu_structs_have_fields_by_entry_and_cpu(filled: BpfObject) -> None:
    samples = filled.maps["percpu_samples"].read()
    assert samples["delta"].shape == (4, CPUS)
    assert samples["delta"][:, _here()].tolist() == [-(SEED + i) for i in range(4)]


def test_statistics_are_one_row_a_cpu(filled: BpfObject) -> None:
    stats = filled.maps["stats"].read()["v"]
    assert stats.shape == (1, CPUS, 32)
    fills = filled.spec.stats["fills"].index
    assert stats[0, :, fills].sum() == 1


def test_hash_is_read_with_its_keys(filled: BpfObject) -> None:
    pairs = filled.maps["by_pair"]
    values = pairs.read()
    keys = pairs.keys()
    assert values.shape == keys.shape == (32,)
    assert set(keys["b"].tolist()) == {SEED}
    assert values["kind"].tolist() == keys["a"].tolist()
    assert sorted(keys["a"].tolist()) == list(range(32))


def test_per_cpu_hash_is_read_by_entry_and_cpu(filled: BpfObject) -> None:
    ids = filled.maps["percpu_by_id"]
    values = ids.read()
    assert values.shape == (32, CPUS)
    assert (values[:, _here()] == ids.keys() + SEED).all()


def test_read_fills_the_same_array_again(filled: BpfObject, fill_args: FillArgs) -> None:
    samples = filled.maps["samples"]
    first = samples.read()
    kept = first.copy()
    filled.run("fill", fill_args(9))
    assert samples.read() is first
    assert first["count"][0] == 9000
    assert kept["count"][0] == SEED * 1000


def test_shrinking_hash_reads_shorter(filled: BpfObject) -> None:
    pairs = filled.maps["by_pair"]
    assert len(pairs.read()) == 32
    for a in range(30):
        pairs.delete((a, SEED))
    assert len(pairs.read()) == len(pairs.keys()) == 2
    assert sorted(pairs.keys()["a"].tolist()) == [30, 31]


def test_one_value_is_looked_up_stored_and_taken_out(filled: BpfObject) -> None:
    pairs = filled.maps["by_pair"]
    found = pairs.lookup((3, SEED))
    assert found is not None
    assert (found["count"], found["at"]["x"]) == (SEED * 1000 + 3, 3)
    assert pairs.lookup((3, SEED + 1)) is None
    pairs.update((100, 200), (1, -2, 3, True, (4, 5), [1, 2, 3, 4, 5]))
    stored = pairs.lookup((100, 200))
    assert stored is not None
    assert [stored[name] for name in ("count", "delta", "kind", "valid")] == [1, -2, 3, True]
    assert stored["at"].item() == (4, 5)
    assert stored["bytes"].tolist() == [1, 2, 3, 4, 5]
    pairs.delete((100, 200))
    assert pairs.lookup((100, 200)) is None


def test_per_cpu_value_is_stored_for_every_cpu(filled: BpfObject) -> None:
    counters = filled.maps["counters"]
    counters.update(1, 77)
    assert counters.lookup(1).tolist() == [77] * CPUS  # type: ignore[union-attr]
    counters.update(1, range(CPUS))
    assert counters.lookup(1).tolist() == list(range(CPUS))  # type: ignore[union-attr]


def test_view_of_a_mapped_array_is_live_both_ways(filled: BpfObject, fill_args: FillArgs) -> None:
    samples = filled.maps["samples"]
    view = samples.view()
    assert view["count"].tolist() == samples.read()["count"].tolist()
    filled.run("fill", fill_args(8))
    assert view["count"][2] == 8002
    view["count"][2] = 1
    assert samples.lookup(2)["count"] == 1  # type: ignore[index]


def test_map_may_be_made_larger_before_load(load: Load) -> None:
    loaded = load("globals", entries={"counters": 100})
    assert loaded.maps["counters"].read().shape == (100, CPUS)


# --- awkward maps ---


@pytest.fixture
def awkward(load: Load) -> BpfObject:
    loaded = load("host_maps")
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert loaded.run("fill") == 0
    finally:
        os.sched_setaffinity(0, before)
    return loaded


ROWS = [[i, 10 * i, 100 * i] for i in range(4)]


def test_values_that_are_arrays_add_their_dimension(awkward: BpfObject) -> None:
    rows = awkward.maps["rows"]
    assert rows.read().shape == (4, 3)
    assert rows.read().tolist() == ROWS
    assert rows.view().tolist() == ROWS
    assert rows.lookup(2).tolist() == ROWS[2]  # type: ignore[union-attr]
    rows.update(1, [7, 8, 9])
    assert rows.view()[1].tolist() == [7, 8, 9]


def test_per_cpu_values_that_are_arrays_come_by_entry_and_cpu(awkward: BpfObject) -> None:
    rows = awkward.maps["percpu_rows"].read()
    assert rows.shape == (4, CPUS, 3)
    assert rows[:, _here()].tolist() == ROWS
    assert rows.sum() == np.sum(ROWS)


ODD = [(i, 1000 * i, 2 * i) for i in range(4)]


def test_values_of_odd_size_are_not_mixed_up(awkward: BpfObject) -> None:
    many = awkward.maps["many_odd"]
    for read in (many.read(), many.view()):
        assert read.shape == (1000,)
        assert read[::300].tolist() == ODD
        assert np.count_nonzero(read["b"]) == 3
    per_cpu = awkward.maps["percpu_odd"].read()
    assert per_cpu[:, _here()].tolist() == ODD


def test_map_without_types_holds_bytes(awkward: BpfObject) -> None:
    untyped = awkward.maps["untyped"]
    assert (untyped.key_dtype, untyped.value_dtype) == (np.dtype("u8"), np.dtype("V12"))
    untyped.update(5, b"twelve bytes")
    assert untyped.read().tolist() == [b"twelve bytes"]
    assert untyped.keys().tolist() == [5]


def test_map_that_cannot_be_read_or_mapped_says_so(awkward: BpfObject) -> None:
    with pytest.raises(LoadError, match=r"map queue \(queue\) cannot be read"):
        awkward.maps["queue"].read()
    with pytest.raises(BadValue, match=r"map percpu_odd \(percpu_array\) cannot be mapped"):
        awkward.maps["percpu_odd"].view()
    with pytest.raises(BadValue, match="map rows is of type array, not a ring buffer"):
        awkward.maps["rows"].ring(np.dtype("u8"))


@pytest.mark.parametrize("key", [4, -1, 2**32, "one", (1, 2), None])
def test_key_that_an_array_does_not_have_is_a_bad_value(key: object, awkward: BpfObject) -> None:
    with pytest.raises(BadValue, match="map rows "):
        awkward.maps["rows"].update(key, [1, 2, 3])


@pytest.mark.parametrize("value", ["x", [1, 2], None, 2**32, [[1], [2], [3]]])
def test_value_that_does_not_fit_is_a_bad_value(value: object, awkward: BpfObject) -> None:
    with pytest.raises(BadValue, match="map rows does not take value"):
        awkward.maps["rows"].update(0, value)
    assert awkward.maps["rows"].read().tolist() == ROWS


def test_entry_that_is_not_there_cannot_be_taken_out(filled: BpfObject) -> None:
    with pytest.raises(BadValue, match="map by_pair does not give up key"):
        filled.maps["by_pair"].delete((99, 99))
    with pytest.raises(BadValue, match="map samples does not give up key 0"):
        filled.maps["samples"].delete(0)


def test_closed_map_is_gone(filled: BpfObject) -> None:
    samples = filled.maps["samples"]
    samples.close()
    samples.close()
    for use in (
        samples.read,
        samples.view,
        lambda: samples.lookup(0),
        lambda: samples.delete(0),
        lambda: samples.update(0, (0, 0, 0, False, (0, 0), [0] * 5)),
    ):
        with pytest.raises(Gone, match="map samples is closed"):
            use()
