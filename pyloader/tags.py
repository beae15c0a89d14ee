"""What a C file says about itself: knobs, statistics and its description.

The macros of ``schedulers/include/declare.h`` become variables with BTF
declaration tags. They are read the same way from an object file and from the
maps of a program set that runs, so any process can tell them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from pyloader import values
from pyloader.btf import Array, DataVar, Int, Type
from pyloader.errors import BadValue

_PREFIX = "scxhid:"
_LIMITS = "__limits"
_STAT = "stat__"

Section = tuple[list[DataVar], Any]
"""The variables of a data section and its bytes as they were compiled (or stand now)."""


class About(NamedTuple):
    """What the program is, and what it is good for; empty where the file does not say.

    ``ignores`` names settings of the kernel that it does not honour (``cpu.max``);
    None where the file does not say.
    """

    what: str = ""
    good_for: str = ""
    ignores: tuple[str, ...] | None = None


class Knob(NamedTuple):
    """A global variable meant to be turned.

    ``at_load`` knobs are constants of the loaded program: changing one takes a
    fresh copy. ``section`` and ``offset`` (bytes) tell where it lies.
    """

    name: str
    type: Type
    default: Any
    minimum: Any
    maximum: Any
    unit: str
    doc: str
    at_load: bool
    section: str
    offset: int

    def parse(self, text: str) -> Any:
        """A user's text as a value within range; BadValue with the range if it is not."""
        return self.check(values.parse(self.type, text, self.name, self.unit))

    def check(self, value: Any) -> Any:
        """``value`` if it is of the type and within the range, else BadValue."""
        values.encode(self.type, value, self.name)
        if not self.minimum <= value <= self.maximum:
            unit = f" {self.unit}" if self.unit else ""
            raise BadValue(
                f"{self.name}={value} is out of range: "
                f"it takes {self.minimum} to {self.maximum}{unit}"
            )
        return value


class _Typed(Protocol):
    @property
    def type(self) -> Type: ...


def parse_values(
    texts: Mapping[str, str], knobs: Mapping[str, Knob], variable: Callable[[str], _Typed]
) -> dict[str, Any]:
    """What a user typed for knobs, or for variables without tags, as values in range.

    ``variable`` finds the global of a name. Raises UnknownName (of ``variable``), BadValue.
    """
    parsed: dict[str, Any] = {}
    for name, text in texts.items():
        kind, knob = variable(name).type, knobs.get(name)
        parsed[name] = knob.parse(text) if knob else values.parse(kind, text, name)
        values.encode(kind, parsed[name], name)
    return parsed


class Stat(NamedTuple):
    """A counter meant to be shown: element ``index`` of each CPU's row of the map ``stats``."""

    name: str
    index: int  # pyright: ignore[reportIncompatibleMethodOverride]
    doc: str


class HidPlace(NamedTuple):
    """A variable of a HID program that takes where ``number`` usages from ``usage`` on lie.

    ``is_relative``: of movements only. ``is_report``: it takes what the report is that holds the
    first of them.
    """

    usage: int
    number: int
    is_relative: bool = False
    is_report: bool = False


class Hostable(NamedTuple):
    """What a policy says that can be hosted: flags of its ops, and the callbacks that it has."""

    flags: int
    callbacks: frozenset[str]


class SelfDescription(NamedTuple):
    """All that the tags of one object say, by name, in the order of the source."""

    knobs: Mapping[str, Knob]
    stats: Mapping[str, Stat]
    about: About
    own_variables: frozenset[str]
    """Variables that exist only to carry this; no user wants to see them."""
    hostable: Hostable | None
    """None if it has to be attached by itself."""
    policy_variables: frozenset[str]
    """Variables by which the loader and the program talk; no user wants to see them."""
    places: Mapping[str, HidPlace]
    """Of a HID program, by the variable that the loader fills in."""


def _tagged(var: DataVar) -> dict[str, str]:
    words: dict[str, str] = {}
    for tag in var.tags:
        if tag.startswith(_PREFIX):
            key, _, text = tag[len(_PREFIX) :].partition(":")
            words[key] = text
    return words


def read(sections: Mapping[str, Section]) -> SelfDescription:
    """Read the tags of the variables in ``sections``, keyed by section name.

    ValueError if what they are attached to cannot be a knob or a statistic.
    """
    everything = {var.name: (var, data) for vars_, data in sections.values() for var in vars_}
    knobs: dict[str, Knob] = {}
    stats: dict[str, Stat] = {}
    about = About()
    own: set[str] = set()
    hostable: Hostable | None = None
    between: set[str] = set()
    places: dict[str, HidPlace] = {}
    for section, (variables, data) in sections.items():
        for var in variables:
            words = _tagged(var)
            if "___fmt" in var.name:  # format strings of scx_bpf_error() and bpf_printk()
                own.add(var.name)
            if "knob" in words or "knob_at_load" in words:
                limits = everything.get(var.name + _LIMITS)
                if limits is None:
                    continue
                if not values.code(var.type) or limits[0].type != Array(var.type, 3):
                    raise ValueError(f"the limits of {var.name} are not three of its type")
                default, low, high = values.decode(limits[0].type, _bytes_of(*limits))
                own.add(limits[0].name)
                knobs[var.name] = Knob(
                    var.name,
                    var.type,
                    default,
                    low,
                    high,
                    words.get("unit", ""),
                    words.get("doc", ""),
                    "knob_at_load" in words,
                    section,
                    var.offset,
                )
            elif "stat" in words:
                name = var.name.removeprefix(_STAT)
                if not isinstance(var.type, Int):
                    raise ValueError(f"the index of {name} is not a number")
                index = values.decode(var.type, _bytes_of(var, data))
                stats[name] = Stat(name, index, words.get("doc", ""))
                own.add(var.name)
            elif "about" in words or "for" in words:
                about = about._replace(what=words.get("about", ""), good_for=words.get("for", ""))
                own.add(var.name)
            elif "ignores" in words:
                about = about._replace(ignores=_items(words["ignores"]))
                own.add(var.name)
            elif "hostable" in words:
                flags = values.decode(var.type, _bytes_of(var, data))
                hostable = Hostable(int(flags), frozenset(words["hostable"].split()))
                own.add(var.name)
            elif "policy" in words:
                between.add(var.name)
            elif "place" in words:
                usage, number, *kind = words["place"].split()
                places[var.name] = HidPlace(
                    int(usage, 0), int(number, 0), "relative" in kind, "report" in kind
                )
                between.add(var.name)
    by_index = sorted(stats.values(), key=lambda stat: stat.index)
    return SelfDescription(
        knobs,
        {s.name: s for s in by_index},
        about,
        frozenset(own),
        hostable,
        frozenset(between),
        places,
    )


def _items(text: str) -> tuple[str, ...]:
    return tuple(item for part in text.split(",") if (item := part.strip()))


def _bytes_of(var: DataVar, data: Any) -> Any:
    return data[var.offset : var.offset + var.size]
