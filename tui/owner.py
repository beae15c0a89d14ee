"""The one way from a widget to the program that it is part of, with its type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from textual.dom import DOMNode

if TYPE_CHECKING:
    from tui.app import TopApp


def owner(node: DOMNode) -> TopApp:
    """The program that ``node`` is part of."""
    app: Any = node.app  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType]
    return cast("TopApp", app)
