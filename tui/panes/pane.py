"""What each pane of the screen is: widgets that show the moment of a timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Container

from tui.owner import owner
from tui.timeline import Timeline
from tui.widgets.drawn import Drawn

if TYPE_CHECKING:
    from tui.app import TopApp


class Pane(Container):
    """Shown one at a time; only the one in sight is given what is new."""

    @property
    def top(self) -> TopApp:
        return owner(self)

    def present(self, timeline: Timeline) -> None:
        """Show the moment: every drawn widget, and what else a pane has."""
        for each in self.query(Drawn):
            each.show(timeline)

    def leave(self) -> None:
        """Called when another pane comes into sight."""

    def take_focus(self) -> None:
        """Called when the pane comes into sight."""
        for each in self.query("Grid"):
            each.focus()
            return
