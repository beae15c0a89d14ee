"""Many elements at a time: whole maps and ring buffers."""

from __future__ import annotations

import errno as errno_names
from typing import Any

from pyloader.errors import Gone
from pyloader.libbpf.calls import CallFailed, check_pointer, ffi, lib


class BatchReader:
    """Reads a whole map with as few system calls as the kernel allows.

    ``keys`` and ``values`` are writable buffers for ``entries`` elements (values
    of per-CPU maps: one slot of 8-byte-rounded size for each possible CPU). They
    are held, so a caller may keep them and read again at the cost of the call.
    """

    def __init__(self, fd: int, keys: Any, values: Any, entries: int, key_size: int) -> None:
        self.fd, self.entries = fd, entries
        self._keys, self._values = ffi.from_buffer(keys), ffi.from_buffer(values)
        self._cursor = ffi.new("char[]", max(key_size, 4))
        self._count = ffi.new("__u32 *")

    def read(self) -> int:
        """Fill the buffers; the number of elements read (fewer than ``entries`` is the end)."""
        self._count[0] = self.entries
        result = lib.shim_lookup_batch(
            self.fd, self._cursor, True, self._keys, self._values, self._count
        )
        if result < 0 and lib.shim_errno() != errno_names.ENOENT:
            raise CallFailed("lookup_batch", lib.shim_errno())
        return self._count[0]


class OnlyEntryReader:
    """Reads an array of one entry: the same as ``BatchReader`` at less cost to the kernel."""

    def __init__(self, fd: int, values: Any) -> None:
        self.fd = fd
        self._key, self._values = ffi.new("__u32 *"), ffi.from_buffer(values)

    def read(self) -> int:
        """Fill the buffer; 1, the number of elements read."""
        if lib.bpf_map_lookup_elem(self.fd, self._key, self._values):
            raise CallFailed("lookup", lib.shim_errno())
        return 1


class Ring:
    """A BPF ring buffer whose samples of ``item_size`` bytes come out in batches."""

    _handle: Any = None  # also after an open that failed

    def __init__(self, map_fd: int, item_size: int) -> None:
        lib.shim_log_start()
        self._handle = check_pointer(lib.shim_ring_open(map_fd, item_size), "ring_open")
        self._odd = ffi.new("__u32 *")

    def read(self, items: Any, capacity: int, timeout_ms: int) -> tuple[int, int]:
        """Move up to ``capacity`` samples into the buffer; how many, and how many odd-sized.

        Waits up to ``timeout_ms`` when there is none (0: does not wait, -1: for ever).
        ``capacity`` is at least 1: with none to fill, the C loop would not know where to end.
        """
        if self._handle is None:
            raise Gone("the ring buffer is closed")
        if capacity < 1:
            raise ValueError(f"a batch holds at least one sample, not {capacity}")
        count = lib.shim_ring_read(
            self._handle, ffi.from_buffer(items), capacity, timeout_ms, self._odd
        )
        if count < 0:
            if -count == errno_names.EINTR:
                return 0, 0
            raise CallFailed("ring_read", -count)
        return count, self._odd[0]

    @property
    def epoll_fd(self) -> int:
        if self._handle is None:
            raise Gone("the ring buffer is closed")
        return lib.shim_ring_epoll_fd(self._handle)

    def close(self) -> None:
        if self._handle is not None:
            lib.shim_ring_close(self._handle)
            self._handle = None

    def __del__(self) -> None:
        self.close()
