"""Topologies: what may be typed, what QEMU is told, what the guest is checked for."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.errors import WrongUse
from vm.matrix.topology import LEVELS, MOST_CPUS, Topology, parse, seen

few = st.integers(1, 4)
topologies = st.builds(Topology, few, few, few, few, few).filter(lambda t: t.cpus <= MOST_CPUS)


@given(topologies)
def test_what_is_written_is_read_again(shape: Topology) -> None:
    assert parse(str(shape)) == shape


@given(st.text(alphabet="0123456789nslct ", max_size=12))
def test_whatever_is_typed_is_a_topology_or_refused_in_a_sentence(text: str) -> None:
    shape = None
    with suppress(WrongUse):
        shape = parse(text)
    if shape is None:
        with pytest.raises(WrongUse) as refused:
            parse(text)
        assert text in str(refused.value)
        return
    assert 1 <= shape.cpus <= MOST_CPUS
    assert parse(str(shape)) == shape


@pytest.mark.parametrize(
    ("text", "cpus", "shortest"),
    [
        ("1s2c2t", 4, "1s2c2t"),
        ("2n1s2c1t", 4, "2n1s2c1t"),
        ("1s2l4c2t", 16, "1s2l4c2t"),
        ("4c", 4, "1s4c1t"),
        ("1n1s1l1c1t", 1, "1s1c1t"),
    ],
)
def test_what_is_left_out_is_one(text: str, cpus: int, shortest: str) -> None:
    assert parse(text).cpus == cpus
    assert str(parse(text)) == shortest


@pytest.mark.parametrize(
    "text",
    ["", "4", "s", "0s", "01s", "2t1c", "2c2c", "1s2c2t ", "1S2C", "-1c", "99c9t", "٢c", "1s,2c"],
)
def test_all_else_is_refused(text: str) -> None:
    with pytest.raises(WrongUse, match=r"no topology|CPUs"):
        parse(text)


def test_qemu_is_told_every_level_and_each_node_has_its_part() -> None:
    words = Topology(2, 1, 1, 2, 2).qemu_arguments("kvm", 2048)
    assert words[:2] == ["-smp", "8,sockets=2,dies=1,cores=2,threads=2,maxcpus=8"]
    assert "node,nodeid=1,memdev=node1,cpus=4-7" in words
    assert "memory-backend-ram,id=node1,size=1024M" in words


def test_nodes_share_memory_evenly() -> None:
    assert Topology(nodes=3).memory_mib(2048) == 2049
    assert Topology().memory_mib(2048) == 2048


@given(topologies)
def test_a_machine_as_it_was_asked_for_is_no_trouble(shape: Topology) -> None:
    assert not shape.trouble(shape.counts)
    assert tuple(shape.counts) == tuple(LEVELS.values())


def test_what_differs_is_told() -> None:
    said = {**Topology(caches=2, cores=2).counts, "last-level caches": 1}
    assert Topology(caches=2, cores=2).trouble(said) == (
        "the guest has 1 last-level caches in place of 2"
    )


def test_sysfs_tells_what_the_machine_has(tmp_path: Path) -> None:
    """Two sockets of one core of two threads, each a node of its own; CPU 4 is possible only."""
    for cpu in range(4):
        here = tmp_path / "cpu" / f"cpu{cpu}"
        (here / "topology").mkdir(parents=True)
        both = "0-1" if cpu < 2 else "2-3"
        (here / "topology" / "package_cpus_list").write_text(both + "\n")
        (here / "topology" / "thread_siblings_list").write_text(both + "\n")
        for index, (level, shared) in enumerate([(1, str(cpu)), (3, both)]):
            (here / "cache" / f"index{index}").mkdir(parents=True)
            (here / "cache" / f"index{index}" / "level").write_text(f"{level}\n")
            (here / "cache" / f"index{index}" / "shared_cpu_list").write_text(f"{shared}\n")
    (tmp_path / "cpu" / "cpu4").mkdir()
    for node, cpus in enumerate(["0-1", "2-3", ""]):
        (tmp_path / "node" / f"node{node}").mkdir(parents=True)
        (tmp_path / "node" / f"node{node}" / "cpulist").write_text(f"{cpus}\n")
    assert not Topology(2, 1, 1, 1, 2).trouble(seen(tmp_path))
