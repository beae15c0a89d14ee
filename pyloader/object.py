"""``BpfObject``: a program set loaded in the kernel."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pyloader import exitrecord, variables
from pyloader.btf import Types
from pyloader.closing import Closing
from pyloader.elsewhere.adapt import NONE, Adaptation, adapt
from pyloader.elsewhere.shape import SCHED_OPS
from pyloader.errors import (
    AttachError,
    BadObject,
    BadValue,
    Busy,
    LoadError,
    NotPermitted,
    UnknownName,
    Unsupported,
    VerifierError,
)
from pyloader.libbpf import Btf, CallFailed, Link, Object, detach_link, walk
from pyloader.names import nearest
from pyloader.spec import DATA_SECTIONS, ObjectSpec, data_section, ops_struct
from pyloader.variables import DataSection, Variable

if TYPE_CHECKING:
    from pyloader.maps import BpfMap


class BpfObject(Closing):
    """Loaded and verified, not attached: a standby until ``attach``.

    Use it as a context manager, or ``close`` it. What is attached and not pinned
    is detached by ``close``.
    """

    def __init__(
        self,
        spec: ObjectSpec,
        values: Mapping[str, Any],
        fields: Mapping[str, Mapping[str, Any]],
        entries: Mapping[str, int],
        shared: Mapping[str, int],
        without: Collection[str] = (),
    ) -> None:
        self.spec = spec
        _check_values(spec, values)
        self._adapted = adapt(spec, values, entries) if spec.ops else NONE
        try:
            self._object = Object(spec.data, spec.name)
        except CallFailed as error:
            raise BadObject(f"{spec.name} cannot be opened: {error}") from None
        self._links: list[Link] = []
        self._handles = {m.name: m for m in self._object.maps()}
        btf = self._object.btf()
        if btf is None:
            raise BadObject(f"{spec.name} has no type information (BTF)")
        try:
            self._shape(btf, without)
            self._prepare(self._adapted, values, fields, entries)
            self._share(shared)
            self._load()
        except BaseException:
            self._object.close()
            raise

    def _shape(self, btf: Btf, without: Collection[str]) -> None:
        """Decide what is made at all, and how large: before memory and types are looked at."""
        for section, size in self._adapted.sizes.items():
            handle = next(m for name, m in self._handles.items() if data_section(name) == section)
            handle.set_value_size(size)
        for name in self.spec.ops:
            handle = self._handles[name]
            if self.spec.is_wanted(name):
                handle.set_created(True)
            handle.attach_by_link()
        for program in self._object.programs():
            if program.name in self._adapted.left_out or program.name in without:
                program.set_autoload(False)
        self._types = Types(btf)

    def _prepare(
        self,
        adapted: Adaptation,
        values: Mapping[str, Any],
        fields: Mapping[str, Mapping[str, Any]],
        entries: Mapping[str, int],
    ) -> None:
        memory = {
            data_section(name): handle.initial_value()
            for name, handle in self._handles.items()
            if handle.is_internal
        }
        for name, handle in self._handles.items():
            if handle.is_internal and data_section(name).startswith(DATA_SECTIONS):
                handle.make_mmapable()
        for name, value in {**adapted.values, **values}.items():
            var = self.spec.variable(name)
            target = memory.get(var.section)
            if target is None:
                raise BadValue(f"{name} lies in {var.section}, which cannot be set before load")
            variables.put(target, var.offset, var.type, value, name)
        for changes in (adapted.fields, fields):
            for ops, members in changes.items():
                self._set_fields(ops, members)
        for name, count in entries.items():
            if name not in self._handles:
                raise UnknownName("map", name, nearest(name, self._handles))
            if not 0 < count < 1 << 32:
                raise BadValue(f"map {name} cannot have {count} entries; 1 to {(1 << 32) - 1}")
            self._handles[name].set_max_entries(count)

    def _share(self, shared: Mapping[str, int]) -> None:
        named = {data_section(name): handle for name, handle in self._handles.items()}
        for name, fd in shared.items():
            if name not in named:
                raise UnknownName("map", name, nearest(name, named))
            try:
                named[name].reuse(fd)
            except CallFailed as error:
                raise LoadError(
                    f"{self.spec.name} cannot share the map {name}: {error.strerror}",
                    error.errno or 0,
                ) from None

    def _set_fields(self, ops: str, members: Mapping[str, Any]) -> None:
        layout = ops_struct(ops, self._types)
        target = self._handles[ops].initial_value() if ops in self._handles else None
        if layout is None or target is None:
            raise UnknownName("struct_ops", ops, nearest(ops, self.spec.ops))
        known = {m.name: m for m in layout.fields()}
        for name, value in members.items():
            if name not in known:
                raise UnknownName("field", name, nearest(name, known), f"{ops} is {layout.name}")
            member = known[name]
            variables.put(target, member.offset_bits // 8, member.type, value, f"{ops}.{name}")

    def _load(self) -> None:
        try:
            self._object.load(modules=self._may_need_modules())
        except CallFailed as error:
            raise _explain_load(self.spec, error) from None

    def _may_need_modules(self) -> bool:
        """Whether it may name what only a kernel module has; nothing of sched_ext lies in one."""
        kinds = {ops.kind for ops in self.spec.ops.values()}
        types = {program.type for program in self._object.programs()}
        return kinds != {SCHED_OPS} or not types <= {"struct_ops", "syscall"}

    # --- what is in it ---

    @property
    def notes(self) -> tuple[str, ...]:
        """What was changed for this kernel and machine and a user should know, in sentences."""
        return self._adapted.notes

    @cached_property
    def sections(self) -> Mapping[str, DataSection]:
        """The mapped data sections by ELF name; those that the kernel keeps to itself left out."""
        found: dict[str, DataSection] = {}
        for map_name, handle in self._handles.items():
            section = data_section(map_name)
            if handle.is_internal and section.startswith(DATA_SECTIONS):
                vars_ = self._types.section(section)
                mapped = DataSection.open(handle.fd, section, handle.value_size, vars_)
                if mapped:
                    found[section] = mapped
        return found

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """Every global variable, live."""
        return {
            name: var
            for section in self.sections.values()
            for name, var in section.variables.items()
        }

    @cached_property
    def maps(self) -> Mapping[str, BpfMap]:
        """The maps that the source declares, by name."""
        from pyloader.maps import BpfMap

        return {
            name: BpfMap(
                handle.fd, name, self.spec.maps[name].key_type, self.spec.maps[name].value_type
            )
            for name, handle in self._handles.items()
            if not handle.is_internal and handle.type != "struct_ops" and handle.is_created
        }

    @cached_property
    def exit_record(self) -> exitrecord.ExitRecord | exitrecord.ExitVariable | None:
        """Where it records how it ended; None if it does not."""
        handle = self._handles.get(exitrecord.RECORD_MAP)
        if handle:
            record = self.spec.maps[handle.name].value_type
            return exitrecord.ExitRecord(handle.fd, handle.value_size, record)
        return exitrecord.in_variables(self.variables)

    def map_fds(self) -> dict[str, int]:
        """Descriptors of all maps, data sections and ops among them; closed with the object."""
        return {name: m.fd for name, m in self._handles.items() if m.is_created}

    def program_fds(self) -> dict[str, int]:
        """Descriptors of all programs by name; closed with the object."""
        return {program.name: program.fd for program in self._object.programs() if program.fd >= 0}

    # --- what it does ---

    def attach(self, name: str) -> Link:
        """Attach the struct_ops map or the program called ``name``; detached by ``close``.

        A struct_ops attach that succeeds does not yet mean that the scheduler runs
        (its ``init`` may fail afterwards). Raises Busy, AttachError.
        """
        try:
            if name in self.spec.ops:
                link = self._handles[name].attach_struct_ops()
            else:
                link = self._program(name).attach()
        except CallFailed as error:
            raise explain_attach(name, error) from None
        self._links.append(link)
        return link

    def run(self, program: str, context: bytearray | None = None) -> int:
        """Run a ``syscall`` program once and return its ``int``; ``context`` may change."""
        try:
            return self._program(program).run(context)
        except CallFailed as error:
            raise AttachError(
                f"program {program} of {self.spec.name} did not run: {error}"
            ) from None

    def walk(self, link: Link) -> bytes:
        """Run the ``iter`` program of that link over everything; what it has written."""
        try:
            return walk(link.fd)
        except CallFailed as error:
            raise AttachError(f"a walk of {self.spec.name} failed: {error}") from None

    def _program(self, name: str) -> Any:
        for program in self._object.programs():
            if program.name == name:
                return program
        raise UnknownName("program", name, nearest(name, self.spec.programs))

    def detach(self) -> None:
        """Detach whatever ``attach`` attached, the last first, pinned or not, and stay loaded."""
        for link in reversed(self._links):
            with suppress(CallFailed):
                detach_link(link.fd)
            link.close()
        self._links.clear()

    def close(self) -> None:
        """Detach and unload, except what is pinned. Views stay valid. Again is no error."""
        for link in self._links:
            link.close()
        self._links.clear()
        for map_ in self.__dict__.pop("maps", {}).values():
            map_.close()
        self._object.close()


def _check_values(spec: ObjectSpec, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        spec.variable(name)
        if name in spec.knobs:
            spec.knobs[name].check(value)


def _explain_load(spec: ObjectSpec, error: CallFailed) -> Exception:
    from pyloader.verifier import parse

    words = error.words
    if error.errno == errno.EPERM:
        return NotPermitted(
            f"the kernel does not let this user load {spec.name}: run it as root "
            "(CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN)"
        )
    for ops in spec.ops.values():
        if ops.kind and f"{ops.kind} is not found in kernel BTF" in words:
            return Unsupported(
                f"this kernel has no {ops.kind}, which {spec.name} needs; "
                "`scxhid doctor` says what it can do"
            )
    if "failed to open system Kconfig" in words:
        release = os.uname().release
        return Unsupported(
            f"{spec.name} asks for the kernel's configuration, and this machine has neither "
            f"/boot/config-{release} nor /proc/config.gz; put the file there"
        )
    refusal = parse(words)
    if "BEGIN PROG LOAD LOG" in words or refusal.kind != "unknown":
        who = f"program {refusal.program} of {spec.name}" if refusal.program else spec.name
        message = f"the kernel refused {who}: {refusal.title or refusal.reason}"
        return VerifierError(message, refusal, error.errno or 0, words)
    lines = [line.removeprefix("libbpf: ") for line in words.strip().splitlines()]
    detail = next((line for line in lines if "failed" in line or "not found" in line), "")
    return LoadError(
        f"{spec.name} could not be loaded: {detail or error.strerror}", error.errno or 0, words
    )


def explain_attach(name: str, error: CallFailed) -> Exception:
    """The error to raise for an attach that the kernel refused."""
    if error.errno == errno.EBUSY:
        return Busy(f"{name} was not attached: another one of its kind is attached already")
    if error.errno in (errno.EPERM, errno.EACCES):
        return NotPermitted(f"the kernel does not let this user attach {name}: run it as root")
    return AttachError(f"the kernel refused to attach {name}: {error}")
