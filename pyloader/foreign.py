"""What somebody else attached: who holds it, so that the user can be told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pyloader import bpffs, libbpf

LINK_TYPE_STRUCT_OPS = 9
# The kernel's types behind the struct_ops maps of schedulers; the second since 7.3.
_VALUE_TYPES = ("bpf_struct_ops_sched_ext_ops", "bpf_struct_ops_sched_ext_ops_cid")


@dataclass(frozen=True)
class Holder:
    """The link of a scheduler and whoever keeps it there."""

    link_id: int
    pins: tuple[str, ...]
    processes: tuple[tuple[int, str], ...]

    def in_words(self) -> str:
        parts = [f"process {name} ({pid})" for pid, name in self.processes]
        parts += [f"the pin {path}" for path in self.pins]
        return " and ".join(parts) or "somebody who cannot be seen from here"


def holder_of_scheduler() -> Holder | None:
    """Who holds the scheduler that runs; None if no link of one can be found."""
    kernel = libbpf.Btf.of_kernel()
    wanted = {kernel.find(name) for name in _VALUE_TYPES} - {None}
    for link in libbpf.links():
        if link.type != LINK_TYPE_STRUCT_OPS or not link.map_id:
            continue
        fd = libbpf.map_by_id(link.map_id)
        try:
            if libbpf.map_info(fd).btf_vmlinux_value_type_id not in wanted:
                continue
        finally:
            os.close(fd)
        return holder_of(link.id, tuple(bpffs.pins_of_link(link.id)))
    return None


def holder_of(link_id: int, pins: tuple[str, ...]) -> Holder:
    """Who keeps a link whose pins are known."""
    return Holder(link_id, pins, tuple(_processes(link_id)))


def _processes(link_id: int) -> Iterator[tuple[int, str]]:
    """Processes with a descriptor of the link, by pid and name; /proc/PID/fdinfo names its id."""
    wanted = f"link_id:\t{link_id}\n"
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) == os.getpid():
            continue
        try:
            if any(wanted in info.read_text() for info in (folder / "fdinfo").iterdir()):
                yield int(folder.name), (folder / "comm").read_text().strip()
        except OSError:  # it has ended, or is not ours to look at
            continue
