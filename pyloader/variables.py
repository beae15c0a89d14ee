"""Global variables of a loaded program set, read and written through a mapping.

A data section is one array map with one value; mapping it makes every variable a
piece of memory, with no system call for a read or a write.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from pyloader import values
from pyloader.btf import DataVar, Type
from pyloader.errors import BadValue, LoadError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NATIVE = set("?bBhHiIqQfd")
_ENOTSUPP = 524  # inside the kernel only, but bpf(2) and mmap let it out


class DataSection:
    """A mapped data section; read-only if it is frozen (``.rodata``).

    The mapping is the kernel's memory. It stays valid as long as anything made
    from it lives, also after the program set has been closed or has left the
    kernel: what is written then has no reader.
    """

    def __init__(self, fd: int, name: str, size: int, variables: Iterable[DataVar]) -> None:
        self.name = name
        self.writable = not name.startswith(".rodata")
        protection = mmap.PROT_READ | (mmap.PROT_WRITE if self.writable else 0)
        page = mmap.PAGESIZE
        try:
            self._map = mmap.mmap(fd, -(-size // page) * page, mmap.MAP_SHARED, protection)
        except OSError as error:
            raise LoadError(
                f"the data section {name} cannot be mapped: {error.strerror}", error.errno or 0
            ) from None
        self.memory = memoryview(self._map)[:size]
        self._described = tuple(variables)

    @classmethod
    def open(
        cls, fd: int, name: str, size: int, variables: Iterable[DataVar]
    ) -> DataSection | None:
        """The same; None for a section that the kernel lets nobody map.

        That is one with a lock, a tree or a pointer of the kernel's among its variables.
        """
        try:
            return cls(fd, name, size, variables)
        except LoadError as error:
            if error.errno == _ENOTSUPP:
                return None
            raise

    @property
    def variables(self) -> dict[str, Variable]:
        """Its variables by name, made anew each time: keep them, and they keep the mapping.

        (Were they kept here, the cycle would hold the mapping's descriptor until a collection.)
        """
        return {v.name: Variable(v.name, v.type, v.offset, self) for v in self._described}


class Variable:
    """One live global variable."""

    def __init__(self, name: str, type_: Type, offset: int, section: DataSection) -> None:
        self.name, self.type, self.section = name, type_, section
        self._memory = section.memory[offset : offset + type_.size]
        scalar = values.code(type_)
        aligned = scalar in _NATIVE and offset % max(type_.size, 1) == 0
        # A cast view moves a scalar as one aligned load or store: other CPUs never see half of it.
        self._cell: Any = cast(Any, self._memory).cast(scalar) if aligned else None
        # A cell of bool takes anything, "off" as true; encode does not.
        self._number: Any = None if scalar == "?" else self._cell

    @property
    def value(self) -> Any:
        """The value now; see ``values.decode`` for the Python types."""
        if self._cell is not None:
            return self._cell[0]
        return values.decode(self.type, self._memory)

    @value.setter
    def value(self, value: Any) -> None:
        if not self.section.writable:
            raise BadValue(f"{self.name} is constant once loaded; it can be set before load only")
        if self._number is not None:
            try:
                self._number[0] = value
                return
            except (ValueError, TypeError):
                pass  # encode says in words what does not fit
        self._memory[:] = values.encode(self.type, value, self.name)

    def zero(self) -> None:
        """Set every byte to zero."""
        self._memory[:] = bytes(len(self._memory))

    def as_array(self) -> NDArray[np.generic]:
        """A live numpy view of the variable: shape ``()`` for a scalar or struct, else its own.

        Its dtype comes from BTF. It is read-only for constants, and holds the mapping.
        """
        from pyloader.dtypes import view

        return view(self.type, self._memory)


def put(target: memoryview, offset: int, type_: Type, value: Any, what: str) -> None:
    """Write ``value`` into the memory of a program set that is not loaded yet."""
    raw = values.encode(type_, value, what)
    target[offset : offset + len(raw)] = raw
