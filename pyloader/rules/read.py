"""A file of rules, read and checked: docs/reference/rules.md is its grammar."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple, NoReturn, cast

from pyloader import toml_text
from pyloader.errors import BadRules
from pyloader.names import nearest
from pyloader.places import data_root
from pyloader.rules import cpus as cpu_lists
from pyloader.rules import model
from pyloader.rules.cpus import Machine
from pyloader.rules.model import DEFAULT_LAYER, Layer, Range, Rule, RuleSet
from pyloader.rules.patterns import literal_bytes
from pyloader.rules.shadow import shadowed
from pyloader.toml_text import shown

LARGEST_FILE = 4 << 20
"""Bytes; 256 rules need a hundredth of it."""

_LAYER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_TWICE = re.compile(r"Cannot declare \('layer', '([^']*)'\) twice(.*)", re.DOTALL)


class Read(NamedTuple):
    """The rules of a file, and sentences on what is odd in them."""

    rules: RuleSet
    warnings: tuple[str, ...]
    written: int
    """How many rules stand in the file; one with several patterns becomes several."""


def find_file(text: str) -> str:
    """The path that ``text`` is, or that of the rules of this name that come with scxhid.

    Raises ScxhidError if it is a name, and there is neither.
    """
    return toml_text.find_file(text, "rules", data_root("schedulers") / "rules")


def read_file(path: str, machine: Machine) -> Read:
    """The rules in the file at ``path``, for a machine with those CPUs.

    BadRules, which names the file, the table and the key, if it cannot be followed;
    ScxhidError if it cannot be read.
    """
    return read_bytes(toml_text.contents(path, LARGEST_FILE), path, machine)


def read_bytes(raw: bytes, path: str, machine: Machine) -> Read:
    """The same for the contents of the file; ``path`` is only for errors."""
    try:
        _, document = toml_text.parse(raw, path, LARGEST_FILE)
    except BadRules as error:
        twice = _TWICE.fullmatch(str(error.__cause__))
        if twice:
            why = f"stands there twice{twice[2]}; a layer has one table"
            raise BadRules(path, f"[layer.{twice[1]}]", "", why) from None
        raise
    return _Reader(path, machine).document(document)


class _Table:
    """One table of the file: takes its keys one by one, and knows how to complain."""

    def __init__(self, path: str, name: str, values: Any) -> None:
        self.path, self.name = path, name
        if not isinstance(values, dict):
            raise BadRules(path, name, "", "is not a table")
        self.values = cast(dict[str, Any], values)

    def wrong(self, key: str, why: str) -> NoReturn:
        raise BadRules(self.path, self.name, key, why)

    def only(self, known: Sequence[str]) -> None:
        """Refuse keys that are none of ``known``."""
        for key in self.values:
            if key not in known:
                meant = nearest(key[:60], known)
                hint = f"; did you mean {' or '.join(meant)}?" if meant else ""
                hint = hint or f"; it takes {', '.join(known)}"
                self.wrong("", f"has no key {key[:60]!r}{hint}")

    def get(self, key: str, kind: type, words: str, default: Any = None) -> Any:
        """The value of ``key`` if it is of that type (a bool is no int)."""
        value = self.values.get(key, default)
        if value is default:
            return default
        if type(value) is not kind:
            self.wrong(key, f"is {shown(value)}; it takes {words}")
        return value

    def number(self, key: str, limits: Range, unit: str, default: int) -> int:
        low, high = limits
        value = self.get(key, int, f"a whole number from {low} to {high}{unit}", default)
        if not low <= value <= high:
            self.wrong(key, f"is {shown(value)}; it takes {low} to {high}{unit}")
        return value

    def range(self, key: str, limits: Range, number: Callable[[Any], Any]) -> Range | None:
        """A number, or a list of the first and the last that are meant."""
        value = self.values.get(key)
        if value is None:
            return None
        pair = cast("list[Any]", value) if isinstance(value, list) else [value, value]
        low, high = limits
        found = [number(item) for item in pair]
        if len(found) != 2 or any(type(item) is not int for item in found):
            self.wrong(key, f"is {shown(value)}; it takes a number or [FIRST, LAST]")
        if not low <= min(found) <= max(found) <= high:
            self.wrong(key, f"is {shown(value)}; it takes {low} to {high}")
        if found[0] > found[1]:
            self.wrong(key, f"is {shown(value)}, a range that ends before it begins")
        return found[0], found[1]

    def patterns(self, key: str, check: Callable[[str], str | None]) -> Sequence[str | None]:
        """A pattern or a list of some; ``check`` says what is wrong with one."""
        value = self.values.get(key)
        if value is None:
            return (None,)
        found = cast("list[Any]", value) if isinstance(value, list) else [value]
        for item in found:
            if not isinstance(item, str):
                self.wrong(key, f"is {shown(value)}; it takes text, or a list of texts")
            why = "an empty pattern, which fits nothing" if not item else check(item)
            why = "a NUL, which no name has" if "\0" in item else why
            if why:
                self.wrong(key, f"has {why}")
        if not found:
            self.wrong(key, "is an empty list, which fits nothing; leave it out to fit everything")
        return found


class _Reader:
    def __init__(self, path: str, machine: Machine) -> None:
        self.path, self.machine = path, machine
        self.warnings: list[str] = []

    def warn(self, place: str, text: str) -> None:
        self.warnings.append(f"{self.path}: {place} {text}")

    def document(self, document: dict[str, Any]) -> Read:
        top = _Table(self.path, "", document)
        top.only(("layer", "rule"))
        if not document:
            why = "is empty: it has no layers and no rules; [layer.default] alone means no rules"
            raise BadRules(self.path, "", "", why)
        tables = _Table(self.path, "layer", document.get("layer", {})).values
        written = document.get("rule", [])
        if not isinstance(written, list):
            raise BadRules(self.path, "rule", "", "is not a list of tables; write [[rule]]")
        written = cast("list[Any]", written)
        self._within("rules", len(written), model.MAX_RULES)
        layers = {DEFAULT_LAYER: Layer(DEFAULT_LAYER)}
        self._within("layers", len(tables | layers), model.MAX_LAYERS, "the default one counted")
        for name, table in tables.items():
            layers[name] = self._layer(name, table)
        rules = [
            rule for i, table in enumerate(written, 1) for rule in self._rule(i, table, layers)
        ]
        self._within("rules", len(rules), model.MAX_RULES, "each pattern of a list counted")
        patterns = {rule.cgroup for rule in rules} - {None}
        self._within("patterns of cgroups", len(patterns), model.MAX_CGROUP_PATTERNS)
        self._look_over(layers, rules)
        return Read(RuleSet(layers, tuple(rules)), tuple(self.warnings), len(written))

    def _within(self, what: str, given: int, most: int, how: str = "") -> None:
        if given > most:
            how = f" ({how})" if how else ""
            why = f"has {given:,} {what}{how}; the scheduler takes at most {most}"
            raise BadRules(self.path, "", "", why)

    def _layer(self, name: str, values: Any) -> Layer:
        plain = name if name.isprintable() and name.isascii() else repr(name)
        table = _Table(self.path, f"[layer.{plain[:60]}]", values)
        if not _LAYER_NAME.fullmatch(name) or len(name) > model.MAX_LAYER_NAME:
            why = f"is no name for a layer: letters, digits, _ . -, at most {model.MAX_LAYER_NAME}"
            table.wrong("", why)
        table.only(("weight", "slice_us", "cpus", "latency", "preempt"))
        usual = Layer(name)
        latency = table.get("latency", str, " or ".join(model.LATENCIES), usual.latency)
        if latency not in model.LATENCIES:
            meant = nearest(latency[:60], model.LATENCIES)
            hint = f"; did you mean {meant[0]}?" if meant else ""
            table.wrong("latency", f"is {shown(latency)}, not {_or(model.LATENCIES)}{hint}")
        return Layer(
            name,
            weight=table.number("weight", model.WEIGHTS, "", usual.weight),
            slice_us=table.number("slice_us", model.SLICES_US, " us", usual.slice_us),
            cpus=self._cpus(table),
            latency=latency,
            preempt=table.get("preempt", bool, "true or false", usual.preempt),
        )

    def _cpus(self, table: _Table) -> frozenset[int] | None:
        value = table.values.get("cpus")
        if value is None:
            return None
        if isinstance(value, str):
            try:
                found = cpu_lists.parse(value)
            except ValueError as error:
                table.wrong("cpus", str(error))
        else:
            items = cast("list[Any]", value) if isinstance(value, list) else [value]
            if not items or any(type(item) is not int for item in items):
                table.wrong("cpus", f'is {shown(value)}; it takes "0-3,8" or [0, 1, 2, 3, 8]')
            found = frozenset(cast("list[int]", items))
        present, online = self.machine
        missing = sorted(found - present)
        if missing:
            has = cpu_lists.text(present)
            table.wrong("cpus", f"has CPU {missing[0]}, which this machine has not: it has {has}")
        if max(found) >= model.MAX_CPUS:
            table.wrong("cpus", f"has CPU {max(found)}; the scheduler knows 0 to 1023")
        if not found & online:
            self.warn(table.name, "cpus: all are offline; its tasks run anywhere until one is not")
        elif found - online:
            self.warn(table.name, f"cpus: CPU {cpu_lists.text(found - online)} is offline")
        return found

    def _rule(self, number: int, values: Any, layers: Mapping[str, Layer]) -> Iterator[Rule]:
        table = _Table(self.path, f"[[rule]] {number}", values)
        table.only(("layer", "comm", "cgroup", "uid", "nice", "kernel_thread", "input"))
        layer = table.get("layer", str, "the name of a layer")
        if layer is None:
            table.wrong("", "names no layer; add layer = NAME")
        if layer not in layers:
            meant = nearest(layer[:60], layers)
            hint = f"did you mean {' or '.join(meant)}?" if meant else f"add [layer.{layer[:60]}]"
            table.wrong("layer", f"is {shown(layer)}, and there is no such layer; {hint}")
        rule = Rule(
            layer,
            uid=table.range("uid", (0, model.MAX_UID), lambda item: _uid(table, item)),
            nice=table.range("nice", model.NICES, lambda item: item),
            kernel_thread=table.get("kernel_thread", bool, "true or false"),
            input=table.get("input", bool, "true or false"),
            number=number,
        )
        names, groups = table.patterns("comm", _bad_comm), table.patterns("cgroup", _bad_cgroup)
        for comm, cgroup in product(names, groups):
            yield replace(rule, comm=comm, cgroup=cgroup and (cgroup.rstrip("/") or "/"))

    def _look_over(self, layers: Mapping[str, Layer], rules: Sequence[Rule]) -> None:
        for late, early in shadowed(rules):
            what = f" {late.comm or late.cgroup or ''}".rstrip() if late.comm or late.cgroup else ""
            if late.number == early.number:
                text = f"has{what}, which another pattern of the same rule covers"
            else:
                text = f"never decides{what and ' for' + what}: rule {early.number} comes before it"
            self.warn(f"[[rule]] {late.number}", text)
        for name in layers.keys() - {rule.layer for rule in rules} - {DEFAULT_LAYER}:
            self.warn(f"[layer.{name}]", "gets no tasks: no rule names it")


def _uid(table: _Table, item: Any) -> Any:
    if not isinstance(item, str):
        return item
    import pwd

    try:
        return pwd.getpwnam(item).pw_uid
    except (KeyError, ValueError, UnicodeError):
        table.wrong("uid", f"is {shown(item)}, and there is no such user on this machine")


def _bad_comm(pattern: str) -> str | None:
    if len(pattern.encode(errors="replace")) > model.MAX_COMM_PATTERN:
        return f"a pattern longer than {model.MAX_COMM_PATTERN} bytes: {pattern[:40]!r}"
    if literal_bytes(pattern) > model.MAX_COMM:
        kept = pattern.replace("*", "").encode()[: model.MAX_COMM].decode(errors="ignore")
        return (
            f"{pattern!r}, which fits nothing: the kernel keeps {model.MAX_COMM} bytes of a name "
            f"({kept!r} here)"
        )
    return None


def _bad_cgroup(pattern: str) -> str | None:
    if not pattern.startswith(("/", "*")):
        return f"{pattern[:60]!r}, which fits nothing: paths of cgroups begin with / (or write *)"
    if len(pattern.encode(errors="replace")) > model.MAX_CGROUP_PATTERN:
        return f"a pattern longer than {model.MAX_CGROUP_PATTERN} bytes: {pattern[:40]!r}"
    return None


def _or(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
