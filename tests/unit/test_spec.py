"""``ObjectSpec``: what compiled objects say about themselves, before any kernel has them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pyloader.btf import Int
from pyloader.errors import BadObject, UnknownName
from pyloader.spec import ObjectSpec

SpecOf = Callable[[str], ObjectSpec]


def test_simple_says_what_it_is(spec_of: SpecOf) -> None:
    simple = spec_of("simple")
    assert simple.name == "simple"
    assert simple.license == "GPL"
    assert "one queue for all CPUs" in simple.about.what
    assert "learning" in simple.about.good_for


def test_simple_has_one_scheduler_with_its_callbacks(spec_of: SpecOf) -> None:
    ops = spec_of("simple").sole_ops("sched_ext_ops")
    assert ops.name == "simple"
    assert ops.callbacks["enqueue"] == "simple_enqueue"
    assert {"init", "exit", "dispatch", "cpu_online", "cpu_offline"} <= set(ops.callbacks)
    assert "init_task" not in ops.callbacks
    assert ops.fields["timeout_ms"] == 3000
    assert ops.fields["name"] == "simple"


def test_programs_tell_their_section_type_and_length(spec_of: SpecOf) -> None:
    programs = spec_of("simple").programs
    assert programs["simple_enqueue"].section == "struct_ops/simple_enqueue"
    assert programs["simple_init"].section == "struct_ops.s/simple_init"
    assert programs["policy_init"].type == "syscall"
    callbacks = [p for name, p in programs.items() if name.startswith("simple_")]
    assert all(p.type == "struct_ops" and p.instructions > 0 for p in callbacks)
    assert spec_of("globals").programs["count_syscalls"].type == "raw_tracepoint"


def test_maps_tell_their_shape_and_types(spec_of: SpecOf) -> None:
    stats = spec_of("simple").maps["stats"]
    assert (stats.type, stats.key_size, stats.value_size, stats.max_entries) == (
        "percpu_array",
        4,
        32 * 8,
        1,
    )
    assert isinstance(stats.key_type, Int)
    pairs = spec_of("globals").maps["by_pair"]
    assert (pairs.type, pairs.key_size, pairs.max_entries) == ("hash", 8, 256)


def test_knob_tells_default_range_unit_and_doc(spec_of: SpecOf) -> None:
    knob = spec_of("simple").knobs["slice_us"]
    assert (knob.default, knob.minimum, knob.maximum) == (5000, 100, 100_000)
    assert knob.unit == "us"
    assert knob.doc == "time a task may run while others wait"
    assert (knob.at_load, knob.section) == (False, ".data")


def test_load_time_knob_is_a_constant(spec_of: SpecOf) -> None:
    knob = spec_of("simple").knobs["fifo"]
    assert (knob.at_load, knob.section) == (True, ".rodata")
    assert (knob.default, knob.minimum, knob.maximum) == (False, False, True)
    assert knob.default is False
    assert not spec_of("simple").variables["fifo"].writable


def test_live_knob_stays_writable_when_its_default_is_zero(spec_of: SpecOf) -> None:
    knob = spec_of("globals").knobs["period_us"]
    assert (knob.default, knob.section) == (0, ".data")


def test_signed_knob_keeps_its_signs(spec_of: SpecOf) -> None:
    knob = spec_of("globals").knobs["bias"]
    assert (knob.default, knob.minimum, knob.maximum) == (-5, -10, 10)


def test_stats_stand_in_the_order_of_the_source(spec_of: SpecOf) -> None:
    stats = spec_of("simple").stats
    assert list(stats)[:3] == ["dispatched_local", "dispatched_global", "dispatched_kthread"]
    assert [stat.index for stat in stats.values()] == list(range(len(stats)))
    assert stats["run_ns"].doc == "time that tasks ran, ns"


def test_what_only_carries_tags_is_no_variable(spec_of: SpecOf) -> None:
    names = set(spec_of("simple").variables)
    assert {"fifo", "slice_us", "advanced_at"} <= names
    assert not [name for name in names if "__" in name]


def test_variables_have_the_values_that_the_source_gives_them(spec_of: SpecOf) -> None:
    values = {name: v.initial for name, v in spec_of("globals").variables.items()}
    assert values["ro_u64"] == 18_000_000_000_000_000_000
    assert values["ro_s64"] == -9_000_000_000_000_000_000
    assert values["ro_s8"] == -100
    assert values["ro_bool"] is True
    assert values["ro_text"] == "read only"
    assert values["data_array"] == [[1, 2, 3], [4, 5, 6]]
    assert values["bss_array"] == [0] * 8
    assert values["data_shape"] == {
        "kind": 3,
        "filled": True,
        "nr_points": 3,
        "colour": 5,
        "points": [{"x": 1, "y": -1}, {"x": 2, "y": -2}, {"x": 3, "y": -3}],
        "inner": {"area": 7, "offset": -7},
        "name": "triangle",
    }


def test_object_made_elsewhere_shows_plain_variables(spec_of: SpecOf) -> None:
    foreign = spec_of("no_tags")
    assert (foreign.knobs, foreign.stats, foreign.about.what) == ({}, {}, "")
    sections = {name: v.section for name, v in foreign.variables.items()}
    assert sections["slice_ns"] == ".rodata"
    assert sections["busy_percent"] == ".data"
    assert sections["drift"] == ".bss"
    assert sections["RESIZABLE_ARRAY_uei_dump"] == ".data.uei_dump"
    assert foreign.variables["slice_ns"].initial == 10_000_000


def test_ops_name_may_differ_from_the_variable(spec_of: SpecOf) -> None:
    ops = spec_of("no_tags").sole_ops("sched_ext_ops")
    assert (ops.name, ops.fields["name"]) == ("foreign_ops", "foreign_0.9.1")


def test_flavour_of_the_ops_struct_is_the_same_kind(spec_of: SpecOf) -> None:
    ops = spec_of("missing_callback").sole_ops("sched_ext_ops")
    assert set(ops.callbacks) == {"enqueue", "moonrise"}


def test_one_scheduler_of_two_cannot_be_guessed(spec_of: SpecOf) -> None:
    with pytest.raises(BadObject, match=r"two_ops has 2 sched_ext_ops \(.*long_slices.*\)"):
        spec_of("two_ops").sole_ops("sched_ext_ops")


def test_object_without_a_scheduler_says_so(spec_of: SpecOf) -> None:
    with pytest.raises(BadObject, match="it has no struct_ops at all"):
        spec_of("no_ops").sole_ops("sched_ext_ops")


def test_other_kind_of_ops_is_named(spec_of: SpecOf) -> None:
    with pytest.raises(BadObject, match="not a program set for hid_bpf_ops: it has sched_ext_ops"):
        spec_of("simple").sole_ops("hid_bpf_ops")


def test_unknown_variable_names_the_nearest(spec_of: SpecOf) -> None:
    with pytest.raises(UnknownName) as caught:
        spec_of("simple").variable("slice_ms")
    assert caught.value.nearest == ("slice_us",)
    assert "did you mean slice_us?" in str(caught.value)


def test_same_file_gives_the_same_spec_from_disk_and_from_memory(
    object_of: Callable[[str], Path],
) -> None:
    path = object_of("globals")
    from_disk = ObjectSpec.open(path)
    from_memory = ObjectSpec.from_bytes(path.read_bytes(), "globals")
    assert from_disk == from_memory
    assert from_disk.digest == from_memory.digest


def test_large_arrays_do_not_slow_the_opening(object_of: Callable[[str], Path]) -> None:
    path = object_of("host_large")
    started = time.process_time()
    contexts = ObjectSpec.open(path).variables["contexts"]
    assert time.process_time() - started < 0.05  # decoding them all takes more than twice that
    assert len(contexts.initial) == 16384


def test_every_program_of_the_checkout_opens(spec_of: SpecOf) -> None:
    root = Path(__file__).resolve().parents[2]
    sources = [*root.glob("schedulers/*.bpf.c"), *root.glob("tests/programs/*.bpf.c")]
    for source in sources:
        spec = spec_of(source.name.split(".")[0])
        assert spec.license == "GPL", source
        assert spec.programs, source
