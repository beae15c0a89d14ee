"""HID devices."""

from tui.panes.pane import Pane
from tui.widgets.grid import Column, Grid


class Devices(Pane):
    def compose(self):
        yield Grid((Column("DEVICE", 0),), id="devices")
