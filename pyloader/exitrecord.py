"""Where a program set records how it ended: in a map of ours, or in a variable of others."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pyloader import libbpf, values
from pyloader.btf import Array, Struct, Type
from pyloader.exitinfo import ExitInfo, from_record
from pyloader.variables import Variable

RECORD_MAP = "exit_record"


class ExitRecord:
    """Where a program set records how it ended: a map of ours, or a variable of others."""

    def __init__(self, fd: int, size: int, record: Type) -> None:
        """``fd`` is duplicated; ``size`` in bytes."""
        self._fd, self._size, self._type = os.dup(fd), size, record
        members = record.members if isinstance(record, Struct) else ()
        mark = next((m for m in members if m.name == "recorded"), None)
        start = mark.offset_bits // 8 if mark else 0
        # Where a record that is none yet says so; all of it, if it has no such member.
        self._mark = slice(start, start + mark.type.size) if mark else slice(None)

    def read(self) -> ExitInfo | None:
        """How it ended; None while it has not."""
        content = bytearray(self._size)
        libbpf.lookup(self._fd, bytes(4), content)
        if not any(content[self._mark]):
            return None  # the usual case, asked often: 33 kB need not be decoded
        return from_record(values.decode(self._type, content))

    def clear(self) -> None:
        """Forget an earlier exit, before the next attach."""
        libbpf.update(self._fd, bytes(4), bytes(self._size))

    def __del__(self) -> None:
        os.close(self._fd)


class ExitVariable:
    """The same for a ``user_exit_info`` variable (the sched-ext project's headers).

    ``dump`` is the array for the kernel's debug dump that stands beside it, if one does.
    """

    def __init__(self, variable: Variable, dump: Variable | None = None) -> None:
        self._variable, self._dump = variable, dump

    def read(self) -> ExitInfo | None:
        info = from_record(self._variable.value)
        return info._replace(dump=self._dump.value) if info and self._dump else info

    def clear(self) -> None:
        for variable in (self._variable, self._dump):
            if variable and variable.section.writable:
                variable.zero()


def in_variables(variables: Mapping[str, Variable]) -> ExitVariable | None:
    """The exit information among the globals, if there is any."""
    for name, variable in variables.items():
        t = variable.type
        if isinstance(t, Struct) and {"kind", "reason", "msg"} <= {m.name for m in t.members}:
            dump = variables.get(f"{name}_dump") or variables.get(f"RESIZABLE_ARRAY_{name}_dump")
            is_text = dump is not None and isinstance(dump.type, Array) and dump.type.is_text
            return ExitVariable(variable, dump if is_text else None)
    return None
