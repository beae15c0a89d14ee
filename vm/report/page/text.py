"""Text from files as HTML: it can show anything, and do nothing."""

from __future__ import annotations

import html

from vm.report.plots.theme import printable


def escaped(text: object) -> str:
    """``text`` for between tags and for quoted attributes."""
    return html.escape(printable(str(text)), quote=True)


def tag(name: str, content: str, **attributes: object) -> str:
    """An element around ``content``, which is HTML; attributes are text. ``class_`` means class."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return f"<{name}{given}>{content}</{name}>"
