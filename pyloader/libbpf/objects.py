"""A BPF object in libbpf's hands: its programs, its maps, its links."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from pyloader.errors import Gone
from pyloader.libbpf.calls import NULL, CallFailed, check, check_pointer, ffi, lib, text, words
from pyloader.libbpf.kernel import run
from pyloader.libbpf.types import Btf

F_MMAPABLE = 1 << 10  # BPF_F_MMAPABLE
_F_LINK = 1 << 13  # BPF_F_LINK


_one_load = threading.Lock()
_REFUSED = re.compile(r"^libbpf: (prog '[^'\n]*'): BPF program load failed.*\n", re.M)


def _with_log(said: str, log: str) -> str:
    refused = _REFUSED.search(said)
    if not refused or not log:
        return said
    framed = (
        f"libbpf: {refused[1]}: -- BEGIN PROG LOAD LOG --\n{log.rstrip()}\n"
        "-- END PROG LOAD LOG --\n"
    )
    return said[: refused.end()] + framed + said[refused.end() :]


class Program:
    """A program of an object, in libbpf's hands."""

    def __init__(self, handle: Any, owner: Object) -> None:
        self._handle, self.owner = handle, owner
        self.name = text(lib.bpf_program__name(handle))
        self.section = text(lib.bpf_program__section_name(handle))
        self.type = text(lib.libbpf_bpf_prog_type_str(lib.bpf_program__type(handle)))

    @property
    def handle(self) -> Any:
        """libbpf's pointer; Gone once the object is closed, when it points to nothing."""
        self.owner.require_open()
        return self._handle

    @property
    def instructions(self) -> int:
        """Instructions as compiled; after load as the kernel got them."""
        return lib.bpf_program__insn_cnt(self.handle)

    @property
    def fd(self) -> int:
        return lib.bpf_program__fd(self.handle)

    def set_autoload(self, autoload: bool) -> None:
        check(lib.bpf_program__set_autoload(self.handle, autoload), "set_autoload")

    def attach(self) -> Link:
        lib.shim_log_start()
        return Link(check_pointer(lib.bpf_program__attach(self.handle), "attach"))

    def run(self, context: bytearray | None = None) -> int:
        """Run it once in the kernel and return its ``int``; ``context`` may come back changed."""
        return run(self.fd, context)


class Map:
    """A map of an object, in libbpf's hands."""

    def __init__(self, handle: Any, owner: Object) -> None:
        self._handle, self.owner = handle, owner
        self.name = text(lib.bpf_map__name(handle))
        self.type = text(lib.libbpf_bpf_map_type_str(lib.bpf_map__type(handle)))
        self.key_size: int = lib.bpf_map__key_size(handle)
        self.value_size: int = lib.bpf_map__value_size(handle)
        self.max_entries: int = lib.bpf_map__max_entries(handle)
        self.flags: int = lib.bpf_map__map_flags(handle)
        self.key_type_id: int = lib.bpf_map__btf_key_type_id(handle)
        self.value_type_id: int = lib.bpf_map__btf_value_type_id(handle)
        self.is_internal = bool(lib.bpf_map__is_internal(handle))

    @property
    def handle(self) -> Any:
        """libbpf's pointer; Gone once the object is closed, when it points to nothing."""
        self.owner.require_open()
        return self._handle

    @property
    def fd(self) -> int:
        return lib.bpf_map__fd(self.handle)

    @property
    def is_created(self) -> bool:
        """Whether the load makes it; not so, as compiled, for what lies in ``?.struct_ops``."""
        return lib.bpf_map__autocreate(self.handle)

    def set_created(self, created: bool) -> None:
        check(lib.bpf_map__set_autocreate(self.handle, created), "set_autocreate")

    def set_max_entries(self, entries: int) -> None:
        check(lib.bpf_map__set_max_entries(self.handle, entries), "set_max_entries")

    def set_value_size(self, size: int) -> None:
        """Before load. In a data section its last variable grows, if that is an array."""
        check(lib.bpf_map__set_value_size(self.handle, size), "set_value_size")
        self.value_size = size

    def reuse(self, fd: int) -> None:
        """Before load: be the map that ``fd`` is, in place of a new one."""
        check(lib.bpf_map__reuse_fd(self.handle, fd), "reuse_fd")

    def attach_by_link(self) -> None:
        """Let a struct_ops map be attached by a link, also one of a section without ``.link``."""
        check(lib.bpf_map__set_map_flags(self.handle, self.flags | _F_LINK), "set_map_flags")

    def make_mmapable(self) -> None:
        """Let the map be mapped: libbpf does so only for sections with non-static variables."""
        check(lib.bpf_map__set_map_flags(self.handle, self.flags | F_MMAPABLE), "set_map_flags")

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
        return Link(check_pointer(lib.bpf_map__attach_struct_ops(self.handle), "attach"))


class Object:
    """A BPF object opened by libbpf; ``load`` brings it into the kernel."""

    _handle: Any = None  # also after an open that failed

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        lib.shim_log_start()
        handle = lib.shim_open(ffi.from_buffer(data), len(data), name.encode())
        self._handle = check_pointer(handle, "open")
        self._data = data  # libbpf reads from it until load

    def require_open(self) -> None:
        """Gone if the object is closed."""
        if self._handle is None:
            raise Gone(f"the BPF object {self.name} is closed")

    @property
    def handle(self) -> Any:
        self.require_open()
        return self._handle

    def load(self, modules: bool = True) -> None:
        """Load it; the words of a failure hold the verifier's log as libbpf would print it.

        Without ``modules`` what the kernel itself does not know is not looked for in its modules,
        of which a desktop has 200: that search takes longer than all else.
        """
        with _one_load:  # they share the buffer of the verifier's log
            lib.shim_log_start()
            lib.shim_leave_modules_out(not modules)
            if lib.bpf_object__load(self.handle) < 0:
                errno, log = lib.shim_errno(), text(lib.shim_verifier_log())
                raise CallFailed("load", errno, _with_log(words(), log))

    @property
    def words(self) -> str:
        """What libbpf said during the last call."""
        return words()

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

    @cached_property
    def _program_names(self) -> dict[int, str]:
        return {int(ffi.cast("uintptr_t", p.handle)): p.name for p in self.programs()}

    def program_at(self, pointer: int) -> str | None:
        """Name of the program behind a function pointer of a struct_ops value, before load."""
        return self._program_names.get(pointer)

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
