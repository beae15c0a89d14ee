"""Topologies of machines: ``1s2l4c2t`` and the like, for QEMU, and as the guest sees it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyloader.errors import WrongUse

#: CPUs of a machine, at most.
MOST_CPUS = 64

#: Letter → what it counts, from the outside to the inside.
LEVELS: Mapping[str, str] = {
    "n": "NUMA nodes",
    "s": "sockets",
    "l": "last-level caches",
    "c": "cores",
    "t": "threads",
}

GRAMMAR = (
    "numbers with letters, each so many in one of the level before: n NUMA nodes, s sockets,"
    " l last-level caches, c cores, t threads; what is left out is one. 1s2c2t has four CPUs,"
    " 2n1s4c eight in two nodes, 1s2l2c2t eight under two caches"
)

_FORM = re.compile(
    r"(?:([1-9][0-9]?)n)?(?:([1-9][0-9]?)s)?(?:([1-9][0-9]?)l)?"
    r"(?:([1-9][0-9]?)c)?(?:([1-9][0-9]?)t)?",
    re.ASCII,
)

_SYSFS = Path("/sys/devices/system")


@dataclass(frozen=True)
class Topology:
    """Each number is that of the things in one of the level before."""

    nodes: int = 1
    sockets: int = 1
    caches: int = 1
    cores: int = 1
    threads: int = 1

    @property
    def cpus(self) -> int:
        return self.nodes * self.sockets * self.caches * self.cores * self.threads

    def __str__(self) -> str:
        """The shortest form: nodes and caches only where there are several."""
        nodes = f"{self.nodes}n" if self.nodes > 1 else ""
        caches = f"{self.caches}l" if self.caches > 1 else ""
        return f"{nodes}{self.sockets}s{caches}{self.cores}c{self.threads}t"

    @property
    def counts(self) -> dict[str, int]:
        """How many of each there are in the whole machine, by the words of ``LEVELS``."""
        found: dict[str, int] = {}
        product = 1
        each = (self.nodes, self.sockets, self.caches, self.cores, self.threads)
        for name, number in zip(LEVELS.values(), each, strict=True):
            product *= number
            found[name] = product
        return found

    def qemu_arguments(self, accel: str, memory_mib: int) -> list[str]:
        """What QEMU has to be told; its memory is split among the nodes.

        QEMU gives each die a last-level cache. Linux believes that of Intel's processors; of them
        it asks leaf 0x1f, on whose emulation QEMU 10.0 aborts, unless there are no such leaves.
        """
        sockets = self.nodes * self.sockets
        words = [
            "-smp",
            f"{self.cpus},sockets={sockets},dies={self.caches},cores={self.cores}"
            f",threads={self.threads},maxcpus={self.cpus}",
        ]
        if self.caches > 1 and accel == "tcg":
            words += ["-cpu", "max,vendor=GenuineIntel,level=0xd"]
        if self.nodes > 1:
            a_node = self.cpus // self.nodes
            for node in range(self.nodes):
                size = memory_mib // self.nodes
                words += [
                    "-object",
                    f"memory-backend-ram,id=node{node},size={size}M",
                    "-numa",
                    f"node,nodeid={node},memdev=node{node}"
                    f",cpus={node * a_node}-{node * a_node + a_node - 1}",
                ]
        return words

    def memory_mib(self, wanted: int) -> int:
        """``wanted``, or a little more, so that each node gets as much."""
        return -(-wanted // self.nodes) * self.nodes

    def trouble(self, seen: Mapping[str, int]) -> str:
        """How a machine of which ``seen`` says this differs, in words; empty if it does not."""
        wrong = [
            f"{seen.get(name, 0)} {name} in place of {number}"
            for name, number in self.counts.items()
            if seen.get(name) != number
        ]
        return f"the guest has {' and '.join(wrong)}" if wrong else ""


def parse(text: str) -> Topology:
    """What ``text`` means.

    Raises:
        WrongUse: it is no topology, or has more than ``MOST_CPUS`` CPUs.
    """
    found = _FORM.fullmatch(text)
    if not text or not found:
        raise WrongUse(f"{text!r} is no topology: {GRAMMAR}")
    made = Topology(*(int(number or 1) for number in found.groups()))
    if made.cpus > MOST_CPUS:
        raise WrongUse(f"{text} has {made.cpus} CPUs; a machine has at most {MOST_CPUS}")
    return made


def seen(root: Path = _SYSFS) -> dict[str, int]:
    """How many of each the running machine has, by the words of ``LEVELS``, from sysfs.

    ``threads`` are its CPUs. A kernel that tells no cache counts as one cache a socket.
    """
    cpus = sorted((root / "cpu").glob("cpu[0-9]*"))
    online = [cpu for cpu in cpus if (cpu / "topology").is_dir()]
    nodes = [path for path in (root / "node").glob("node[0-9]*") if _text(path / "cpulist")]
    packages = _different(cpu / "topology" / "package_cpus_list" for cpu in online)
    return {
        "NUMA nodes": max(1, len(nodes)),
        "sockets": packages,
        "last-level caches": _different(_last_cache(cpu) for cpu in online) or packages,
        "cores": _different(cpu / "topology" / "thread_siblings_list" for cpu in online),
        "threads": len(online),
    }


def _last_cache(cpu: Path) -> Path | None:
    indices = sorted(
        (cpu / "cache").glob("index[0-9]*"), key=lambda path: int(_text(path / "level") or 0)
    )
    return indices[-1] / "shared_cpu_list" if indices else None


def _different(paths: Iterable[Path | None]) -> int:
    return len({_text(path) for path in paths if path} - {""})


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
