"""The first pane: CPUs, waits of tasks, input latency, the way of an event, the last minutes."""

from __future__ import annotations

from textual.app import ComposeResult

from tui.panes.pane import Pane
from tui.timeline import Timeline
from tui.widgets.chain import Waterfall
from tui.widgets.cpus import Cpus
from tui.widgets.heat import Heat
from tui.widgets.inputs import Inputs
from tui.widgets.latency import Latency

_MANY = 48  # CPUs that want the whole width of a narrow screen


class Overview(Pane):
    def compose(self) -> ComposeResult:
        yield Cpus(id="cpus", classes="box")
        yield Latency(id="latency", classes="box")
        yield Inputs(id="inputs", classes="box")
        yield Waterfall(id="chain", classes="box")
        yield Heat(id="heat", classes="box")

    def present(self, timeline: Timeline) -> None:
        entry = timeline.shown
        self.set_class(entry is not None and len(entry.snapshot.cpus) > _MANY, "-many")
        state = entry.snapshot.input_first if entry else None
        self.set_class(state is not None and state.is_on, "-input-first")
        super().present(timeline)

    def take_focus(self) -> None:
        self.screen.set_focus(None)
