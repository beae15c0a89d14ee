"""Objects made elsewhere, before any kernel has them: what they need, lack and leave to others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pyloader.btf import Array, Enum, Int, Member, Opaque, Struct, Type
from pyloader.catalog import schedulers
from pyloader.elsewhere import adapt as adapting
from pyloader.elsewhere import counters, cpus, flags, map_use, relocations, running_kernel, shape
from pyloader.elsewhere.adapt import NONE, Adaptation, adapt
from pyloader.elsewhere.halves import missing_half
from pyloader.elsewhere.ignores import certain, ignores
from pyloader.elsewhere.remarks import before_use
from pyloader.errors import BadObject, Unsupported
from pyloader.spec import ObjectSpec

SpecOf = Callable[[str], ObjectSpec]
U64, U32 = Int("u64", 8), Int("u32", 4)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that knows of enums, members and flags what Linux 6.16 knows, roughly."""
    known = {
        "SCX_SLICE_DFL": 20_000_000,
        "SCX_DSQ_GLOBAL": 1 << 63 | 1,
        "SCX_KICK_IDLE": 1,
        "SCX_OPS_ENQ_LAST": 2,
        "SCX_OPS_ENQ_EXITING": 4,
    }
    members = frozenset(adapting.SINCE_6_12)

    def enumerators() -> Mapping[str, int]:
        return known

    def members_of(struct: str) -> frozenset[str]:
        return members if struct == "sched_ext_ops" else frozenset()

    monkeypatch.setattr(running_kernel, "enumerators", enumerators)
    monkeypatch.setattr(running_kernel, "members", members_of)
    monkeypatch.setattr(cpus, "ids", lambda: 3)
    monkeypatch.setattr(cpus, "possible", lambda: 3)
    monkeypatch.setitem(cpus.WELL_KNOWN, "nr_cpu_ids", lambda: 3)
    monkeypatch.setattr(adapting.sysfs, "hotplug_seq", lambda: 5)


def adapted(spec: ObjectSpec, **given: object) -> Adaptation:
    return adapt(spec, given, ())


# --- what it is ---


def test_only_a_scheduler_without_tags_was_made_elsewhere(spec_of: SpecOf) -> None:
    assert shape.is_made_elsewhere(spec_of("elsewhere_whole"))
    assert shape.is_made_elsewhere(spec_of("no_tags"))
    assert not shape.is_made_elsewhere(spec_of("simple"))
    assert not shape.is_made_elsewhere(spec_of("globals"))


def test_ours_are_left_as_they_are(spec_of: SpecOf) -> None:
    changed = adapted(spec_of("simple"))
    assert changed == Adaptation({}, {"simple": {}}, {}, frozenset(), ())
    assert adapted(spec_of("globals")) == NONE


# --- what it needs ---


@pytest.mark.usefixtures("kernel")
def test_constants_get_the_kernels_values_in_their_own_width(spec_of: SpecOf) -> None:
    values = adapted(spec_of("elsewhere_whole")).values
    assert values["__SCX_SLICE_DFL"] == 20_000_000
    assert values["__SCX_DSQ_GLOBAL"] == 1 << 63 | 1
    assert values["__SCX_KICK_IDLE"] == 1
    assert "__SCX_ENQ_FROM_THE_FUTURE" not in values


@pytest.mark.usefixtures("kernel")
def test_what_the_user_chose_stays(spec_of: SpecOf) -> None:
    changed = adapted(spec_of("elsewhere_whole"), __SCX_SLICE_DFL=7, nr_cpu_ids=1, slice_ns=9)
    assert not {"__SCX_SLICE_DFL", "nr_cpu_ids", "slice_ns"} & set(changed.values)
    assert not any("slice_ns" in line for line in changed.notes)


@pytest.mark.usefixtures("kernel")
def test_well_known_constants_are_filled_and_told(spec_of: SpecOf) -> None:
    changed = adapted(spec_of("elsewhere_whole"))
    assert (changed.values["nr_cpu_ids"], changed.values["slice_ns"]) == (3, 20_000_000)
    assert "its constants are set for this machine: nr_cpu_ids = 3, slice_ns = 20000000" in (
        changed.notes
    )


def test_cpus_are_counted_as_sysfs_lists_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpus, "CPUS", tmp_path)
    (tmp_path / "possible").write_text("0-3,8\n")
    (tmp_path / "online").write_text("0,2\n")
    (tmp_path / "smt").mkdir()
    (tmp_path / "smt" / "active").write_text("1\n")
    assert (cpus.possible(), cpus.ids(), cpus.online(), cpus.smt()) == (5, 9, 2, True)
    (tmp_path / "smt" / "active").write_text("0\n")
    assert cpus.smt() is False


@pytest.mark.parametrize(
    ("name", "type_", "compiled"),
    [
        ("nr_cpu_ids", Int("u8", 1), 0),
        ("nr_cpu_ids", Int("bool", 1, is_bool=True), 0),
        ("smt_enabled", U32, 0),
        ("slice_ns", U64, 5_000_000),
        ("nr_layers", U32, 0),
        ("nr_cpus", Array(U32, 4), [0, 0, 0, 0]),
    ],
)
def test_a_constant_of_another_type_or_meaning_is_left_alone(
    name: str, type_: Type, compiled: object
) -> None:
    assert cpus.value_of(name, type_, compiled) is None


@pytest.mark.usefixtures("kernel")
def test_arrays_get_their_size_and_the_dump_its_length(spec_of: SpecOf) -> None:
    changed = adapted(spec_of("elsewhere_whole"))
    assert changed.sizes == {".data.uei_dump": 16384, ".data.cpu_enqueued": 24}
    assert changed.values["uei_dump_len"] == 16384  # its ops say exit_dump_len


@pytest.mark.usefixtures("kernel")
def test_hotplug_seq_is_set_where_the_ops_have_it(spec_of: SpecOf) -> None:
    assert adapted(spec_of("elsewhere_whole")).fields["whole_ops"]["hotplug_seq"] == 5
    unlinked = adapted(spec_of("elsewhere_unlinked"))
    assert unlinked.fields == {"unlinked_ops": {}}  # its optional table is not made
    assert unlinked.notes == ()


@pytest.mark.usefixtures("kernel")
def test_callbacks_that_the_kernel_lacks_are_cleared_and_named(spec_of: SpecOf) -> None:
    changed = adapted(spec_of("elsewhere_whole"))
    cleared = {name for name, value in changed.fields["whole_ops"].items() if value == 0}
    assert cleared == {"cgroup_set_bandwidth", "cgroup_set_idle"}
    assert any("has no cgroup_set_bandwidth, cgroup_set_idle" in line for line in changed.notes)


@pytest.mark.usefixtures("kernel")
def test_a_field_with_a_meaning_is_not_lost_in_silence(spec_of: SpecOf) -> None:
    with pytest.raises(Unsupported, match="sets only_for_cgroup of sched_ext_ops, which this kern"):
        adapted(spec_of("elsewhere_new_field"))


@pytest.mark.usefixtures("kernel")
def test_a_flag_with_a_meaning_is_not_lost_in_silence(spec_of: SpecOf) -> None:
    with pytest.raises(Unsupported, match="needs the flag 0x10000000000, which this kernel"):
        adapted(spec_of("elsewhere_new_flag"))


def test_a_map_without_a_size_is_refused_unless_it_is_given_one(spec_of: SpecOf) -> None:
    with pytest.raises(BadObject, match="which gives the map pairs a size"):
        adapted(spec_of("elsewhere_sizeless"))
    adapt(spec_of("elsewhere_sizeless"), {}, ("pairs",))


def test_tracing_programs_are_left_out(spec_of: SpecOf) -> None:
    assert adapted(spec_of("elsewhere_half")).left_out == {"half_switch"}


def test_flags_have_names() -> None:
    assert flags.names(0b110) == ["SCX_OPS_ENQ_LAST", "SCX_OPS_ENQ_EXITING"]
    assert flags.names(1 << 40) == ["0x10000000000"]
    assert flags.names(0) == []


# --- what its other half would do ---


def test_a_missing_half_is_told_by_what_it_left(spec_of: SpecOf) -> None:
    told = "\n".join(missing_half(spec_of("elsewhere_half")))
    for words in (
        "takes from the queue offered",
        "fills the queue decided",
        "fills the map boost_of_pid",
        "reads the events of events",
        "runs the program half_setup",
        "attaches half_switch (tp_btf/sched_switch)",
        "fills in cpu_to_core (",
        "the constant usersched_pid",
    ):
        assert words in told
    assert " own" not in told.replace("its own", "")  # both ends of that queue are in the object
    assert "powers" not in told


def test_one_that_is_whole_has_little_to_miss(spec_of: SpecOf) -> None:
    assert missing_half(spec_of("no_tags")) == []
    assert missing_half(spec_of("simple")) == []
    assert missing_half(spec_of("elsewhere_whole")) == []
    assert [v.name for v in shape.sized_by_cpu(spec_of("elsewhere_whole"))] == ["cpu_enqueued"]


def test_helpers_are_found_by_map(spec_of: SpecOf) -> None:
    used = map_use.helpers_by_map(spec_of("elsewhere_half").data)
    assert used["offered"] == {map_use.PUSH}
    assert used["decided"] == {map_use.POP}
    assert used["own"] == {map_use.PUSH, map_use.POP}
    assert used["boost_of_pid"] == {map_use.LOOKUP}


def test_members_that_programs_read_are_in_the_relocations(spec_of: SpecOf) -> None:
    read = relocations.members_read(spec_of("simple").data)
    assert ("sched_ext_entity", "weight") in read
    assert ("task_struct", "nr_cpus_allowed") in read
    assert ("task_struct", "comm") not in read


# --- what it does not honour ---


@pytest.mark.parametrize(
    ("name", "unheard"),
    [
        ("simple", ("cpu.weight", "cpu.max", "cpu.idle")),  # it says so itself
        ("elsewhere_whole", ("nice", "cpu.weight")),
        ("no_tags", ("nice", "cpu.weight", "cpu.max", "cpu.idle")),
        ("elsewhere_optional", ("cpu.weight", "cpu.max", "cpu.idle")),  # reads nothing at all
        ("two_ops", ()),
        ("hid_ops", ()),
        ("globals", ()),
    ],
)
def test_what_is_not_honoured(spec_of: SpecOf, name: str, unheard: tuple[str, ...]) -> None:
    assert ignores(spec_of(name)) == unheard


@pytest.mark.parametrize("name", list(schedulers()))
def test_ours_own_up_to_what_is_certain(spec_of: SpecOf, name: str) -> None:
    said = spec_of(name).about.ignores
    assert said is not None, "IGNORES is missing"
    assert set(certain(spec_of(name))) <= set(said)


def test_before_use_says_both(spec_of: SpecOf) -> None:
    told = before_use(spec_of("elsewhere_half"))
    assert told[0].startswith("elsewhere_half: warning: its own user-space program ")
    assert told[-1] == ("elsewhere_half: it does not honour nice, cpu.weight, cpu.max, cpu.idle")


@pytest.mark.parametrize("name", ["elsewhere_sub", "elsewhere_sizeless", "two_ops", "hid_ops"])
def test_nothing_is_said_before_a_refusal(spec_of: SpecOf, name: str) -> None:
    assert before_use(spec_of(name)) == []


# --- what it counts ---


def struct_of(*members: tuple[str, Type]) -> Struct:
    rows = tuple(Member(name, t, i * 64) for i, (name, t) in enumerate(members))
    return Struct("counts", 8 * len(rows), rows)


@pytest.mark.parametrize(
    ("entries", "value", "names"),
    [
        (1, U64, ["m"]),
        (2, U64, ["m[0]", "m[1]"]),
        (1, struct_of(("a", U64), ("b", U64)), ["a", "b"]),
        (2, struct_of(("a", U64), ("b", U64)), ["m[0].a", "m[0].b", "m[1].a", "m[1].b"]),
        (1, Array(U64, 2), ["m[0]", "m[1]"]),
        (1, U32, []),
        (1, struct_of(("a", U64), ("b", U32)), []),
        (counters.MAX_ENTRIES + 1, U64, []),
        (0, U64, []),
    ],
)
def test_counters_of_a_map(entries: int, value: Type, names: list[str]) -> None:
    assert [c.name for c in counters.of_map("m", entries, value, value.size)] == names


def test_counters_of_a_map_that_tells_only_sizes() -> None:
    assert [c.name for c in counters.of_map("m", 2, Opaque("void"), 8)] == ["m[0]", "m[1]"]
    assert counters.of_map("m", 2, Opaque("void"), 12) == []


def test_an_enum_with_a_name_for_each_entry_names_them() -> None:
    fits = Enum("stat_idx", 4, False, (("STAT_A", 0), ("STAT_B", 1), ("NR_STATS", 2)))
    other = Enum("kind", 4, False, (("KIND_A", 0), ("KIND_B", 1)))
    named = counters.of_map("m", 2, U64, 8, [fits, other])
    assert [(c.name, c.key) for c in named] == [("STAT_A", 0), ("STAT_B", 1)]
    assert [c.name for c in counters.of_map("m", 2, U64, 8, [fits, fits])] == ["m[0]", "m[1]"]
    assert [c.name for c in counters.of_map("m", 1, U64, 8, [fits])] == ["m"]


# --- what is no scheduler to attach ---


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("two_ops", "(long_slices, short_slices); one is expected: compile each into an object"),
        ("hid_ops", "it has hid_bpf_ops, which is for HID devices and no scheduler"),
        ("elsewhere_sub", "the form for sub-schedulers (Linux 7.3), which is not supported yet"),
        ("no_ops", "it has no struct_ops at all"),
    ],
)
def test_what_cannot_be_attached_says_what_it_is(spec_of: SpecOf, name: str, words: str) -> None:
    with pytest.raises(BadObject) as caught:
        spec_of(name).sole_ops("sched_ext_ops")
    assert words in str(caught.value).replace(
        "short_slices, long_slices", "long_slices, short_slices"
    )


def test_an_optional_table_steps_back(spec_of: SpecOf) -> None:
    unlinked = spec_of("elsewhere_unlinked")
    assert unlinked.sole_ops("sched_ext_ops").name == "unlinked_ops"
    assert unlinked.ops["better_ops"].is_optional
    assert not unlinked.is_wanted("better_ops")
    assert spec_of("elsewhere_optional").is_wanted("optional_ops")


# --- what info shows ---


def test_info_tells_all_of_it(scxhid: Callable[..., Any], object_of: Callable[[str], Path]) -> None:
    half = scxhid("sched", "info", object_of("elsewhere_half")).out
    for words in (
        "made elsewhere; it does not say what it is",
        "does not honour: nice, cpu.weight, cpu.max, cpu.idle (as far as its callbacks tell)",
        "callbacks  enqueue, dispatch",
        "flags      none",
        "timeout    5,000 ms",
        "hosted     no: made elsewhere",
        "  - fills the queue decided",
    ):
        assert words in half
    whole = scxhid("sched", "info", object_of("elsewhere_whole")).out
    assert "  WHOLE_STAT_LOCAL, WHOLE_STAT_GLOBAL, enqueued, ran" in whole
    assert "and 6 constants of the kernel's" in whole
    assert "uei_dump" not in whole


def test_info_as_json(scxhid: Callable[..., Any], object_of: Callable[[str], Path]) -> None:
    out = scxhid("sched", "info", object_of("elsewhere_new_flag"), "--json").out
    told = json.loads(out)
    assert told["made_elsewhere"] is True
    assert (told["hostable"], told["ops"]["new_flag_ops"]["callbacks"]) == (False, ["enqueue"])
    assert told["ops"]["new_flag_ops"]["flag_names"] == ["SCX_OPS_ENQ_EXITING", "0x10000000000"]
    assert told["ignores"] == ["cpu.weight", "cpu.max", "cpu.idle"]


@pytest.mark.parametrize("name", ["two_ops", "hid_ops", "no_ops", "elsewhere_sub"])
def test_info_says_that_it_is_nothing_to_attach(
    scxhid: Callable[..., Any], object_of: Callable[[str], Path], name: str
) -> None:
    done = scxhid("sched", "info", object_of(name))
    assert done.status == 0
    assert f"`scxhid sched use` does not take it: {name} " in done.out


def test_list_tells_what_is_ignored(scxhid: Callable[..., Any]) -> None:
    told = json.loads(scxhid("sched", "list", "--json").out)
    simple = next(entry for entry in told if entry["name"] == "simple")
    assert simple["ignores"] == ["cpu.weight", "cpu.max", "cpu.idle"]
