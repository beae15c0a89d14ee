"""A drawing as SVG inside a page: without fixed colours, fixed size, or a word of its own."""

from __future__ import annotations

import io
import re
import warnings
from typing import Any
from xml.etree import ElementTree

from vm.report.plots.library import matplotlib
from vm.report.plots.theme import printable, roles

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_NAMED = "named:"
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_FONT = re.compile(r"font(-family)?: [^;]*")
_SIZE = re.compile(r"([\d.]+)px")


def svg(figure: Any, key: str, title: str, description: str) -> str:
    """The SVG of a matplotlib figure, to be put into HTML.

    ``key`` makes its ids different from those of all others on the page. ``title`` and
    ``description`` are what a screen reader says.
    """
    root = ElementTree.fromstring(_drawn(figure))
    _strip(root)
    _entitle(root)
    _rename(root, key)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        element.tail = None
        if element.text and not element.text.strip():
            element.text = None
        for name, value in list(element.attrib.items()):
            element.set(name, _rounded(_coloured(value) if name != "href" else value))
    named = ElementTree.Element("title", {"id": f"{key}-title"})
    named.text = printable(title)
    described = ElementTree.Element("desc", {"id": f"{key}-desc"})
    described.text = printable(description)
    root.insert(0, described)
    root.insert(0, named)
    box = root.get("viewBox", "")
    root.attrib.clear()
    root.set("viewBox", box)
    # Its text has the size that was drawn, on however wide a page.
    root.set("style", f"max-width: {float(box.split()[2]):g}px")
    root.set("role", "img")
    root.set("aria-labelledby", f"{key}-title {key}-desc")
    return ElementTree.tostring(root, encoding="unicode")


def named(artist: Any, text: str) -> None:
    """Let what matplotlib drew say ``text`` to whoever points at it."""
    artist.set_gid(_NAMED + printable(text))


def _entitle(root: ElementTree.Element) -> None:
    """Turn the marks of ``named`` into titles."""
    for element in root.iter():
        text = element.get("id", "")
        if text.startswith(_NAMED):
            del element.attrib["id"]
            title = ElementTree.Element(f"{_SVG}title")
            title.text = text.removeprefix(_NAMED)
            element.insert(0, title)


def _drawn(figure: Any) -> bytes:
    """What matplotlib writes: text as text, the same bytes for the same figure."""
    canvas = matplotlib("backends.backend_svg").FigureCanvasSVG(figure)
    file = io.BytesIO()
    settings = {"svg.fonttype": "none", "svg.hashsalt": "scxhid", "text.parse_math": False}
    with matplotlib().rc_context(settings), warnings.catch_warnings():
        # The page's fonts have signs that matplotlib's own, by which it measures, has not.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        canvas.print_svg(file, metadata={"Date": None})
    return file.getvalue()


def _strip(root: ElementTree.Element) -> None:
    """Take out what is said about the file itself; the page says it."""
    for parent in root.iter():
        for child in list(parent):
            is_empty = child.tag == f"{_SVG}defs" and not len(child)
            if is_empty or child.tag in (f"{_SVG}metadata", f"{_SVG}style"):
                parent.remove(child)


def _rename(root: ElementTree.Element, key: str) -> None:
    """Keep those ids that something refers to, under names that only this drawing has."""
    text = ElementTree.tostring(root, encoding="unicode")
    used = set(re.findall(r'href="#([^"]+)"', text)) | set(re.findall(r"url\(#([^)]+)\)", text))
    names = {name: f"{key}-{number}" for number, name in enumerate(sorted(used))}
    for element in root.iter():
        name = element.attrib.pop("id", None)
        if name in names:
            element.set("id", names[name])
        link = element.attrib.pop(_LINK, None)
        if link:
            element.set("href", "#" + names[link[1:]])
        clip = element.get("clip-path", "")
        if clip:
            element.set("clip-path", f"url(#{names[clip[5:-1]]})")


def _coloured(value: str) -> str:
    known = roles()
    value = _COLOUR.sub(lambda m: f"var(--{known[m[0]]})" if m[0] in known else m[0], value)
    # The page's font, in the size that was drawn.
    return _FONT.sub(_font, value)


def _font(match: re.Match[str]) -> str:
    size = _SIZE.search(match[0])
    return f"font-size: {size[1]}px" if size else ""


def _rounded(value: str) -> str:
    short = _NUMBER.sub(lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), value)
    return " ".join(short.split())
