"""libbpf through cffi: the one module that calls C.

Everything here is a thin, typed cover of a libbpf call. A call that fails raises
``CallFailed``, an ``OSError`` with the errno and libbpf's own words; the layers
above turn it into a sentence. Handles are closed by their ``close`` and, should
that be forgotten, when they are collected.
"""

from __future__ import annotations

import errno as errno_names
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from pyloader.errors import Unsupported

if TYPE_CHECKING:
    ffi: Any = None
    lib: Any = None
else:
    try:
        from pyloader._libbpf import ffi, lib
    except ImportError as error:
        raise Unsupported(
            f"the libbpf module of scxhid cannot be imported ({error}); "
            "in a checkout `make setup` builds it, elsewhere reinstall scxhid"
        ) from None

F_MMAPABLE = 1 << 10  # BPF_F_MMAPABLE
NULL = ffi.NULL if ffi is not None else None


class CallFailed(OSError):
    """A libbpf call that failed; ``errno`` and ``words``, libbpf's own messages, say why."""

    def __init__(self, call: str, errno: int, words: str = "") -> None:
        reason = os.strerror(errno) if errno in errno_names.errorcode else f"libbpf error {errno}"
        super().__init__(errno, f"{call}: {reason}")
        self.words = words


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
    name: str


class LinkInfo(NamedTuple):
    """What the kernel says of a link; ``map_id`` is that of a struct_ops link, else 0."""

    id: int
    type: int
    map_id: int


class RawType(NamedTuple):
    """One BTF type as it stands: ``size_or_type`` and ``extra`` mean what ``kind`` says."""

    kind: int
    name: str
    kind_flag: bool
    size_or_type: int
    extra: tuple[tuple[Any, ...], ...]


def version() -> tuple[int, int]:
    """Version of the libbpf that is linked in."""
    return lib.libbpf_major_version(), lib.libbpf_minor_version()


def _text(pointer: Any) -> str:
    return ffi.string(pointer).decode(errors="replace") if pointer != NULL else ""


def _words() -> str:
    return _text(lib.shim_log_text())


def _check(result: int, call: str) -> int:
    if result < 0:
        raise CallFailed(call, lib.shim_errno(), _words())
    return result


def _check_pointer(pointer: Any, call: str) -> Any:
    if pointer == NULL:
        raise CallFailed(call, lib.shim_errno(), _words())
    return pointer


# --- ELF -------------------------------------------------------------------------------------


def elf_section(data: bytes, name: str) -> bytes | None:
    """Content of a section of an ELF file held in memory; None if it has no such section.

    Raises ValueError if ``data`` is not an ELF file that libelf can read.
    """
    out, size = ffi.new("const void **"), ffi.new("size_t *")
    source = ffi.from_buffer(data)
    found = lib.shim_elf_section(source, len(data), name.encode(), out, size)
    if found < 0:
        raise ValueError("not an ELF file")
    return None if found else bytes(ffi.buffer(out[0], size[0]))


# --- BTF -------------------------------------------------------------------------------------

_MEMBERS = {4, 5}  # struct, union
_EXTRA_NONE: tuple[tuple[Any, ...], ...] = ()


class Btf:
    """Type information: of an object (which keeps it), or of the kernel (closed here)."""

    def __init__(self, handle: Any, owner: Object | None = None) -> None:
        self.handle = handle if owner else ffi.gc(handle, lib.btf__free)
        self._owner = owner

    @classmethod
    def from_kernel(cls, btf_id: int) -> Btf:
        """The BTF that the kernel holds under ``btf_id``."""
        return cls(_check_pointer(lib.btf__load_from_kernel_by_id(btf_id), "btf_load"))

    @classmethod
    def of_kernel(cls) -> Btf:
        """The running kernel's own types."""
        return cls(_check_pointer(lib.btf__load_vmlinux_btf(), "btf_load_vmlinux"))

    def find(self, name: str) -> int | None:
        """Id of the first type of that name."""
        found: int = lib.btf__find_by_name(self.handle, name.encode())
        return found if found > 0 else None

    def __len__(self) -> int:
        return lib.btf__type_cnt(self.handle)

    def _name(self, offset: int) -> str:
        return _text(lib.btf__name_by_offset(self.handle, offset))

    def type(self, type_id: int) -> RawType:
        """The type ``type_id`` (1 ≤ id < len); layout as in linux/btf.h."""
        t = lib.btf__type_by_id(self.handle, type_id)
        if t == NULL:
            raise ValueError(f"no BTF type {type_id}")
        kind, count, flag = (t.info >> 24) & 0x1F, t.info & 0xFFFF, bool(t.info >> 31)
        after: Any = t + 1
        extra = _EXTRA_NONE
        if kind in _MEMBERS:
            m = ffi.cast("struct btf_member *", after)
            extra = tuple((self._name(m[i].name_off), m[i].type, m[i].offset) for i in range(count))
        elif kind == 1:  # int: encoding and bits in one word
            extra = ((ffi.cast("__u32 *", after)[0],),)
        elif kind == 3:
            a = ffi.cast("struct btf_array *", after)
            extra = ((a.type, a.nelems),)
        elif kind == 6:
            e = ffi.cast("struct btf_enum *", after)
            extra = tuple((self._name(e[i].name_off), e[i].val) for i in range(count))
        elif kind == 13:
            p = ffi.cast("struct btf_param *", after)
            extra = tuple((self._name(p[i].name_off), p[i].type) for i in range(count))
        elif kind == 15:
            v = ffi.cast("struct btf_var_secinfo *", after)
            extra = tuple((v[i].type, v[i].offset, v[i].size) for i in range(count))
        elif kind == 17:  # decl tag: index of the component, -1 for the type itself
            extra = ((ffi.cast("__s32 *", after)[0],),)
        elif kind == 19:
            w = ffi.cast("struct btf_enum64 *", after)
            extra = tuple(
                (self._name(w[i].name_off), w[i].val_hi32 << 32 | w[i].val_lo32)
                for i in range(count)
            )
        return RawType(kind, self._name(t.name_off), flag, t.size, extra)


# --- objects ---------------------------------------------------------------------------------


class Program:
    """A program of an object, in libbpf's hands."""

    def __init__(self, handle: Any, owner: Object) -> None:
        self.handle, self.owner = handle, owner
        self.name = _text(lib.bpf_program__name(handle))
        self.section = _text(lib.bpf_program__section_name(handle))
        self.type = _text(lib.libbpf_bpf_prog_type_str(lib.bpf_program__type(handle)))

    @property
    def instructions(self) -> int:
        """Instructions as compiled; after load as the kernel got them."""
        return lib.bpf_program__insn_cnt(self.handle)

    @property
    def fd(self) -> int:
        return lib.bpf_program__fd(self.handle)

    def set_autoload(self, autoload: bool) -> None:
        _check(lib.bpf_program__set_autoload(self.handle, autoload), "set_autoload")

    def attach(self) -> Link:
        lib.shim_log_start()
        return Link(_check_pointer(lib.bpf_program__attach(self.handle), "attach"))

    def run(self, context: bytearray | None = None) -> int:
        """Run it once in the kernel; ``context`` is handed over and may come back changed."""
        retval = ffi.new("__u32 *")
        view = ffi.from_buffer(context) if context else NULL
        size = len(context) if context else 0
        _check(lib.shim_run(self.fd, view, size, retval), "test_run")
        return retval[0]


class Map:
    """A map of an object, in libbpf's hands."""

    def __init__(self, handle: Any, owner: Object) -> None:
        self.handle, self.owner = handle, owner
        self.name = _text(lib.bpf_map__name(handle))
        self.type = _text(lib.libbpf_bpf_map_type_str(lib.bpf_map__type(handle)))
        self.key_size: int = lib.bpf_map__key_size(handle)
        self.value_size: int = lib.bpf_map__value_size(handle)
        self.max_entries: int = lib.bpf_map__max_entries(handle)
        self.flags: int = lib.bpf_map__map_flags(handle)
        self.key_type_id: int = lib.bpf_map__btf_key_type_id(handle)
        self.value_type_id: int = lib.bpf_map__btf_value_type_id(handle)
        self.is_internal = bool(lib.bpf_map__is_internal(handle))

    @property
    def fd(self) -> int:
        return lib.bpf_map__fd(self.handle)

    def set_max_entries(self, entries: int) -> None:
        _check(lib.bpf_map__set_max_entries(self.handle, entries), "set_max_entries")

    def make_mmapable(self) -> None:
        """Let the map be mapped: libbpf does so only for sections with non-static variables."""
        _check(lib.bpf_map__set_map_flags(self.handle, self.flags | F_MMAPABLE), "set_map_flags")

    def initial_value(self) -> memoryview | None:
        """The value as it will be loaded, writable, of the size known at open.

        Valid before load only: afterwards libbpf maps other memory there, and the
        size of a struct_ops map changes while its memory does not.
        """
        size = ffi.new("size_t *")
        start = lib.bpf_map__initial_value(self.handle, size)
        return None if start == NULL else memoryview(ffi.buffer(start, size[0])).cast("B")

    def attach_struct_ops(self) -> Link:
        lib.shim_log_start()
        return Link(_check_pointer(lib.bpf_map__attach_struct_ops(self.handle), "attach"))


class Object:
    """A BPF object opened by libbpf; ``load`` brings it into the kernel."""

    def __init__(self, data: bytes, name: str) -> None:
        lib.shim_log_start()
        handle = lib.shim_open(ffi.from_buffer(data), len(data), name.encode())
        self._handle = _check_pointer(handle, "open")
        self._data = data  # libbpf reads from it until load

    @property
    def handle(self) -> Any:
        if self._handle is None:
            raise ValueError("the BPF object is closed")
        return self._handle

    def load(self) -> None:
        lib.shim_log_start()
        _check(lib.bpf_object__load(self.handle), "load")

    @property
    def words(self) -> str:
        """What libbpf said during the last call."""
        return _words()

    def btf(self) -> Btf | None:
        handle = lib.bpf_object__btf(self.handle)
        return None if handle == NULL else Btf(handle, self)

    def programs(self) -> Iterator[Program]:
        at = lib.bpf_object__next_program(self.handle, NULL)
        while at != NULL:
            yield Program(at, self)
            at = lib.bpf_object__next_program(self.handle, at)

    def maps(self) -> Iterator[Map]:
        at = lib.bpf_object__next_map(self.handle, NULL)
        while at != NULL:
            yield Map(at, self)
            at = lib.bpf_object__next_map(self.handle, at)

    def program_at(self, pointer: int) -> str | None:
        """Name of the program behind a function pointer of a struct_ops value, before load."""
        for program in self.programs():
            if int(ffi.cast("uintptr_t", program.handle)) == pointer:
                return program.name
        return None

    def close(self) -> None:
        if self._handle is not None:
            lib.bpf_object__close(self._handle)
            self._handle = None

    def __del__(self) -> None:
        self.close()


class Link:
    """An attachment that lasts as long as this handle, unless it is pinned."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    @property
    def fd(self) -> int:
        return lib.bpf_link__fd(self._handle)

    def close(self) -> None:
        if self._handle is not None:
            lib.bpf_link__destroy(self._handle)
            self._handle = None

    def __del__(self) -> None:
        self.close()


# --- file descriptors ------------------------------------------------------------------------


def possible_cpus() -> int:
    """Number of CPUs that per-CPU maps have room for."""
    return _check(lib.libbpf_num_possible_cpus(), "possible_cpus")


def pin(fd: int, path: str) -> None:
    _check(lib.bpf_obj_pin(fd, path.encode()), f"pin {path}")


def open_pin(path: str) -> int:
    """A new file descriptor for what is pinned at ``path``; the caller closes it."""
    return _check(lib.bpf_obj_get(path.encode()), f"open {path}")


def link_struct_ops(map_fd: int) -> int:
    """Attach a struct_ops map that is loaded already; the link is a new descriptor."""
    return _check(lib.shim_struct_ops_link(map_fd), "attach")


def detach_link(fd: int) -> None:
    """Detach a link that may be held or pinned elsewhere (struct_ops: Linux 6.11)."""
    _check(lib.bpf_link_detach(fd), "detach")


def detach_link_by_id(link_id: int) -> None:
    """The same by the kernel's id of the link."""
    fd = _check(lib.bpf_link_get_fd_by_id(link_id), "link_by_id")
    try:
        detach_link(fd)
    finally:
        os.close(fd)


def map_info(fd: int) -> MapInfo:
    info = ffi.new("struct shim_map_info *")
    _check(lib.shim_map_info(fd, info), "map_info")
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
        _text(info.name),
    )


def map_type_name(number: int) -> str:
    return _text(lib.libbpf_bpf_map_type_str(number))


def link_info(fd: int) -> LinkInfo:
    info = ffi.new("struct shim_link_info *")
    _check(lib.shim_link_info(fd, info), "link_info")
    return LinkInfo(info.id, info.type, info.map_id)


def links() -> Iterator[LinkInfo]:
    """Every link in the kernel (needs CAP_SYS_ADMIN)."""
    at, following = 0, ffi.new("__u32 *")
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
    return _check(lib.bpf_map_get_fd_by_id(map_id), "map_by_id")


def lookup(fd: int, key: Any, value: Any) -> bool:
    """Copy the value under ``key`` into the buffer ``value``; False if there is none."""
    if lib.bpf_map_lookup_elem(fd, ffi.from_buffer(key), ffi.from_buffer(value)) == 0:
        return True
    if lib.shim_errno() == errno_names.ENOENT:
        return False
    raise CallFailed("lookup", lib.shim_errno())


def update(fd: int, key: Any, value: Any) -> None:
    _check(lib.bpf_map_update_elem(fd, ffi.from_buffer(key), ffi.from_buffer(value), 0), "update")


def delete(fd: int, key: Any) -> None:
    _check(lib.bpf_map_delete_elem(fd, ffi.from_buffer(key)), "delete")


def next_key(fd: int, key: Any | None, following: Any) -> bool:
    """Put the key after ``key`` (None: the first) into ``following``; False at the end."""
    before = NULL if key is None else ffi.from_buffer(key)
    return lib.bpf_map_get_next_key(fd, before, ffi.from_buffer(following)) == 0


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


class Ring:
    """A BPF ring buffer whose samples of ``item_size`` bytes come out in batches."""

    def __init__(self, map_fd: int, item_size: int) -> None:
        lib.shim_log_start()
        self._handle = _check_pointer(lib.shim_ring_open(map_fd, item_size), "ring_open")
        self._odd = ffi.new("__u32 *")

    def read(self, items: Any, capacity: int, timeout_ms: int) -> tuple[int, int]:
        """Move up to ``capacity`` samples into the buffer; how many, and how many odd-sized.

        Waits up to ``timeout_ms`` when there is none (0: does not wait, -1: for ever).
        """
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
        return lib.shim_ring_epoll_fd(self._handle)

    def close(self) -> None:
        if self._handle is not None:
            lib.shim_ring_close(self._handle)
            self._handle = None

    def __del__(self) -> None:
        self.close()
