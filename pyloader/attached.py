"""A program set that lives in the kernel, opened again from its pins by any process."""

from __future__ import annotations

import os
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from pyloader import bpffs, exitrecord, libbpf, tags, values
from pyloader.bpffs import Place
from pyloader.btf import Opaque, Type, Types
from pyloader.errors import Gone, NotPermitted, UnknownName
from pyloader.exitinfo import ExitInfo
from pyloader.names import nearest
from pyloader.variables import DataSection, Variable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pyloader.maps import BpfMap


class Attached:
    """What is pinned at a place: its name, knobs, statistics, variables and exit information.

    Everything is read from the kernel (maps and their BTF), nothing from files.
    """

    def __init__(self, place: Place, name: str | None = None) -> None:
        """``name``: of what has no struct_ops, after which it would be called."""
        name = name or place.ops_name()
        if name is None:
            raise Gone(f"nothing is pinned at {place.path}")
        self.place, self.name = place, name
        self.is_hosted = place.is_policy()

    # --- opening ---

    def _open(self, folder: str) -> Iterator[tuple[str, int, libbpf.MapInfo]]:
        for name, path in self.place.pins(folder).items():
            try:
                fd = self.place.open(path)
            except PermissionError:
                raise NotPermitted(f"{path} belongs to root: run scxhid as root") from None
            except FileNotFoundError:
                raise Gone(f"{self.name} has just been taken off") from None
            try:
                yield name, fd, libbpf.map_info(fd)
            finally:
                os.close(fd)

    @cached_property
    def _sections(self) -> Mapping[str, tuple[DataSection, tags.Section]]:
        found: dict[str, tuple[DataSection, tags.Section]] = {}
        for pin, fd, info in self._open("sections"):
            types = _types(info.btf_id)
            described = types.section_by_id(info.btf_value_type_id) if types else []
            section = DataSection.open(fd, f".{pin}", info.value_size, described)
            if section:
                found[section.name] = section, (described, section.memory)
        return found

    @cached_property
    def _said(self) -> tags.SelfDescription:
        return tags.read({name: pair[1] for name, pair in self._sections.items()})

    # --- what it says ---

    @property
    def knobs(self) -> Mapping[str, tags.Knob]:
        return self._said.knobs

    @property
    def stats(self) -> Mapping[str, tags.Stat]:
        return self._said.stats

    @property
    def about(self) -> tags.About:
        return self._said.about

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """Every global variable, live; those that carry the tags left out."""
        return {
            name: var
            for name, var in self._all_variables.items()
            if name not in self._said.policy_variables
        }

    def policy_variable(self, name: str) -> Variable:
        """The global by which the loader and a hosted policy talk; Gone if it has none such."""
        try:
            return self._all_variables[name]
        except KeyError:
            raise Gone(f"{self.name} has no {name}: it was not loaded to be hosted") from None

    def has_policy_variable(self, name: str) -> bool:
        """Whether ``policy_variable`` has that one: some only few policies need."""
        return name in self._said.policy_variables

    @cached_property
    def _all_variables(self) -> Mapping[str, Variable]:
        return {
            name: var
            for section, _ in self._sections.values()
            for name, var in section.variables.items()
            if name not in self._said.own_variables
        }

    def variable(self, name: str) -> Variable:
        """The global of that name; UnknownName with the nearest ones if there is none."""
        if name not in self.variables:
            kind = "knob" if self.knobs else "variable"
            hint = f"{self.name} has {', '.join(self.knobs or self.variables) or 'none'}"
            raise UnknownName(kind, name, nearest(name, self.variables), hint)
        return self.variables[name]

    def parse_values(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """What a user typed for knobs, or for variables without tags, as values in range.

        Raises UnknownName, BadValue.
        """
        return tags.parse_values(texts, self.knobs, self.variable)

    def knob_values(self) -> dict[str, Any]:
        """The value of each knob now."""
        return {name: self.variables[name].value for name in self.knobs}

    def changed_knobs(self) -> dict[str, Any]:
        """The knobs that differ from their defaults, with their values."""
        now = self.knob_values()
        return {n: now[n] for n, knob in self.knobs.items() if now[n] != knob.default}

    def constants(self) -> dict[str, Any]:
        """Every value that was fixed at load, as far as it can be set by name again."""
        return {
            name: var.value
            for name, var in self.variables.items()
            if not var.section.writable and values.code(var.type)
        }

    @contextmanager
    def open_maps(self, names: Collection[str]) -> Generator[dict[str, int]]:
        """Descriptors of the maps and data sections of these names, for ``ObjectSpec.load``."""
        found: dict[str, int] = {}
        try:
            for name in names:
                folder, pin = ("sections", name[1:]) if name.startswith(".") else ("maps", name)
                path = self.place.pins(folder).get(pin)
                if path is None:
                    raise Gone(f"{self.name} has no map {name} pinned")
                found[name] = self.place.open(path)
            yield found
        finally:
            for fd in found.values():
                os.close(fd)

    def value_type(self, map_: str) -> Type:
        """The type of the values of a map; Gone if there is none such, or nothing tells it."""
        for name, _, info in self._open("maps"):
            types = _types(info.btf_id) if name == map_ else None
            if types:
                return types.resolve(info.btf_value_type_id)
        raise Gone(f"{self.name} has no map {map_} with a type")

    def map_id(self, map_: str) -> int:
        """The kernel's id of a map; Gone if there is none such."""
        for name, _, info in self._open("maps"):
            if name == map_:
                return info.id
        raise Gone(f"{self.name} has no map {map_}")

    # --- what it counts ---

    @cached_property
    def maps(self) -> Mapping[str, BpfMap]:
        """Its maps, by name."""
        from pyloader.maps import BpfMap

        found: dict[str, BpfMap] = {}
        for name, fd, info in self._open("maps"):
            types = _types(info.btf_id)
            found[name] = BpfMap(
                fd,
                name,
                types.resolve(info.btf_key_type_id) if types else Opaque("void"),
                types.resolve(info.btf_value_type_id) if types else Opaque("void"),
            )
        return found

    def read_stats(self) -> NDArray[np.uint64]:
        """Every counter now: shape ``(len(stats), possible CPUs)``, dtype ``u8``, in order."""
        import numpy as np

        rows = self.maps["stats"].read()["v"][0] if self.stats else np.zeros((1, 1), "u8")
        return rows[:, [stat.index for stat in self.stats.values()]].T.copy()

    # --- how it ended ---

    @cached_property
    def exit_record(self) -> exitrecord.ExitRecord | exitrecord.ExitVariable | None:
        """Where it records how it ended; None if it does not. Of a hosted one: the host's."""
        if self.is_hosted:
            host = bpffs.host()
            return Attached(host).exit_record if host.exists() else None
        for name, fd, info in self._open("maps"):
            types = _types(info.btf_id)
            if name == exitrecord.RECORD_MAP and types:
                record = types.resolve(info.btf_value_type_id)
                return exitrecord.ExitRecord(fd, info.value_size, record)
        return exitrecord.in_variables(self.variables)

    def exit_info(self) -> ExitInfo | None:
        """Why it ended; None while it runs, or if it does not record that."""
        return self.exit_record.read() if self.exit_record else None

    def forget_exit(self) -> None:
        """Clear the exit record, before it is attached (again)."""
        if self.exit_record:
            self.exit_record.clear()

    def close(self) -> None:
        """Let go of all descriptors."""
        for map_ in self.__dict__.pop("maps", {}).values():
            map_.close()
        self.__dict__.pop("exit_record", None)

    def __del__(self) -> None:
        self.close()


@lru_cache(maxsize=8)
def _types(btf_id: int) -> Types | None:
    # For the whole process: types never change, and the kernel counts their ids on and on.
    return Types(libbpf.Btf.from_kernel(btf_id)) if btf_id else None
