"""What a scheduler without our tags counts, as far as its maps tell.

Per-CPU arrays whose values are 64-bit numbers, or structures of them, are taken for
statistics: the sched-ext project's schedulers keep theirs so. They are named after the
map, and by index, by the structure's members, or by an enum of the object that has a
name for each entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from pyloader import libbpf
from pyloader.btf import Array, Enum, Int, Opaque, Struct, Type, Types

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pyloader.maps import BpfMap

MAX_ENTRIES = 256
"""Longer maps hold state of tasks or groups rather than statistics."""

TYPE_NAMES = {"percpu_array"}


class Counter(NamedTuple):
    """One number a CPU: entry ``key`` of the map, word ``word`` of its value (8 bytes each)."""

    name: str
    map_name: str
    key: int
    word: int

    def where(self) -> str:
        """Where it lies, for somebody who looks for it in the source."""
        return f"in the map {self.map_name}, entry {self.key}"


def words(value: Type, size: int) -> list[str] | None:
    """Names of the 64-bit words of a map's value; None if it is made of anything else.

    Of a value whose type is not told, only its ``size`` in bytes, all words are taken.
    """
    if isinstance(value, Opaque) and size % 8 == 0:
        return [f"[{i}]" for i in range(size // 8)] if size > 8 else [""]
    if isinstance(value, Int):
        return [""] if _is_word(value) else None
    if isinstance(value, Array) and not value.is_text:
        return [f"[{i}]" for i in range(value.count)] if _is_word(value.element) else None
    if isinstance(value, Struct) and not value.is_union and value.members:
        found: list[str] = []
        for i, member in enumerate(value.members):
            if not _is_word(member.type) or member.bits or member.offset_bits != i * 64:
                return None
            found.append(member.name)
        return found
    return None


def _is_word(t: Type) -> bool:
    return isinstance(t, Int) and t.size == 8


def of_map(
    name: str, entries: int, value: Type, size: int, enums: Iterable[Enum] = ()
) -> list[Counter]:
    """The counters of a per-CPU array with that many ``entries``; none if it holds no numbers."""
    named = words(value, size)
    if named is None or not 0 < entries * len(named) <= MAX_ENTRIES:
        return []
    several = entries > 1
    keys = _keys(entries, enums) if several else [""]
    counters: list[Counter] = []
    for key, of_key in enumerate(keys):
        for word, of_word in enumerate(named):
            if several:
                inside = f".{of_word}" if of_word and not of_word.startswith("[") else of_word
                shown = of_key + inside if not of_key.startswith("[") else name + of_key + inside
            else:
                shown = name + of_word if of_word.startswith("[") else of_word or name
            counters.append(Counter(shown, name, key, word))
    return counters


def _keys(entries: int, enums: Iterable[Enum]) -> list[str]:
    """Names of a map's keys: those of the one enum that has a name for each, else numbers."""
    fitting = [named for enum in enums if (named := _names_of(enum, entries))]
    return fitting[0] if len(fitting) == 1 else [f"[{i}]" for i in range(entries)]


def _names_of(enum: Enum, entries: int) -> list[str] | None:
    by_value: dict[int, str] = {}
    for name, value in enum.values:
        by_value.setdefault(value, name)
    # One more may stand at the end, the number of them.
    count_name = by_value.pop(entries, None)
    if sorted(by_value) != list(range(entries)):
        return None
    names = [by_value[i] for i in range(entries)]
    counts = count_name is None or re.search(r"(^|_)(NR|MAX|LAST|COUNT|NUM|N)(_|$)", count_name)
    return names if counts and any("STAT" in name.upper() for name in names) else None


class Counters:
    """The counters of a scheduler that is attached, read from its maps."""

    def __init__(self, maps: Mapping[str, BpfMap]) -> None:
        self._maps = dict(maps)
        self.list: list[Counter] = []
        for name, map_ in maps.items():
            info = libbpf.map_info(map_.fd)
            if map_.type not in TYPE_NAMES:
                continue
            value, enums = Opaque("void"), list[Enum]()
            if info.btf_id:  # none where the source gave sizes instead of types
                types = Types(libbpf.Btf.from_kernel(info.btf_id))
                value, enums = types.resolve(info.btf_value_type_id), types.enums()
            self.list += of_map(name, map_.max_entries, value, info.value_size, enums)

    def read(self) -> NDArray[np.uint64]:
        """Every counter now: shape ``(len(list), possible CPUs)``, dtype ``u8``, in order."""
        import numpy as np

        rows: dict[str, NDArray[np.uint64]] = {}
        for name in {counter.map_name for counter in self.list}:
            read = self._maps[name].read()
            rows[name] = np.ascontiguousarray(read).view("u8").reshape(*read.shape[:2], -1)
        if not self.list:
            return np.zeros((0, libbpf.possible_cpus()), "u8")
        return np.stack([rows[c.map_name][c.key, :, c.word] for c in self.list])
