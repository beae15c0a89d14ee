"""The HID devices: what is on them, and what they send, before our programs and after them."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from pyloader.hid.device import NO_HID
from pyloader.hid.live import LiveReport
from pyloader.view.devices import DeviceState
from tui.asking import Ask, Confirm
from tui.panes.pane import Pane
from tui.timeline import Entry, Timeline
from tui.widgets.chain import Waterfall
from tui.widgets.grid import Column, Grid, Row

_KEPT, _LOOKED_AT = 200, 600  # reports, and snapshots that they are taken from


class Devices(Pane):
    """The device at the cursor is read while the pane is in sight; keys are masked unless asked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mask", "Unmask", id="devices.mask"),
        Binding("e", "edit", "Edit", id="devices.edit"),
        Binding("a", "apply", "Apply", id="devices.apply"),
        Binding("D", "detach", "Take off", id="devices.detach"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._states: dict[str, DeviceState] = {}
        self._why_none = ""
        self._masked = True
        self._of: str | None = None

    def compose(self) -> ComposeResult:
        grid = Grid(
            (
                Column("DEVICE", 0, descending=False),
                Column("KIND", 16, descending=False),
                Column("PROGRAMS", 9, right=True),
                Column("ID", 20, sorts=False),
            ),
            id="devices-grid",
            empty="there is no HID device",
        )
        grid.border_title = "HID devices"
        yield grid
        with VerticalScroll(id="device", classes="box", can_focus=False):
            yield Static(id="device-prose")
        yield Waterfall(id="device-chain", classes="box")
        reports = Grid(
            (
                Column("TIME", 12, sorts=False),
                Column("WHAT", 0, sorts=False),
                Column("BEFORE", 26, sorts=False),
                Column("AFTER", 26, sorts=False),
            ),
            id="device-reports",
            empty="nothing was sent yet",
        )
        reports.border_title = "reports"
        yield reports

    def present(self, timeline: Timeline) -> None:
        super().present(timeline)
        entry = timeline.shown
        if entry is None:
            return
        seen = entry.snapshot
        self.set_class(seen.input_first is not None and seen.input_first.is_on, "-input-first")
        found = seen.hid or ()
        self._why_none = NO_HID if seen.hid is None else ""
        self._states = {state.sysname: state for state in found}
        pal = self.top.palette
        rows: list[Row] = []
        for state in found:
            kinds = ", ".join(state.kinds) or "–"
            on = "–" if state.programs is None else str(len(state.programs))
            style = pal.mark if state.programs else pal.text
            cells = ((state.name, style), (kinds, pal.muted), on, (state.sysname, pal.muted))
            values = (state.name, kinds, len(state.programs or ()), "")
            rows.append(Row(state.sysname, cells, values, f"{state.name} {kinds} {state.sysname}"))
        self.query_one("#devices-grid", Grid).fill(rows)
        self._follow()
        self._show_reports(timeline)
        self._tell()

    def leave(self) -> None:
        """Nobody looks: nothing is read."""
        self.top.tap(None, True)
        self._of = None

    # --- the device at the cursor ---

    @property
    def _state(self) -> DeviceState | None:
        return self._states.get(self.query_one("#devices-grid", Grid).key or "")

    def _follow(self) -> None:
        state = self._state
        if state and state.sysname != self._of:
            self._of = state.sysname
            self.top.tap(self._of, self._masked)
            self.query_one(Waterfall).follow(self._of)

    def on_grid_moved(self, event: Grid.Moved) -> None:
        if event.grid.id == "devices-grid":
            self._follow()
            self._tell()

    def _show_reports(self, timeline: Timeline) -> None:
        entries = timeline.up_to_shown(_LOOKED_AT)
        tapped = entries[-1].snapshot.tapped
        grid = self.query_one("#device-reports", Grid)
        state = self._state
        if tapped is None or state is None or tapped.device != state.sysname:
            grid.fill([])
            return
        is_masked = self._masked or tapped.is_masked
        masked = "keys are masked (m shows them)" if is_masked else "keys are shown"
        left = f" · {tapped.left_out} left out" if tapped.left_out else ""
        grid.border_title = f"reports of {state.name} · {masked}{left}"
        if tapped.why_not:
            grid.border_title = f"reports of {state.name} cannot be read: {tapped.why_not}"
        reports = self._until(entries, state.sysname)
        grid.fill([self._report_row(each, tapped.clock) for each in reversed(reports)])

    def _until(self, entries: Sequence[Entry], device: str) -> list[LiveReport]:
        """The last reports of the device up to the moment that is shown, oldest first. Keys that
        were shown a while ago are not shown again when they are masked now."""
        found: list[LiveReport] = []
        for entry in reversed(entries):
            tapped = entry.snapshot.tapped
            if tapped is None or tapped.device != device or len(found) >= _KEPT:
                break
            if self._masked and not tapped.is_masked:
                break
            found = [*tapped.reports, *found]
        return found[-_KEPT:]

    def _report_row(self, report: LiveReport, clock: float) -> Row:
        pal = self.top.palette
        at = report.at_ns / 1e9 + clock
        shown = time.strftime("%H:%M:%S", time.localtime(at)) + f".{int(at * 1000 % 1000):03}"
        words: list[str] = []
        for name, before, after in report.fields:
            if before == after or after is None:
                words.append(f"{name} {before}")
            elif before is None:
                words.append(f"{name} → {after}")
            else:
                words.append(f"{name} {before}→{after}")
        changed = report.before != report.after
        return Row(
            str(report.at_ns),
            (
                (shown, pal.muted),
                "  ".join(words) or "nothing pressed",
                (_bytes(report.before, report.is_masked), pal.muted),
                (_bytes(report.after, report.is_masked), pal.mark if changed else pal.muted),
            ),
        )

    def _tell(self) -> None:
        state, pal = self._state, self.top.palette
        if state is None:
            self.query_one("#device-prose", Static).update(Text(self._why_none, pal.middling))
            return
        self.query_one("#device").border_title = state.name
        said = Text()
        said.append(f"{state.ids} on {state.bus}: {', '.join(state.kinds) or 'of no kind'}\n")
        for each in state.programs or ():
            said.append(f"● {each.name}", pal.mark)
            tool = f" by {each.tool}" if each.tool else ""
            said.append(tool, pal.muted)
            for knob, value in each.knobs_changed.items():
                said.append(f" {knob}={value}", pal.middling)
            said.append("\n")
        if state.programs == ():
            said.append("no program is on it: a applies a remap file\n", pal.muted)
        rules = state.rules
        if rules:
            edited = " (edited since: a applies it again)" if rules.is_edited else ""
            said.append(f"\nrules of {rules.path}{edited}\n", pal.strong)
            if rules.is_bypassed:
                said.append("switched off by the panic chord\n", pal.bad)
            for line in rules.lines:
                said.append(f"  {line.layer} ", pal.muted)
                said.append(f"{line.key} ", pal.text)
                said.append(f"{line.does}\n", pal.good)
            for name, scale in rules.scales:
                said.append(f"  {name} times {scale:g}\n", pal.good)
        for sentence in state.missing:
            said.append(f"{sentence}\n", pal.middling)
        self.query_one("#device-prose", Static).update(said)

    # --- what keys do ---

    def action_mask(self) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._set_masked(False)

        if not self._masked:
            self._set_masked(True)
        elif self.top.source_note:
            self.top.notify("what is recorded stays masked")
        else:
            more = "Everybody who sees this screen reads what is typed, passwords too."
            self.top.push_screen(Confirm("Show the keys of this device?", more), answered)

    def _set_masked(self, masked: bool) -> None:
        self._masked = masked
        self.top.tap(self._of, masked)
        self.top.present()  # what was typed goes at once, at a moment gone by as well

    def action_edit(self) -> None:
        """The file of the rules in an editor; what is saved is applied."""
        state = self._state
        if state is None or state.rules is None:
            self.top.notify("no rules are on this device: a applies a file")
            return
        path, device = state.rules.file, state.sysname
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        try:
            before = os.stat(path).st_mtime_ns
            command = [*shlex.split(editor), path]
            with self.top.suspend():
                status = _run(command)
            after = os.stat(path).st_mtime_ns
        except (OSError, ValueError, SuspendNotSupported) as error:
            self.top.notify(f"{path} cannot be edited: {error}", severity="error")
            return
        if status:
            said = f"the editor {status}, so {path} is not applied ({editor})"
            self.top.notify(said, severity="warning")
        elif after != before:
            self._apply(device, path)

    def action_apply(self) -> None:
        state = self._state
        if state is None:
            return

        def answered(path: str | None) -> None:
            if path:
                self._apply(state.sysname, path)

        known = state.rules.file if state.rules else ""
        more = "a file in TOML, or the name of a keymap that comes with scxhid"
        self.top.push_screen(Ask(f"Rules for {state.name}", known, more), answered)

    def _apply(self, device: str, path: str) -> None:
        self.top.change(f"applying {path}", lambda: self.top.controls.remap(device, path))

    def action_detach(self) -> None:
        state = self._state
        if state is None or not state.programs:
            self.top.notify("no program is on this device")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.top.change("taking off", lambda: self.top.controls.detach(state.sysname))

        names = ", ".join(each.name for each in state.programs)
        self.top.push_screen(Confirm(f"Take {names} off {state.name}?"), answered)


def _run(command: Sequence[str]) -> str:
    """Run it, and say why it failed. Nothing is raised: the screen would not come back then.

    Ctrl-C is the editor's alone. It is caught, not ignored: what is ignored stays so in the editor.
    """
    keys = (signal.SIGINT, signal.SIGQUIT)
    before = [signal.signal(key, _nothing) for key in keys]
    try:
        status = subprocess.run(command, check=False).returncode
    except OSError as error:
        return f"cannot be run ({error.strerror})"
    finally:
        for key, handler in zip(keys, before, strict=True):
            signal.signal(key, handler)
    return f"ended with status {status}" if status else ""


def _nothing(number: int, frame: object) -> None:
    """Of a signal that is somebody else's."""


def _bytes(data: bytes | None, masked: bool) -> str:
    if data is None:
        return "masked" if masked else "–"
    return data.hex(" ")
