"""Memory that is laid out as a BTF type, written by the names of its members.

What numpy's structured arrays do as well, for those who write one table and are to be quick: numpy
takes as long to import as all else that such a command does.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from pyloader import values
from pyloader.btf import Array, Struct, Type


class Packed:
    """One value of a type, all zeros at first: members by name, elements by number.

    A scalar is read and stored as Python's number (``struct.error`` if it does not fit); anything
    else is a ``Packed`` of the same memory.
    """

    __slots__ = ("_at", "_layouts", "_memory", "_type")

    def __init__(
        self,
        type_: Type,
        memory: bytearray | None = None,
        at: int = 0,
        layouts: dict[int, dict[str, tuple[int, Type]]] | None = None,
    ) -> None:
        self._type = type_
        self._memory = bytearray(type_.size) if memory is None else memory
        self._at = at
        self._layouts = {} if layouts is None else layouts  # of structs, by their identity

    def __getitem__(self, key: str | int) -> Any:
        at, type_ = self._place(key)
        scalar = values.code(type_)
        if scalar:
            return struct.unpack_from(f"={scalar}", self._memory, at)[0]
        return Packed(type_, self._memory, at, self._layouts)

    def __setitem__(self, key: str | int, value: Any) -> None:
        at, type_ = self._place(key)
        scalar = values.code(type_)
        if not scalar:
            raise TypeError(f"{key} holds several values: set them one by one, or put() them")
        struct.pack_into(f"={scalar}", self._memory, at, value)

    def __len__(self) -> int:
        """Elements of an array, members of a struct."""
        return self._type.count if isinstance(self._type, Array) else len(self._layout())

    def put(self, start: int, numbers: Sequence[int]) -> None:
        """Store numbers from an element of an array of scalars on; IndexError if too many."""
        if not numbers:
            return
        at, type_ = self._place(start)
        self._place(start + len(numbers) - 1)
        struct.pack_into(f"={len(numbers)}{values.code(type_)}", self._memory, at, *numbers)

    def tobytes(self) -> bytes:
        """The bytes of this value."""
        return bytes(self._memory[self._at : self._at + self._type.size])

    def _place(self, key: str | int) -> tuple[int, Type]:
        if isinstance(key, str):
            offset, type_ = self._layout()[key]
            return self._at + offset, type_
        if not isinstance(self._type, Array):
            raise TypeError("only arrays have numbered elements")
        if not 0 <= key < self._type.count:
            raise IndexError(f"element {key} of {self._type.count}")
        return self._at + key * self._type.element.size, self._type.element

    def _layout(self) -> dict[str, tuple[int, Type]]:
        known = self._layouts.get(id(self._type))
        if known is None:
            if not isinstance(self._type, Struct):
                raise TypeError("only structs have named members")
            known = {m.name: (m.offset_bits // 8, m.type) for m in self._type.fields()}
            self._layouts[id(self._type)] = known
        return known
