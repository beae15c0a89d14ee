"""Maps of a loaded program set, as numpy arrays whose dtypes come from BTF."""

from __future__ import annotations

import mmap
import os
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader import libbpf
from pyloader.btf import Opaque, Type
from pyloader.closing import Closing
from pyloader.dtypes import dtype_of
from pyloader.errors import BadValue, Gone, LoadError

_PER_CPU = {"percpu_array", "percpu_hash", "lru_percpu_hash"}
_ARRAYS = {"array", "percpu_array"}


class BpfMap:
    """A map in the kernel. Holds a descriptor of its own until ``close``."""

    def __init__(self, fd: int, name: str, key_type: Type, value_type: Type) -> None:
        """``fd`` is duplicated; the types may be ``Opaque`` where BTF does not tell them."""
        self.fd = os.dup(fd)
        self.name = name
        info = libbpf.map_info(self.fd)
        self.id = info.id
        self.type = libbpf.map_type_name(info.type)
        self.max_entries = info.max_entries
        self.flags = info.flags
        self.key_dtype = _dtype_or_bytes(key_type, info.key_size)
        self.value_dtype = _dtype_or_bytes(value_type, info.value_size)
        self.is_per_cpu = self.type in _PER_CPU
        self._count = 0  # of the last read

    def close(self) -> None:
        """Let go of the map; arrays that ``view`` gave stay valid. Again is no error."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __del__(self) -> None:
        if getattr(self, "fd", -1) >= 0:
            self.close()

    @cached_property
    def _slot_dtype(self) -> np.dtype[Any]:
        """The value as per-CPU maps hand it out, and mapped arrays hold it: rounded up to 8."""
        size = -(-self.value_dtype.itemsize // 8) * 8
        if size == self.value_dtype.itemsize:
            return self.value_dtype
        return np.dtype(
            {"names": ["v"], "formats": [self.value_dtype], "offsets": [0], "itemsize": size}
        )

    @cached_property
    def _batch(
        self,
    ) -> tuple[NDArray[Any], NDArray[Any], libbpf.BatchReader | libbpf.OnlyEntryReader]:
        keys = np.zeros(self.max_entries, self.key_dtype)
        if self.is_per_cpu:
            raw = np.zeros((self.max_entries, libbpf.possible_cpus()), self._slot_dtype)
        else:  # the kernel copies values side by side, however it stores them
            raw = np.zeros(self.max_entries, self.value_dtype)
        if self.max_entries == 1 and self.type in _ARRAYS:
            return keys, raw, libbpf.OnlyEntryReader(self.fd, raw)
        reader = libbpf.BatchReader(self.fd, keys, raw, self.max_entries, self.key_dtype.itemsize)
        return keys, raw, reader

    def read(self) -> NDArray[Any]:
        """Every value: shape ``(entries,)``, of per-CPU maps ``(entries, possible CPUs)``.

        A value that is itself an array adds its own dimensions. One system call for
        the whole map. The array belongs to the map and is filled again by the next
        ``read``: copy it to keep it. Hashes: in the order of ``keys()``. Gone if the
        map is closed, LoadError if the kernel refuses (a map type without batches).
        """
        self._open_fd()
        _, raw, reader = self._batch
        try:
            count = reader.read()
        except libbpf.CallFailed as error:
            raise LoadError(f"map {self.name} ({self.type}) cannot be read: {error}") from None
        self._count = count
        plain = raw["v"] if self.is_per_cpu and self._slot_dtype is not self.value_dtype else raw
        return plain if count == len(plain) else plain[:count]

    def keys(self) -> NDArray[Any]:
        """The keys of the last ``read``, in its order; shape ``(entries,)``."""
        return self._batch[0][: self._count]

    def lookup(self, key: Any) -> NDArray[Any] | None:
        """The value under ``key``, shape ``()`` or ``(possible CPUs,)``; None if there is none."""
        cpus = (libbpf.possible_cpus(),) if self.is_per_cpu else ()
        out = np.zeros(cpus or 1, self._slot_dtype)
        try:
            if not libbpf.lookup(self._open_fd(), self._key(key), out.view(np.uint8)):
                return None
        except libbpf.CallFailed as error:
            raise LoadError(f"map {self.name} ({self.type}) cannot be read: {error}") from None
        plain = out if self._slot_dtype is self.value_dtype else out["v"]
        return plain if cpus else plain[0]

    def update(self, key: Any, value: Any) -> None:
        """Store ``value`` (whatever numpy makes the value's dtype from) under ``key``."""
        slots = np.zeros(libbpf.possible_cpus() if self.is_per_cpu else 1, self._slot_dtype)
        plain = slots if self._slot_dtype is self.value_dtype else slots["v"]
        try:
            plain[:] = value
        except (ValueError, TypeError, OverflowError) as error:
            raise BadValue(f"map {self.name} does not take value {value!r}: {error}") from None
        try:
            libbpf.update(self._open_fd(), self._key(key), slots.view(np.uint8))
        except libbpf.CallFailed as error:
            raise BadValue(f"map {self.name} does not take key {key!r}: {error}") from None

    def delete(self, key: Any) -> None:
        """Take the entry under ``key`` out; BadValue if there is none or the map keeps all."""
        try:
            libbpf.delete(self._open_fd(), self._key(key))
        except libbpf.CallFailed as error:
            raise BadValue(f"map {self.name} does not give up key {key!r}: {error}") from None

    def _key(self, key: Any) -> NDArray[Any]:
        out = np.zeros(1, self.key_dtype)
        try:
            out[0] = key
        except (ValueError, TypeError, OverflowError) as error:
            raise BadValue(f"map {self.name} has no key {key!r}: {error}") from None
        return out.view(np.uint8)

    def _open_fd(self) -> int:
        if self.fd < 0:
            raise Gone(f"map {self.name} is closed")
        return self.fd

    def view(self) -> NDArray[Any]:
        """A live array over the map's own memory, shape ``(entries,)``.

        Only for ``BPF_MAP_TYPE_ARRAY`` with ``BPF_F_MMAPABLE``. Reads and writes cost
        no system call; the array holds the memory, so it cannot outlive it.
        """
        if self.type != "array" or not self.flags & libbpf.F_MMAPABLE:
            raise BadValue(f"map {self.name} ({self.type}) cannot be mapped; use read()")
        item = -(-self.value_dtype.itemsize // 8) * 8
        length = -(-item * self.max_entries // mmap.PAGESIZE) * mmap.PAGESIZE
        protection = mmap.PROT_READ | mmap.PROT_WRITE
        memory = mmap.mmap(self._open_fd(), length, mmap.MAP_SHARED, protection)
        slots = np.frombuffer(memory, dtype=self._slot_dtype, count=self.max_entries)
        return slots if self._slot_dtype is self.value_dtype else slots["v"]

    def ring(self, item: Type | np.dtype[Any]) -> RingReader:
        """Samples of a ring buffer, as arrays of ``item``."""
        if self.type != "ringbuf":
            raise BadValue(f"map {self.name} is of type {self.type}, not a ring buffer")
        return RingReader(self, item if isinstance(item, np.dtype) else dtype_of(item))


def _dtype_or_bytes(t: Type, size: int) -> np.dtype[Any]:
    if isinstance(t, Opaque) or not t.size:
        return np.dtype({4: "=u4", 8: "=u8"}.get(size, f"V{size}"))
    made = dtype_of(t)
    return made if made.itemsize == size else np.dtype(f"V{size}")


class RingReader(Closing):
    """Takes samples out of a ring buffer in batches.

    ``odd_sizes`` counts samples whose size was not that of the dtype: those are cut
    or padded with zeros.
    """

    def __init__(self, owner: BpfMap, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.odd_sizes = 0
        self._ring = libbpf.Ring(owner.fd, dtype.itemsize)

    def read(self, capacity: int = 4096, timeout_ms: int = 0) -> NDArray[Any]:
        """Up to ``capacity`` samples, oldest first: shape ``(n,)``, n may be 0.

        Without any, waits up to ``timeout_ms`` (0: not at all, -1: until there is one).
        """
        items = np.empty(capacity, self.dtype)
        count, odd = self._ring.read(items.view(np.uint8), capacity, timeout_ms)
        self.odd_sizes += odd
        return items[:count]

    def fileno(self) -> int:
        """A descriptor that polls readable when samples wait."""
        return self._ring.epoll_fd

    def close(self) -> None:
        """Stop reading. Again is no error."""
        self._ring.close()
