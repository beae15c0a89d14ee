"""What is in the kernel already: maps, links and pins by descriptor or id."""

from __future__ import annotations

import errno as errno_names
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from pyloader.libbpf.calls import NULL, CallFailed, check, ffi, lib, text

_MOST_AT_ONCE = 1 << 18  # bytes: more than the kernel hands out of a walk at once


class MapInfo(NamedTuple):
    """What the kernel says of a map; sizes in bytes."""

    id: int
    type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    btf_id: int
    btf_key_type_id: int
    btf_value_type_id: int
    btf_vmlinux_value_type_id: int
    name: str


class LinkInfo(NamedTuple):
    """What the kernel says of a link; ``map_id`` is that of a struct_ops link, else 0."""

    id: int
    type: int
    map_id: int


def possible_cpus() -> int:
    """Number of CPUs that per-CPU maps have room for."""
    return check(lib.libbpf_num_possible_cpus(), "possible_cpus")


def pin(fd: int, path: str) -> None:
    check(lib.bpf_obj_pin(fd, path.encode()), f"pin {path}")


def open_pin(path: str) -> int:
    """A new file descriptor for what is pinned at ``path``; the caller closes it."""
    return check(lib.bpf_obj_get(path.encode()), f"open {path}")


def link_struct_ops(map_fd: int) -> int:
    """Attach a struct_ops map that is loaded already; the link is a new descriptor."""
    return check(lib.shim_struct_ops_link(map_fd), "attach")


def walk(link_fd: int) -> bytes:
    """Run an ``iter`` program over all that it walks over; what it has written."""
    fd = check(lib.bpf_iter_create(link_fd), "iter_create")
    parts: list[bytes] = []
    try:
        while part := os.read(fd, _MOST_AT_ONCE):
            parts.append(part)
    except OSError as error:
        raise CallFailed("read", error.errno or 0) from None
    finally:
        os.close(fd)
    return b"".join(parts)


def detach_link(fd: int) -> None:
    """Detach a link that may be held or pinned elsewhere (struct_ops: Linux 6.11)."""
    check(lib.bpf_link_detach(fd), "detach")


def detach_link_by_id(link_id: int) -> None:
    """The same by the kernel's id of the link."""
    fd = check(lib.bpf_link_get_fd_by_id(link_id), "link_by_id")
    try:
        detach_link(fd)
    finally:
        os.close(fd)


def run(fd: int, context: bytearray | None = None) -> int:
    """Run a ``syscall`` program once and return its ``int``; ``context`` may come back changed."""
    retval = ffi.new("__u32 *")
    view = ffi.from_buffer(context) if context else NULL
    size = len(context) if context else 0
    check(lib.shim_run(fd, view, size, retval), "test_run")
    return int(ffi.cast("int32_t", retval[0]))  # the kernel hands it out without its sign


def map_info(fd: int) -> MapInfo:
    info = ffi.new("struct shim_map_info *")
    check(lib.shim_map_info(fd, info), "map_info")
    return MapInfo(
        info.id,
        info.type,
        info.key_size,
        info.value_size,
        info.max_entries,
        info.map_flags,
        info.btf_id,
        info.btf_key_type_id,
        info.btf_value_type_id,
        info.btf_vmlinux_value_type_id,
        text(info.name),
    )


def map_type_name(number: int) -> str:
    return text(lib.libbpf_bpf_map_type_str(number))


def link_info(fd: int) -> LinkInfo:
    info = ffi.new("struct shim_link_info *")
    check(lib.shim_link_info(fd, info), "link_info")
    return LinkInfo(info.id, info.type, info.map_id)


def links(after: int = 0) -> Iterator[LinkInfo]:
    """Every link in the kernel whose id is above ``after`` (needs CAP_SYS_ADMIN)."""
    at, following = after, ffi.new("__u32 *")
    while lib.bpf_link_get_next_id(at, following) == 0:
        at = following[0]
        fd = lib.bpf_link_get_fd_by_id(at)
        if fd >= 0:
            try:
                yield link_info(fd)
            finally:
                os.close(fd)


def map_by_id(map_id: int) -> int:
    """A new file descriptor for the map with that id; the caller closes it."""
    return check(lib.bpf_map_get_fd_by_id(map_id), "map_by_id")


def lookup(fd: int, key: Any, value: Any) -> bool:
    """Copy the value under ``key`` into the buffer ``value``; False if there is none."""
    if lib.bpf_map_lookup_elem(fd, ffi.from_buffer(key), ffi.from_buffer(value)) == 0:
        return True
    if lib.shim_errno() == errno_names.ENOENT:
        return False
    raise CallFailed("lookup", lib.shim_errno())


def update(fd: int, key: Any, value: Any) -> None:
    check(lib.bpf_map_update_elem(fd, ffi.from_buffer(key), ffi.from_buffer(value), 0), "update")


def delete(fd: int, key: Any) -> None:
    check(lib.bpf_map_delete_elem(fd, ffi.from_buffer(key)), "delete")


def next_key(fd: int, key: Any | None, following: Any) -> bool:
    """Put the key after ``key`` (None: the first) into ``following``; False at the end."""
    before = NULL if key is None else ffi.from_buffer(key)
    return lib.bpf_map_get_next_key(fd, before, ffi.from_buffer(following)) == 0
