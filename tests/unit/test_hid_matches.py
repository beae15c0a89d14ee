"""Which devices an object of udev-hid-bpf is for: read from its BTF, whatever that holds."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader import sysfs
from pyloader.errors import BadObject, WrongUse
from pyloader.hid import installed, matches, udev
from pyloader.hid.device import Device
from pyloader.hid.matches import Match
from pyloader.libbpf import Btf, RawType, elf_section
from pyloader.spec import ObjectSpec

ObjectOf = Callable[[str], Path]


class FakeBtf:
    """Types as libbpf would give them, by id from 1 on."""

    def __init__(self, types: list[RawType]) -> None:
        self._types = types

    def __len__(self) -> int:
        return len(self._types) + 1

    def kinds(self) -> list[int]:
        return [0, *(t.kind for t in self._types)]

    def type(self, type_id: int) -> RawType:
        return self._types[type_id - 1]


def read(types: list[RawType]) -> tuple[Match, ...] | None:
    return matches.of_btf(cast(Btf, FakeBtf(types)))


def device(bus: int, group: int, vendor: int, product: int) -> Device:
    name = f"{bus:04X}:{vendor:04X}:{product:04X}.0001"
    node = sysfs.HidNode(name, "A device", "", "", None, (), None, group)
    return Device(node, bus, vendor, product, 1)


def test_an_object_says_which_devices_it_is_for(object_of: ObjectOf) -> None:
    spec = ObjectSpec.open(object_of("hid_foreign"))
    assert matches.read(spec) == (Match(3, 0, 0x1209, 0),)
    assert [ops.name for ops in udev.made_ops(spec)] == ["foreign_rdesc", "foreign_events"]
    assert (udev.inputs(spec), udev.outputs(spec)) == (["HID_WORD"], ["HID_HEARD"])


def test_one_of_ours_does_not(object_of: ObjectOf) -> None:
    spec = ObjectSpec.open(object_of("hid_fixup"))
    assert matches.read(spec) is None
    assert not udev.is_one(spec)


def test_a_device_fits_by_what_is_not_any() -> None:
    mouse = device(3, 1, 0x1209, 1)
    assert Match(3, 1, 0x1209, 1).fits(mouse)
    assert Match(0, 0, 0, 0).fits(mouse)
    assert Match(3, 0, 0x1209, 0).fits(mouse)
    for other in (Match(5, 1, 0x1209, 1), Match(3, 4, 0, 0), Match(3, 1, 0x1208, 1)):
        assert not other.fits(mouse)


def test_it_says_in_words_what_it_is_for(object_of: ObjectOf) -> None:
    assert Match(3, 1, 0x256C, 0x60).in_words() == "USB 256c:0060 (generic)"
    assert Match(0, 4, 0, 0).in_words() == "any bus any:any (Windows 8 multitouch)"
    spec = ObjectSpec.open(object_of("hid_foreign"))
    udev.require_match(spec, device(3, 1, 0x1209, 7))
    with pytest.raises(WrongUse, match=r"is for USB 1209:any, and .* is Bluetooth 1209:0007"):
        udev.require_match(spec, device(5, 1, 0x1209, 7))


types = st.builds(
    RawType,
    kind=st.integers(0, 20),
    name=st.sampled_from(["", ".hid_bpf_config", "_device_ids", "vid", "_entry1"]),
    kind_flag=st.booleans(),
    size_or_type=st.integers(0, 14),
    extra=st.just(()),
)


@st.composite
def graphs(draw: st.DrawFn) -> list[RawType]:
    """Any types that libbpf may hand out: of each kind with the rows that it has."""
    ids = st.integers(0, 14)
    members = st.sampled_from(["bus", "group", "vid", "pid", "_entry1", ""])
    rows: dict[int, Any] = {
        1: st.tuples(st.tuples(st.integers(0, 1 << 31))),
        3: st.tuples(st.tuples(ids, st.integers(0, 1 << 32))),
        4: st.lists(st.tuples(members, ids, ids), max_size=5).map(tuple),
        5: st.lists(st.tuples(members, ids, ids), max_size=5).map(tuple),
        15: st.lists(st.tuples(ids, ids, ids), max_size=3).map(tuple),
    }
    drawn = draw(st.lists(types, min_size=1, max_size=12))
    return [t._replace(extra=draw(rows[t.kind])) if t.kind in rows else t for t in drawn]


@given(graphs())
def test_whatever_types_there_are_it_reads_them_or_refuses(graph: list[RawType]) -> None:
    try:
        found = read(graph)
    except ValueError:
        return
    assert found is None or all(isinstance(each, Match) for each in found)


def section(*rows: tuple[int, int, int]) -> RawType:
    return RawType(15, ".hid_bpf_config", False, 8, rows)


def variable(type_id: int) -> RawType:
    return RawType(14, "_device_ids", False, type_id, ())


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ([section((9, 0, 8))], "no BTF type 9"),
        ([section((2, 0, 8)), variable(0)], "no BTF type 0"),
        ([section((2, 0, 8)), variable(3), RawType(8, "loop", False, 3, ())], "nest too deep"),
        ([section((2, 0, 8)), variable(1)], "_device_ids is no union"),
        (
            [section((2, 0, 8)), variable(3), RawType(5, "", False, 8, (("_entry1", 2, 0),))],
            "_entry1 of _device_ids is no struct",
        ),
        (
            [
                *(section((2, 0, 8)), variable(3)),
                RawType(5, "", False, 8, (("_entry1", 4, 0),)),
                RawType(4, "", False, 8, (("bus", 1, 0),)),
            ],
            "has no group",
        ),
        (
            [
                *(section((2, 0, 8)), variable(3)),
                RawType(5, "", False, 8, (("_entry1", 4, 0),)),
                RawType(4, "", False, 8, tuple((m, 1, 0) for m in ("bus", "group", "vid", "pid"))),
            ],
            "bus is no pointer to an array",
        ),
    ],
)
def test_what_is_broken_is_said(broken: list[RawType], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(broken)


def test_a_damaged_object_is_one_sentence(object_of: ObjectOf) -> None:
    data = object_of("hid_foreign").read_bytes()
    btf = elf_section(data, ".BTF")
    assert btf
    start = data.index(btf)
    # The kind of the union behind _device_ids becomes that of a struct.
    (types_at,) = struct.unpack_from("=I", btf, 8)
    damaged = bytearray(data)
    for at in range(start + 24 + types_at, start + len(btf) - 12, 4):
        name, info, size = struct.unpack_from("=III", data, at)
        if (name, info & 0x1F000000, size) == (0, 5 << 24, 40):
            struct.pack_into("=I", damaged, at + 4, info & ~0x1F000000 | 4 << 24)
    with pytest.raises(BadObject, match="does not say which devices it is for"):
        matches.read(ObjectSpec.from_bytes(bytes(damaged), "damaged"))


def test_the_highest_number_comes_first(tmp_path: Path) -> None:
    for name in ("0010-A__b", "0030-A__b", "9-A__b", "0020-C__d", "plain"):
        (tmp_path / f"{name}.bpf.o").touch()
    assert [p.name for p in installed.find(f"{tmp_path}/A__b")] == [
        *("0030-A__b.bpf.o", "0010-A__b.bpf.o", "9-A__b.bpf.o")
    ]
    assert [p.name for p in installed.find(f"{tmp_path}/0010-A__b")] == ["0010-A__b.bpf.o"]
    assert [p.name for p in installed.find(f"{tmp_path}/plain")] == ["plain.bpf.o"]
    assert len(installed.find(str(tmp_path))) == 5
    assert installed.find(f"{tmp_path}/0010-A__b.bpf.o") == []
    with pytest.raises(WrongUse, match=r"no object is called 'A__c'; did you mean A__b"):
        installed.find(f"{tmp_path}/A__c")


def test_names_are_looked_for_in_the_directories_of_that_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "0010-A__b.bpf.o").touch()
    monkeypatch.setattr(installed, "DIRECTORIES", (f"{tmp_path}/f*", f"{tmp_path}/second"))
    assert installed.find("A__b") == [tmp_path / "first" / "0010-A__b.bpf.o"]
    assert installed.find("B__c") == []
