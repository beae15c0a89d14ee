"""Kernels in a Debian package index.

The shape changed with 6.19: before, ``linux-image-<version>`` carries all; since, it is a shell
around ``linux-binary-`` (image), ``linux-modules-`` and, later, ``linux-base-`` (configuration and
lists of what is built in).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from vm.versions import order, series

_KERNEL = re.compile(r"linux-(image|binary|modules|base)-(\d\S*-amd64)")
_OTHER_FLAVOUR = re.compile(r"-(cloud|rt)-amd64$")


@dataclass(frozen=True)
class Package:
    """One package of the index; sizes in bytes."""

    name: str
    version: str
    size: int
    installed_size: int


@dataclass(frozen=True)
class Offer:
    """A kernel that the archive has: its release and the packages to unpack for it."""

    version: str
    packages: tuple[Package, ...]

    @property
    def series(self) -> str:
        return series(self.version)

    @property
    def download_bytes(self) -> int:
        return sum(package.size for package in self.packages)

    @property
    def unpacked_bytes(self) -> int:
        return sum(package.installed_size for package in self.packages)

    def to_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "packages": [
                [package.name, package.version, package.size, package.installed_size]
                for package in self.packages
            ],
        }

    @staticmethod
    def from_json(table: dict[str, Any]) -> Offer:
        return Offer(table["version"], tuple(Package(*row) for row in table["packages"]))


def stanzas(text: str) -> Iterator[dict[str, str]]:
    """The stanzas of a ``Packages`` file as tables of fields; continuation lines are dropped."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip():
            if fields:
                yield fields
            fields = {}
        elif line[0] not in " \t":
            name, colon, value = line.partition(":")
            if colon:
                fields[name] = value.strip()
    if fields:
        yield fields


def offers(text: str) -> list[Offer]:
    """All generic amd64 kernels of an index, oldest first; incomplete ones are left out."""
    parts: dict[str, dict[str, Package]] = {}
    for fields in stanzas(text):
        found = _KERNEL.fullmatch(fields.get("Package", ""))
        if found is None or _OTHER_FLAVOUR.search(found[2]):
            continue
        package = Package(
            found[0],
            fields.get("Version", ""),
            _number(fields.get("Size")),
            _number(fields.get("Installed-Size")) * 1024,
        )
        parts.setdefault(found[2], {})[found[1]] = package
    return sorted(_complete(parts), key=lambda offer: order(offer.version))


def _complete(parts: dict[str, dict[str, Package]]) -> Iterator[Offer]:
    for version, by_part in parts.items():
        if "binary" in by_part and "modules" in by_part:
            names: Iterable[str] = ("binary", "modules", "base")
        elif "image" in by_part and by_part["image"].size > 1_000_000:
            names = ("image",)
        else:
            continue
        yield Offer(version, tuple(by_part[name] for name in names if name in by_part))


def newest(kernels: Iterable[Offer]) -> list[Offer]:
    """The newest of each series, oldest series first."""
    best: dict[str, Offer] = {}
    for offer in sorted(kernels, key=lambda offer: order(offer.version)):
        best[offer.series] = offer
    return list(best.values())


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0
