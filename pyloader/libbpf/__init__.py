"""libbpf through cffi: the one place that calls C.

Everything here is a thin, typed cover of a libbpf call. A call that fails raises
``CallFailed``, an ``OSError`` with the errno and libbpf's own words; the layers
above turn it into a sentence. Handles are closed by their ``close`` and, should
that be forgotten, when they are collected.
"""

from pyloader.libbpf.buffers import BatchReader, OnlyEntryReader, Ring
from pyloader.libbpf.calls import CallFailed, version
from pyloader.libbpf.kernel import (
    LinkInfo,
    MapInfo,
    delete,
    detach_link,
    detach_link_by_id,
    link_info,
    link_struct_ops,
    links,
    lookup,
    map_by_id,
    map_info,
    map_type_name,
    next_key,
    open_pin,
    pin,
    possible_cpus,
    run,
    update,
    walk,
)
from pyloader.libbpf.objects import F_MMAPABLE, Link, Map, Object, Program
from pyloader.libbpf.types import Btf, RawType, elf_section

__all__ = [
    "F_MMAPABLE",
    "BatchReader",
    "Btf",
    "CallFailed",
    "Link",
    "LinkInfo",
    "Map",
    "MapInfo",
    "Object",
    "OnlyEntryReader",
    "Program",
    "RawType",
    "Ring",
    "delete",
    "detach_link",
    "detach_link_by_id",
    "elf_section",
    "link_info",
    "link_struct_ops",
    "links",
    "lookup",
    "map_by_id",
    "map_info",
    "map_type_name",
    "next_key",
    "open_pin",
    "pin",
    "possible_cpus",
    "run",
    "update",
    "version",
    "walk",
]
