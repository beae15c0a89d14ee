"""The program: panes, keys, and the way from a snapshot to what is seen."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import ContentSwitcher

from pyloader.errors import ScxhidError
from tui import keys
from tui.asking import Ask, Confirm, Reading
from tui.bindings import bindings
from tui.controls import Controls
from tui.feed import Arrived, Ended, Feed, Source
from tui.palette import THEMES, Palette, palette
from tui.panes.devices import Devices
from tui.panes.knobs import Knobs
from tui.panes.overview import Overview
from tui.panes.pane import Pane
from tui.panes.schedulers import Schedulers
from tui.panes.statistics import Statistics
from tui.panes.tasks import Tasks
from tui.sources import Replay
from tui.timeline import Timeline
from tui.widgets.clickable import Keys, Panes
from tui.widgets.drawn import Drawn
from tui.widgets.grid import Grid
from tui.widgets.header import Header
from tui.widgets.inputs import NOT_MEASURED

PANES: dict[str, type[Pane]] = {
    "Overview": Overview,
    "Schedulers": Schedulers,
    "Knobs": Knobs,
    "Devices": Devices,
    "Statistics": Statistics,
    "Tasks": Tasks,
}
#: Snapshots before the one that was jumped to, for what is drawn over time.
_REFILLED = 200
_INPUT_FIRST = (
    "Whoever reads a key or a mouse, and whom that wakes, runs before others for a moment."
)
INTERVALS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class TopApp(App[None]):
    """``scxhid top``. What it shows comes from ``source``, what it changes goes to ``controls``."""

    TITLE = "scxhid top"
    CSS_PATH = "top.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (34, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = bindings(tuple(PANES))

    def __init__(
        self,
        source: Source,
        controls: Controls,
        *,
        interval: float = 1.0,
        clock: Callable[[], float] = time.time,
        keymap: dict[str, str] | None = None,
        theme: str | None = None,
        pane: str = "overview",
    ) -> None:
        super().__init__()
        self.controls = controls
        self.timeline = Timeline()
        self.has_ended = False
        self._clock = clock
        self._pane = pane
        self._keymap_wanted = keymap or {}
        self._feed = Feed(self, source, interval)
        for each in THEMES:
            self.register_theme(each)
        self.theme = theme or "scxhid"
        self.animation_level = "none"  # what moves by itself would be painted again and again
        self._palette: Palette | None = None

    # --- what widgets ask ---

    @property
    def palette(self) -> Palette:
        if self._palette is None:
            self._palette = palette(self.theme_variables, not self.no_color)
        return self._palette

    @property
    def interval(self) -> float:
        return self._feed.interval

    @property
    def arrived(self) -> int:
        """Snapshots until now."""
        return self._feed.arrived

    @property
    def source_note(self) -> str:
        """What the source says of itself: that it is a recording, or is being recorded."""
        return getattr(self._feed.source, "note", "")

    @property
    def pane(self) -> Pane:
        return self.query_one(f"#pane-{self._pane}", Pane)

    # --- structure ---

    def compose(self) -> ComposeResult:
        yield Header(id="header")
        yield Panes(tuple(PANES), self._pane)
        with ContentSwitcher(initial=f"pane-{self._pane}", id="panes"):
            for name, kind in PANES.items():
                pane = kind()
                pane.id = f"pane-{name.lower()}"
                yield pane
        yield Keys()

    def on_mount(self) -> None:
        unknown = keys.apply(self, self._keymap_wanted)
        if unknown:
            self.notify(f"no key is called {', '.join(unknown)}", severity="warning")
        self.theme_changed_signal.subscribe(self, lambda _: self._recolour())
        # What is there by now stays: without it a collection goes through all of it again.
        gc.collect()
        gc.freeze()
        self.call_after_refresh(self._focus_pane)
        self._feed.start()

    def on_unmount(self) -> None:
        self._feed.stop()

    def _recolour(self) -> None:
        self._palette = None
        for each in self.query(Drawn):
            each.redraw()
        self.present()

    # --- data ---

    def on_arrived(self, event: Arrived) -> None:
        self._feed.arrived += 1
        self.timeline.add(event.snapshot)
        if self.timeline.is_live:
            self.present()

    def on_ended(self, event: Ended) -> None:
        self.has_ended = True
        if event.why:
            self.notify(f"nothing more is measured: {event.why}", severity="error", timeout=30)
        self.present()

    def present(self) -> None:
        """Show the moment in the header and in the pane that is in sight."""
        if not self.is_running or self.timeline.shown is None:
            return
        self.query_one(Header).show(self.timeline)
        self.pane.present(self.timeline)

    # --- panes ---

    def action_go(self, name: str) -> None:
        if name.lower() == self._pane:
            return
        self.pane.leave()
        self._pane = name.lower()
        self.query_one(Panes).choose(self._pane)
        self.query_one("#panes", ContentSwitcher).current = f"pane-{self._pane}"
        self.present()  # what it shows is drawn with its first layout
        self.call_after_refresh(self._focus_pane)

    def on_panes_clicked(self, event: Panes.Clicked) -> None:
        self.action_go(event.name)

    def _focus_pane(self) -> None:
        self.pane.take_focus()

    # --- time ---

    def action_pause(self) -> None:
        if self.timeline.is_live:
            self._pause()
        else:
            self._resume()
        self.present()

    def action_live(self) -> None:
        self._resume()
        self.present()

    def _pause(self) -> None:
        self.timeline.pause()
        if self.replay:
            self._feed.hold(True)

    def _resume(self) -> None:
        self.timeline.resume()
        self._feed.hold(False)

    @property
    def replay(self) -> Replay | None:
        source = self._feed.source
        return source if isinstance(source, Replay) else None

    def action_jump(self, seconds: int) -> None:
        """Within what is kept; in a recording anywhere."""
        shown = self.timeline.shown
        if shown is None:
            return
        self._pause()
        if not self.timeline.jump(seconds):
            if self.replay:
                self.timeline.refill(self.replay.seek(shown.snapshot.at + seconds, _REFILLED))
                self.timeline.pause()
            else:
                self.timeline.step(-len(self.timeline) if seconds < 0 else len(self.timeline))
        self.present()

    def action_step(self, by: int) -> None:
        self._pause()
        self.timeline.step(by)
        self.present()

    def action_mark(self, forward: bool) -> None:
        self._pause()
        if not self.timeline.to_mark(forward):
            self.notify("nothing was changed there")
        self.present()

    def action_faster(self) -> None:
        self._set_interval(max((i for i in INTERVALS if i < self.interval), default=INTERVALS[0]))

    def action_slower(self) -> None:
        self._set_interval(min((i for i in INTERVALS if i > self.interval), default=INTERVALS[-1]))

    def _set_interval(self, seconds: float) -> None:
        self._feed.interval = seconds
        self.present()

    def choose_task(self, pid: int | None) -> None:
        """Measure the waits of this task by themselves, from the next snapshot on."""
        self._feed.source.choose(pid)

    def tap(self, device: str | None, masked: bool) -> None:
        """Read this device's reports, from the next snapshot on."""
        self._feed.source.tap(device, masked)

    # --- changes ---

    def change(
        self,
        what: str,
        do: Callable[[], str],
        failed: Callable[[], None] | None = None,
        quiet: bool = False,
    ) -> None:
        """Do it in a thread of its own; what it says, or why it failed, is told."""

        def work() -> None:
            try:
                said = do()
            except (ScxhidError, OSError) as error:
                self.call_from_thread(self._failed, what, str(error), failed)
                return
            except Exception as error:  # a thread that dies alone would tell nobody
                said = f"{type(error).__name__}: {error}"
                self.call_from_thread(self._failed, what, said, failed)
                return
            if not quiet:
                self.call_from_thread(self.notify, said)

        self.run_worker(work, thread=True, group="change", exit_on_error=False)

    def _failed(self, what: str, why: str, then: Callable[[], None] | None) -> None:
        self.notify(why, title=what, severity="error", timeout=15)
        if then:
            then()

    def action_swap_back(self) -> None:
        entry = self.timeline.shown
        previous = entry.snapshot.scheduler.previous if entry else None
        if not previous:
            self.notify("there is no previous scheduler")
            return
        self._asked(
            f"Go back to {previous}?", f"going back to {previous}", lambda: self.controls.back()
        )

    def action_stop(self) -> None:
        entry = self.timeline.shown
        if entry is None or entry.snapshot.scheduler.name is None:
            self.notify("the kernel's own scheduler runs already")
            return
        name = entry.snapshot.scheduler.name
        self._asked(
            f"Take {name} off, so that the kernel's own runs?",
            f"taking {name} off",
            lambda: self.controls.stop(),
        )

    def action_input_first(self) -> None:
        """On, or off if it is on now: at whatever moment one looks."""
        newest = self.timeline.newest
        state = newest.snapshot.input_first if newest else None
        on = not (state and state.is_on)
        self._asked(
            "Switch input first on?" if on else "Switch input first off?",
            f"switching input first {'on' if on else 'off'}",
            lambda: self.controls.input_first(on),
            _INPUT_FIRST if on else "",
        )

    def _asked(self, question: str, what: str, do: Callable[[], str], more: str = "") -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self.change(what, do)

        self.push_screen(Confirm(question, more), answered)

    # --- the rest ---

    def action_filter(self) -> None:
        focused = self.focused
        grid = focused if isinstance(focused, Grid) else next(iter(self.pane.query(Grid)), None)
        if grid is None:
            self.notify("there is nothing to filter here")
            return

        def answered(text: str | None) -> None:
            if text is not None:
                grid.look_for(text)

        self.push_screen(Ask("Only rows with", grid.filter, "empty shows all"), answered)

    def action_missing(self) -> None:
        entry = self.timeline.shown
        missing = entry.snapshot.missing if entry else ()
        lines = [f"• {each}" for each in (*missing, NOT_MEASURED)]
        self.push_screen(Reading("what is not measured", "\n\n".join(lines)))

    def action_picture(self) -> None:
        name = time.strftime("scxhid-top-%Y%m%d-%H%M%S.svg", time.localtime(self._clock()))
        try:
            path = self.save_screenshot(name)
        except OSError as error:
            self.notify(f"{name} cannot be written: {error.strerror}", severity="error")
            return
        self.notify(f"{Path(path).resolve()} shows this screen")

    def action_keys(self) -> None:
        if self.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette: every action that has a key, every scheduler, and Textual's own."""
        yield from super().get_system_commands(screen)  # pyright: ignore[reportUnknownMemberType]
        for _, binding, _enabled, tooltip in screen.active_bindings.values():
            about = f"key {binding.key}" + (f": {tooltip}" if tooltip else "")
            yield SystemCommand(binding.description, about, keys.runner(self, binding.action))
        for each in self.query_one(Schedulers).library:
            yield SystemCommand(
                f"Swap to {each.name}",
                each.about,
                keys.runner(self, f"app.use('{each.name}')"),
            )

    def action_use(self, name: str) -> None:
        self._asked(f"Swap to {name}?", f"swapping to {name}", lambda: self.controls.use(name))
