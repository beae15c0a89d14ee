"""A remap file with all that it includes, and its sections for several devices."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, cast

from pyloader import toml_text
from pyloader.errors import BadRules, ScxhidError
from pyloader.hid.remap.fragment import Fragment, overlaid
from pyloader.hid.remap.model import BASE, Match, Rules
from pyloader.hid.remap.read import (
    LARGEST_FILE,
    TABLES,
    layer_names,
    only,
    read_device,
    read_fragment,
    read_section,
)
from pyloader.hid.remap.where import Source
from pyloader.places import data_root
from pyloader.toml_text import shown

MOST_FILES = 64
DEEPEST = 8  # files of which each includes the next
MOST_SECTIONS = 64

_INCLUDE, _DEVICE, _DEFAULT, _IGNORE = "include", "device", "default", "ignore"


@dataclass(frozen=True)
class Composed:
    """The rules of a file. Of several ``sections`` the first that is for a device counts there,
    where none is, ``default``. A file ``is_plain`` that is for one device: it has one section.
    ``files`` are the contents of all that were read, by path."""

    path: str
    sections: tuple[Rules, ...]
    default: Rules | None = None
    is_plain: bool = True
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])


class _File(NamedTuple):
    source: Source
    document: dict[str, Any]


class _Section(NamedTuple):
    """``files`` are those that it includes by itself."""

    source: Source
    match: Match
    tables: Mapping[str, Any]
    files: list[_File]
    leave_alone: bool


def keymaps() -> Path:
    """The folder of the keymaps that come with scxhid."""
    return data_root("hid") / "keymaps"


def find_file(text: str) -> str:
    """The path that ``text`` is, or that of the keymap of this name that comes with scxhid.

    Raises:
        ScxhidError: it is a name, and there is neither.
    """
    return toml_text.find_file(text, "keymap", keymaps())


def read_compose(path: str) -> Composed:
    """The rules in the file and those that it includes.

    Raises:
        BadRules: one of them cannot be followed; the sentence has file, line, column and key.
        ScxhidError: the file cannot be read.
    """
    return compose_bytes(toml_text.contents(path, LARGEST_FILE), path)


def compose_bytes(raw: bytes, path: str) -> Composed:
    """The same for the contents of the file."""
    opener = _Files()
    files = opener.opened(raw, path, ())
    common = _common(files)
    sections, defaults = _sections(files, opener), _defaults(files, opener)
    several = [*sections, *defaults]
    all_ = [*files, *(file for section in several for file in section.files)]
    contents = {each.source.path: each.source.text.encode() for each in all_}
    device = files[-1].document.get(_DEVICE, [])
    if several and not isinstance(device, list):
        why = f"cannot count, since {path} has one [device]: write [[device]]"
        several[0].source.wrong((), "", why)
    if not several:
        match = read_device(files[-1].source, {} if device == [] else device)
        return Composed(path, (common.rules(match, path),), files=contents)
    if all(each.leave_alone for each in several):
        why = "leaves a device alone, and there are no rules for others: those go to [default]"
        several[0].source.wrong((), _IGNORE, why)
    made = tuple(_over(common, [each]) for each in sections)
    default = _over(common, defaults) if defaults else None
    return Composed(path, made, default, is_plain=False, files=contents)


class _Files:
    """Opens files, and counts them."""

    def __init__(self) -> None:
        self._number = 0

    def opened(self, raw: bytes, path: str, above: tuple[str, ...]) -> list[_File]:
        """The file and those that it includes, each after those that it includes."""
        text, document = toml_text.parse(raw, path, LARGEST_FILE)
        source = Source(path, text)
        only(source, document, (_INCLUDE, _DEVICE, *TABLES, _DEFAULT))
        return [*self.included(source, document, (*above, path)), _File(source, document)]

    def included(
        self, source: Source, table: Mapping[str, Any], chain: tuple[str, ...]
    ) -> list[_File]:
        """What a table includes, a file or a section of it, in the order of its list."""
        found: list[_File] = []
        for item in _includes(source, table):
            found += self._included(source, item, chain)
        return found

    def _included(self, source: Source, item: str, chain: tuple[str, ...]) -> list[_File]:
        def wrong(why: str) -> NoReturn:
            source.wrong_item(_INCLUDE, item, f"names {shown(item)}: {why}")

        self._number += 1
        if self._number >= MOST_FILES:
            wrong(f"this is more than {MOST_FILES} files")
        try:
            path = toml_text.find_file(item, "keymap", keymaps(), os.path.dirname(source.path))
            known = [os.path.realpath(each) for each in chain]
            if os.path.realpath(path) in known:
                again = chain[known.index(os.path.realpath(path)) :]
                wrong(f"the files include each other in a circle, {' → '.join((*again, path))}")
            if len(chain) == DEEPEST:
                wrong(f"this is more than {DEEPEST} files deep")
            raw = toml_text.contents(path, LARGEST_FILE)
        except BadRules:
            raise
        except (ScxhidError, OSError, ValueError) as error:  # a path too long, or with a NUL
            wrong(str(error))
        return self.opened(raw, path, chain)


def _includes(source: Source, table: Mapping[str, Any]) -> list[str]:
    value = table.get(_INCLUDE, [])
    items = cast("list[Any]", value) if isinstance(value, list) else [value]
    if not all(isinstance(item, str) and item for item in items):
        why = "it takes a list of files and keymaps such as ['vim-nav', 'mine.toml'], or one"
        source.wrong((), _INCLUDE, f"is {shown(value)}; {why}")
    return cast("list[str]", items)


def _common(files: list[_File]) -> Fragment:
    """What stands outside of sections."""
    _check_devices(files[:-1])
    layers = [name for source, document in files for name in layer_names(source, document)]
    fragments = [read_fragment(source, document, layers) for source, document in files]
    return overlaid(files[-1].source, fragments)


def _check_devices(files: list[_File]) -> None:
    """``[device]`` of an included file counts where that is used by itself."""
    for source, document in files:
        if isinstance(document.get(_DEVICE), dict):
            read_device(source, document[_DEVICE])


def _sections(files: list[_File], opener: _Files) -> list[_Section]:
    """Those of a file come before those of the files that it includes."""
    found: list[_Section] = []
    for source, document in reversed(files):
        value = document.get(_DEVICE)
        if not isinstance(value, list):
            continue
        for number, table in enumerate(cast("list[Any]", value), 1):
            inside = replace(source, within=(_DEVICE,), number=number)
            if len(found) == MOST_SECTIONS:
                inside.wrong((), "", f"is one more than {MOST_SECTIONS} sections")
            found.append(_section(inside, table, opener))
    return found


def _section(source: Source, table: Any, opener: _Files) -> _Section:
    match, tables = read_section(source, table, (_INCLUDE, _IGNORE))
    leave_alone = tables.get(_IGNORE, False)
    if not isinstance(leave_alone, bool):
        source.wrong((), _IGNORE, f"is {shown(leave_alone)}; it takes true or false")
    if leave_alone and not tables.keys().isdisjoint((_INCLUDE, *TABLES)):
        source.wrong((), _IGNORE, "leaves the device alone, and the section has rules for it")
    return _Section(source, match, tables, _included_in(source, tables, opener), leave_alone)


def _included_in(source: Source, tables: Mapping[str, Any], opener: _Files) -> list[_File]:
    """The files that a section includes, and those that these include: they have no sections."""
    files = opener.included(source, tables, (source.path,))
    for inside, document in files:
        if _DEFAULT in document or isinstance(document.get(_DEVICE), list):
            name = f"[{_DEFAULT}]" if _DEFAULT in document else f"[[{_DEVICE}]]"
            source.wrong((), _INCLUDE, f"names {inside.path}, which has {name}: sections hold none")
    _check_devices(files)
    return files


def _defaults(files: list[_File], opener: _Files) -> list[_Section]:
    found: list[_Section] = []
    for source, document in files:
        if _DEFAULT not in document:
            continue
        inside, value = replace(source, within=(_DEFAULT,)), document[_DEFAULT]
        if not isinstance(value, dict):
            inside.wrong((), "", f"is {shown(value)}; it takes a table")
        tables = cast(dict[str, Any], value)
        only(inside, tables, (_INCLUDE, *TABLES))
        own = _included_in(inside, tables, opener)
        found.append(_Section(inside, Match(), tables, own, False))
    return found


def _over(common: Fragment, sections: list[_Section]) -> Rules:
    """Those of the sections, which are for the same devices, over what is common to all."""
    source, match = sections[-1].source, sections[-1].match
    if sections[-1].leave_alone:
        return Rules(source.label, match, {BASE: {}}, leave_alone=True)
    tables = [
        table for each in sections for table in (*each.files, _File(each.source, dict(each.tables)))
    ]
    layers = list(common.stands)
    layers += [name for where, table in tables for name in layer_names(where, table)]
    own = [read_fragment(where, table, layers) for where, table in tables]
    optional = common.sources().difference(*(each.sources() for each in own))
    return overlaid(source, [common, *own]).rules(match, source.label, optional)
