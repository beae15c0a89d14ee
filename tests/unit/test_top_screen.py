"""The screen: what keys do, and what is seen then."""

from __future__ import annotations

import pytest

from tests.unit.top_screen import Screen, Steps, drive
from tui.widgets.drawn import Drawn
from tui.widgets.grid import Grid


def test_every_pane_is_one_key_away() -> None:
    async def do(screen: Screen) -> None:
        for key, seen in {
            "2": "library",
            "3": "slice_us",
            "4": "DEVICE",
            "5": "dispatched_local",
            "6": "Xwayland",
            "1": "woken → running, over time",
        }.items():
            await screen.press(key)
            assert seen in screen.text()

    drive(do)


def test_a_scheduler_is_swapped_by_keys_and_confirmed() -> None:
    async def do(screen: Screen) -> None:
        await screen.press("2", "home")
        assert "central" in screen.text()
        await screen.press("enter")
        assert "Swap from interactive to central?" in screen.text()
        await screen.press("n")
        await screen.press("enter", "y")
        await screen.until(lambda: screen.machine.scheduler == "central")
        await screen.more(2)
        assert "scheduler central" in screen.text()
        assert "before: interactive" in screen.text()
        await screen.press("1")
        assert "▾central" in screen.text()

    assert drive(do).done == [("use", "central")]


def test_back_and_the_kernels_own_are_asked_about() -> None:
    async def do(screen: Screen) -> None:
        await screen.press("b")
        assert "Go back to simple?" in screen.text()
        await screen.press("y")
        await screen.until(lambda: screen.machine.scheduler == "simple")
        await screen.more()
        await screen.press("x", "escape", "x", "enter")
        await screen.until(lambda: screen.machine.scheduler is None)
        await screen.more()
        assert "scheduler the kernel's own" in screen.text()

    assert drive(do).done == [("back",), ("stop",)]


def test_a_knob_is_turned_seen_and_undone() -> None:
    async def do(screen: Screen) -> None:
        await screen.press("3", "home", "right")
        await screen.until(lambda: screen.machine.knobs["slice_us"] > 5000)
        now = screen.machine.knobs["slice_us"]
        assert f" {now} " in screen.text()
        await screen.more()
        assert f"slice_us={now}" in screen.lines()[1]
        await screen.press("u")
        await screen.until(lambda: screen.machine.knobs["slice_us"] == 5000)
        await screen.press("u")
        await screen.until(lambda: "nothing to undo" in screen.text())
        await screen.press("1")
        await screen.more()
        assert "▾slice_us=5000" in screen.text()

    drive(do)


def test_a_number_is_typed_and_the_default_comes_back() -> None:
    async def do(screen: Screen) -> None:
        await screen.press("3", "home", "enter")
        assert "100 to 100000 us; default 5000" in screen.text()
        await screen.press(*"2500", "enter")
        await screen.until(lambda: screen.machine.knobs["slice_us"] == 2500)
        await screen.more()
        await screen.press("d")
        await screen.until(lambda: screen.machine.knobs["slice_us"] == 5000)

    assert ("set", "slice_us", "2500") in drive(do).done


def test_a_knob_that_needs_a_swap_does_not_turn_by_a_slip() -> None:
    async def do(screen: Screen) -> None:
        await screen.press("3", "end", "right")
        await screen.until(lambda: "Enter takes its new value" in screen.text())

    assert drive(do).done == []


def test_what_fails_is_told_and_the_knob_stays() -> None:
    from pyloader.errors import BadValue

    async def do(screen: Screen) -> None:
        def refuse(name: str, text: str) -> str:
            raise BadValue(f"{name}={text} is refused")

        screen.app.controls.set_knob = refuse  # type: ignore[method-assign]
        await screen.press("3", "home", "right")
        await screen.until(lambda: "is refused" in screen.text())
        row = next(line for line in screen.lines() if "slice_us" in line and "●" in line)
        assert " 5000 " in row
        await screen.press("u")
        await screen.until(lambda: "nothing to undo" in screen.text())

    drive(do)


def test_time_stands_still_goes_back_and_on() -> None:
    async def do(screen: Screen) -> None:
        await screen.press("space")
        before = screen.text()
        await screen.more(3)
        assert "paused" in screen.text()
        # All that may differ is how far behind it is: nothing is shown of what has come.
        assert before.splitlines()[1:] == screen.text().splitlines()[1:]
        await screen.press("left_square_bracket", "left_square_bracket")
        assert "−5.0 s" in screen.lines()[0]
        await screen.press("right_square_bracket")
        assert "−4.0 s" in screen.lines()[0]
        await screen.press("full_stop")
        assert "paused" not in screen.text()

    drive(do)


def test_one_goes_from_change_to_change() -> None:
    async def do(screen: Screen) -> None:
        screen.machine.knobs["slice_us"] = 7000
        await screen.more()
        screen.machine.scheduler, screen.machine.since = "simple", screen.machine.at
        await screen.more(4)
        await screen.press("left_curly_bracket")
        assert "scheduler simple" in screen.text()
        await screen.press("left_curly_bracket")
        assert "scheduler interactive" in screen.text()
        assert "slice_us=7000" in screen.lines()[1]
        await screen.press("left_curly_bracket")
        await screen.until(lambda: "nothing was changed there" in screen.text())

    drive(do)


def test_the_rate_is_changed_and_shown() -> None:
    async def do(screen: Screen) -> None:
        screen.app._feed.interval = 1.0
        await screen.press("minus")
        assert "every 2 s" in screen.lines()[0]
        await screen.press("plus", "plus")
        assert "every 0.5 s" in screen.lines()[0]

    drive(do)


def test_tasks_are_sorted_filtered_and_chosen() -> None:
    async def do(screen: Screen) -> None:
        await screen.press("6")
        grid = screen.app.pane.query_one(Grid)
        ran = [float(row.values[5]) for row in grid.rows]
        assert ran == sorted(ran, reverse=True)
        await screen.press("s")
        assert "by WAITED ▼" in screen.text()
        await screen.press("r")
        assert "by WAITED ▲" in screen.text()
        await screen.press("slash", *"FIREFOX", "enter")
        assert {row.values[0] for row in grid.rows} == {"firefox"}
        assert "filter “firefox”: 4 of 32" in screen.text()
        await screen.press("enter")
        await screen.until(lambda: screen.machine.chosen)
        await screen.more()
        assert f"({grid.key}), since it was chosen" in screen.text()
        await screen.press("escape")
        assert screen.machine.chosen is None

    drive(do)


def test_the_cursor_stays_with_its_row() -> None:
    async def do(screen: Screen) -> None:
        await screen.press("6", "down", "down", "down")
        grid = screen.app.pane.query_one(Grid)
        key = grid.key
        await screen.more(5)
        assert grid.key == key
        assert grid.rows[grid.index].key == key

    drive(do)


def test_a_click_on_a_heading_sorts_and_on_a_slider_turns() -> None:
    async def do(screen: Screen) -> None:
        await screen.press("6")
        grid = screen.app.pane.query_one(Grid)
        header = next(line for line in screen.lines() if "LONGEST" in line)
        at = screen.lines().index(header)
        await screen.pilot.click(offset=(header.index("LONGEST"), at))
        assert grid.columns[grid.sort_by or 0].title == "LONGEST"
        await screen.pilot.click(offset=(header.index("LONGEST"), at))
        assert not grid.descending
        await screen.press("3")
        line = next(line for line in screen.lines() if "slice_us" in line and "●" in line)
        place = (line.index("●") + 12, screen.lines().index(line))
        await screen.pilot.click(offset=place)
        await screen.until(lambda: screen.machine.knobs["slice_us"] > 5000)

    drive(do)


def test_an_ejection_is_read_with_its_dump() -> None:
    async def do(screen: Screen) -> None:
        await screen.press("2", "tab", "down", "enter")
        assert "central: a runnable task was not run in time" in screen.text()
        assert "hog[812] triggered exit kind 1026" in screen.text()
        await screen.press("escape")
        assert "triggered exit" not in screen.text()

    drive(do)


def test_the_palette_finds_every_action() -> None:
    async def do(screen: Screen) -> None:
        found = {command.title for command in screen.app.get_system_commands(screen.app.screen)}
        assert {"Pause", "Swap back", "Filter", "Swap to central", "Overview"} <= found
        await screen.press("ctrl+p", *"swap to cen")
        await screen.until(lambda: "one CPU decides" in screen.text())
        await screen.press("enter")
        await screen.until(lambda: "Swap to central?" in screen.text())
        await screen.press("y")
        await screen.until(lambda: screen.machine.scheduler == "central")

    drive(do)


@pytest.mark.parametrize("theme", ["scxhid-light", "scxhid-colour-blind", "ansi-dark", "nord"])
def test_themes_change_while_it_runs(theme: str) -> None:
    async def do(screen: Screen) -> None:
        before = screen.app.palette
        screen.app.theme = theme
        await screen.pilot.pause()
        assert screen.app.palette != before
        assert "CPUs" in screen.text()

    drive(do)


def test_without_colours_the_parts_of_a_bar_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def do(screen: Screen) -> None:
        assert not screen.app.palette.has_colours
        assert "▓▓" in screen.text()
        assert "▓ sched_ext" in screen.text()

    drive(do)


def test_what_cannot_be_measured_is_named() -> None:
    class Blind(Steps):
        def take(self):
            from dataclasses import replace

            seen = super().take()
            return seen and replace(
                seen, waits=None, devices=(), missing=("waits are not measured: why", "another")
            )

    async def do(screen: Screen) -> None:
        assert "waits are not measured: why (and 1 more: n shows them)" in screen.lines()[2]
        await screen.press("n")
        assert "another" in screen.text()
        assert "USB polling" in screen.text()

    drive(do, machine=Blind())


def test_keys_of_the_users_own() -> None:
    async def do(screen: Screen) -> None:
        await screen.press("p")
        assert "paused" in screen.text()
        await screen.until(lambda: "no key is called nonsense" in screen.text())

    drive(do, keymap={"time.pause": "p", "nonsense": "x"})


@pytest.mark.parametrize("cpus", [1, 2, 8, 64, 128, 512])
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_every_cpu_has_its_place(cpus: int, size: tuple[int, int]) -> None:
    async def do(screen: Screen) -> None:
        from tui.widgets.cpus import Cpus

        widget = screen.app.query_one(Cpus)
        width, height = widget.size
        lines = widget.draw(width, height)
        assert len(lines) <= height
        assert all(sum(len(s.text) for s in line) <= width + 1 for line in lines)
        drawn = "".join(s.text for line in lines for s in line)
        assert drawn.count("▀") * 2 >= cpus or len(drawn) >= cpus

    drive(do, size=size, machine=Steps(cpus, 3))


@pytest.mark.parametrize("theme", ["scxhid", "ansi-dark"])
@pytest.mark.parametrize("pane", ["overview", "tasks"])
def test_what_is_painted_bit_by_bit_is_what_a_whole_paint_shows(theme: str, pane: str) -> None:
    """Lines that change get the frame of the others; that is no other one than they would have."""

    async def do(screen: Screen) -> None:
        for _ in range(3):
            screen.machine.knobs["slice_us"] += 1000  # words in edges and marks change as well
            await screen.more(2)
        screen.app.theme = theme
        await screen.more(2)
        painted = screen.app.screen._compositor.render_strips()
        for each in screen.app.query(Drawn):
            each.redraw()
        await screen.pilot.pause()
        whole = screen.app.screen._compositor.render_strips()
        assert [list(line) for line in painted] == [list(line) for line in whole]

    drive(do, pane=pane)


def test_a_click_goes_to_a_pane_and_presses_a_key() -> None:
    async def do(screen: Screen) -> None:
        await screen.pilot.click(offset=(screen.lines()[2].index("Tasks") + 2, 2))
        await screen.pilot.pause()
        assert "Xwayland" in screen.text()
        last = len(screen.lines()) - 1
        await screen.pilot.click(offset=(screen.lines()[last].index("Pause"), last))
        await screen.pilot.pause()
        assert "paused" in screen.lines()[0]
        await screen.pilot.click(offset=(screen.lines()[last].index("palette"), last))
        await screen.until(lambda: "Search for commands" in screen.text())

    drive(do)


def test_the_smallest_terminal_is_drawn() -> None:
    async def do(screen: Screen) -> None:
        await screen.more(3)
        assert "1 Overview  2 Schedulers" in screen.text()

    drive(do, size=(40, 12))
