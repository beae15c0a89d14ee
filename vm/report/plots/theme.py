"""Colours and signs of subjects, and how a drawing's colours become those of the page.

matplotlib wants colours when it draws, and the page chooses them when it is read, light or dark. So
each role is drawn in a colour that nothing else has, and the finished SVG names the role's CSS
variable in its place.

The palette was searched for: six hues, each with a lightness for white and one for near black,
whose smallest distance (CIE Lab) from each other and from the baseline's grey is greatest, as seen
with all cones and without one kind of them (Machado, Oliveira and Fernandes, IEEE TVCG 15, 2009).
Dashes and markers tell the same apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from vm.report.blocks import BEFORE

#: Role → (on light, on dark). ``series-0`` is the baseline.
COLOURS: Mapping[str, tuple[str, str]] = {
    "page": ("#ffffff", "#12161d"),
    "panel": ("#f6f7f9", "#1a2029"),
    "ink": ("#1b1f27", "#e8eaef"),
    "muted": ("#5a6170", "#a3abba"),
    "grid": ("#dfe2e8", "#2d3542"),
    "line": ("#c3c8d2", "#434d5d"),
    "accent": ("#3f44c9", "#9fa5ff"),
    "series-0": ("#464a54", "#c8ccd4"),
    "series-1": ("#6569ee", "#5c61d8"),
    "series-2": ("#a18b13", "#e7cc4b"),
    "series-3": ("#7a0487", "#e38ced"),
    "series-4": ("#65a064", "#81c480"),
    "series-5": ("#84380e", "#c55f2c"),
    "series-6": ("#c26ca9", "#b05897"),
    "better-1": ("#dbe7fb", "#1d3350"),
    "better-2": ("#a5c5f3", "#24517f"),
    "better-3": ("#386fb9", "#5fa0e6"),
    "worse-1": ("#fdead2", "#43301a"),
    "worse-2": ("#f7c58a", "#7a4c12"),
    "worse-3": ("#b4560f", "#eb974a"),
    "same": ("#eceef2", "#252c37"),
    "on-1": ("#1b1f27", "#e8eaef"),
    "on-2": ("#1b1f27", "#ffffff"),
    "on-3": ("#ffffff", "#12161d"),
}

#: How many hues there are besides the baseline's; then they come again, with other dashes.
HUES = 6

_DASHES: tuple[tuple[float, ...], ...] = ((), (5, 2), (1.5, 1.5), (6, 2, 1.5, 2))
_EARLIER = (2.5, 1.5)
_MARKERS = "osD^vP*X<>"


def drawn(role: str) -> str:
    """The colour to draw ``role`` in: one that no other thing has."""
    return _DRAWN[role]


def roles() -> Mapping[str, str]:
    """Drawn colour → role."""
    return {colour: role for role, colour in _DRAWN.items()}


_DRAWN = {role: f"#01f{number:02x}e" for number, role in enumerate(COLOURS)}


@dataclass(frozen=True)
class Look:
    """How one subject is drawn everywhere on a page."""

    role: str
    dashes: tuple[float, ...]
    marker: str

    @property
    def colour(self) -> str:
        return drawn(self.role)

    @property
    def line_style(self) -> tuple[float, tuple[float, ...]] | str:
        """As matplotlib takes it."""
        return (0, self.dashes) if self.dashes else "solid"


def looks(subjects: Iterable[str], baseline: str = "") -> dict[str, Look]:
    """A look for each subject; the baseline, if it is among them, has that of the baseline.

    What was before has the colour of what is now, and dashes.
    """
    found: dict[str, Look] = {}
    number = 0
    names = dict.fromkeys(subjects)
    earlier = {name: now for name in names if (now := name.replace(BEFORE, "", 1)) != name}
    for subject in names:
        if earlier.get(subject) in names:
            continue
        if subject == baseline:
            found[subject] = Look("series-0", (), _MARKERS[0])
            continue
        found[subject] = look(number)
        number += 1
    return {
        name: found[name] if name in found else replace(found[earlier[name]], dashes=_EARLIER)
        for name in names
    }


def look(number: int) -> Look:
    """The look of the ``number``-th thing that is no baseline, from 0."""
    return Look(
        f"series-{1 + number % HUES}",
        _DASHES[number // HUES % len(_DASHES)],
        _MARKERS[(number + 1) % len(_MARKERS)],
    )


def clipped(text: str, length: int) -> str:
    """``text`` for a place with room for ``length`` characters, and of one line."""
    plain = printable(text)
    return plain if len(plain) <= length else plain[: length - 1] + "…"


def folded(subject: str, room: int) -> str:
    """A subject in two lines if one is too short: scheduler, and its knobs below."""
    if len(subject) <= room or ":" not in subject:
        return clipped(subject, room)
    name, knobs = subject.split(":", 1)
    return f"{clipped(name, room)}\n{clipped(knobs, room)}"


def printable(text: str) -> str:
    """``text`` without what is no character to be seen: XML and HTML have no place for it."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def variables(at: int) -> Sequence[str]:
    """CSS declarations of all roles, on light (0) or dark (1)."""
    return [f"--{role}: {colours[at]};" for role, colours in COLOURS.items()]
