"""What an exact run measures: the kernel's own scheduler, or one of ours with its knobs set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pyloader import values
from pyloader.catalog import find_scheduler
from pyloader.compile import compile_object
from pyloader.errors import WrongUse
from pyloader.hosted import why_not
from pyloader.places import data_root
from pyloader.spec import ObjectSpec, OpsSpec

#: The word for no scheduler of ours.
KERNEL = "kernel"

OPS = "sched_ext_ops"


@dataclass(frozen=True)
class Subject:
    """A scheduler as it is measured; ``spec`` is None for the kernel's own.

    ``mode`` is ``kernel``, ``direct`` or ``hosted``; ``knobs`` are those that were set, by name.
    """

    name: str
    mode: str
    spec: ObjectSpec | None
    knobs: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Name, way of attaching and knobs, in one word."""
        set_ = "".join(f":{name}={value}" for name, value in self.knobs.items())
        return f"{self.name}{set_}" + (" direct" if self.mode == "direct" else "")

    @property
    def object_sha256(self) -> str | None:
        return self.spec.digest if self.spec else None

    @property
    def ops(self) -> OpsSpec:
        assert self.spec is not None
        return self.spec.sole_ops(OPS)

    def settings(self) -> list[tuple[str, bytes]]:
        """The variables to be set before the load, with their bytes."""
        spec = self.spec
        if spec is None:
            return []
        return [
            (name, values.encode(spec.variable(name).type, value, name))
            for name, value in self.knobs.items()
        ]


def subject(text: str, *, direct: bool = False) -> Subject:
    """What ``text`` means: ``kernel``, a scheduler's name or file, each with ``:KNOB=VALUE …``.

    One that can be hosted is, unless ``direct``.

    Raises:
        WrongUse: an unknown name or knob, or a value out of range.
        CompileError, BadObject: its file is no scheduler.
    """
    name, *words = text.split(":")
    if name == KERNEL:
        if words:
            raise WrongUse("the kernel's own scheduler has no knobs to set")
        return Subject(KERNEL, KERNEL, None, {})
    return of_spec(find_scheduler(name).open(), words, direct=direct)


def of_spec(spec: ObjectSpec, words: Sequence[str] = (), *, direct: bool = False) -> Subject:
    """The scheduler in an object, with ``words`` like ``KNOB=VALUE``; raises as ``subject``."""
    spec.sole_ops(OPS)
    knobs = dict(_knob(spec, word) for word in words)
    hosted = not direct and hostable(spec)
    return Subject(spec.name, "hosted" if hosted else "direct", spec, knobs)


@cache
def host_spec() -> ObjectSpec:
    """The resident host, compiled if there is only its source."""
    directory = data_root("schedulers") / "host"
    built = directory / "host.bpf.o"
    return ObjectSpec.open(built if built.is_file() else compile_object(directory / "host.bpf.c"))


def hostable(spec: ObjectSpec) -> bool:
    """Whether the scheduler can be a policy of the resident host."""
    arrays = (name for name in host_spec().maps if name.startswith("on_"))
    passed_on = frozenset(name.removeprefix("on_") for name in arrays)
    return not why_not(spec, spec.sole_ops(OPS), passed_on)


def _knob(spec: ObjectSpec, word: str) -> tuple[str, Any]:
    name, equals, text = word.partition("=")
    if not equals:
        raise WrongUse(f"{word!r} is not KNOB=VALUE; write {spec.name}:slice_us=2000, for example")
    if name in spec.knobs:
        return name, spec.knobs[name].parse(text)
    variable = spec.variable(name)
    value = values.parse(variable.type, text, name)
    values.encode(variable.type, value, name)
    return name, value
