"""Input first on the screen: a key, what it changes, and the way of an event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pyloader.errors import NotPermitted
from pyloader.input_first.chains import Chain, Hop
from pyloader.view.snapshot import Snapshot
from tests.unit.top_screen import Screen, Steps, drive
from tui import keys
from tui.controls import Nothing
from tui.widgets.chain import Waterfall
from tui.widgets.heat import Heat
from tui.widgets.inputs import Inputs

_TALL, _LOW = (120, 40), (80, 24)


async def switched_on(screen: Screen, looks: int = 3) -> None:
    screen.machine.input_first = screen.machine.at
    await screen.more(looks)


def drawn(widget: Any) -> str:
    width, height = widget.size
    return "\n".join("".join(s.text for s in line) for line in widget.draw(width, height))


class Changed(Steps):
    """Gives other chains than the machine that does not exist."""

    def __init__(self, chain: Chain) -> None:
        super().__init__()
        self._chain = chain

    def take(self) -> Snapshot | None:
        seen = super().take()
        if seen is None or seen.input_first is None or not seen.input_first.is_on:
            return seen
        return replace(seen, input_first=replace(seen.input_first, chains=(self._chain,)))


def test_a_key_switches_it_on_and_off_after_asking() -> None:
    async def do(screen: Screen) -> None:
        assert "input first" not in screen.lines()[1]
        await screen.press("i")
        assert "Switch input first on?" in screen.text()
        await screen.press("n")
        await screen.press("6", "i", "y")  # from any pane
        await screen.until(lambda: screen.machine.input_first)
        await screen.until(lambda: "input first is on" in screen.text())
        await screen.more()
        assert "interactive  input first  hosted" in screen.lines()[1]
        await screen.press("i")
        assert "Switch input first off?" in screen.text()
        await screen.press("enter")
        await screen.until(lambda: screen.machine.input_first is None)
        await screen.more()
        assert "input first" not in screen.lines()[1]

    assert drive(do).done == [("input first", "on"), ("input first", "off")]


def test_what_it_is_now_counts_and_not_the_moment_that_is_shown() -> None:
    async def do(screen: Screen) -> None:
        await screen.press("space")
        await switched_on(screen)
        assert "input first" not in screen.lines()[1]
        await screen.press("i")
        assert "Switch input first off?" in screen.text()

    drive(do)


def test_why_it_cannot_be_switched_on_is_one_sentence() -> None:
    async def do(screen: Screen) -> None:
        def refuse(on: bool) -> str:
            raise NotPermitted("switching input first on", "needs root")

        screen.app.controls.input_first = refuse  # type: ignore[method-assign]
        await screen.press("i", "y")
        await screen.until(lambda: "needs root" in screen.text())
        assert "switching input first on" in screen.text()

    drive(do)


def test_in_a_recording_it_stays_as_it_was() -> None:
    async def do(screen: Screen) -> None:
        screen.app.controls = Nothing()
        await screen.press("i", "y")
        await screen.until(lambda: "a recording cannot be changed" in screen.text())

    drive(do)


def test_it_is_in_the_bar_of_keys_the_palette_and_the_names_of_keys() -> None:
    async def do(screen: Screen) -> None:
        found = {command.title for command in screen.app.get_system_commands(screen.app.screen)}
        assert "Input first" in found
        last = len(screen.lines()) - 1
        await screen.pilot.click(offset=(screen.lines()[last].index("Input first"), last))
        await screen.until(lambda: "Switch input first on?" in screen.text())

    drive(do, size=_LOW)
    assert keys.names()["input.first"].key == "i"


def test_the_change_has_a_line_in_what_is_drawn_over_time() -> None:
    async def do(screen: Screen) -> None:
        await switched_on(screen, 12)
        screen.machine.input_first = None
        await screen.more(12)
        over_time = drawn(screen.app.query_one(Heat))
        assert "▾input first " in over_time
        assert "▾input first off" in over_time
        await screen.press("left_curly_bracket", "left_curly_bracket")
        assert "input first" in screen.lines()[1]

    drive(do)


def test_a_scheduler_that_does_not_use_it_is_named() -> None:
    async def do(screen: Screen) -> None:
        screen.machine.scheduler = "central"
        await switched_on(screen)
        assert "central  input first, which it does not use" in screen.lines()[1]

    drive(do)


# --- where the time goes, before and since ---


def test_the_wait_before_stands_beside_the_wait_since() -> None:
    async def do(screen: Screen) -> None:
        inputs = screen.app.query_one(Inputs)
        assert "off " not in drawn(inputs)
        await switched_on(screen)
        lines = drawn(inputs).splitlines()
        off = next(line for line in lines if line.startswith("off "))
        on = lines[lines.index(off) + 1]
        assert on.startswith("on  ")
        # On one scale: what was spared is left empty.
        assert off.count("█") > 2 * on.count("█")
        assert us(off, "wait ") > 5 * us(on, "wait ")
        assert us(off, "p99 ") > 5 * us(on, "p99 ")

    drive(do)


def us(line: str, word: str) -> float:
    """The time that follows a word, in µs."""
    figure = line.split(word)[1].split()[0]
    size = {"µs": 1.0, "ms": 1e3, "ns": 1e-3}[figure[-2:]]
    return float(figure[:-2]) * size


def test_it_is_the_other_way_round_when_it_is_switched_off() -> None:
    async def do(screen: Screen) -> None:
        await switched_on(screen, 12)
        screen.machine.input_first = None
        await screen.more(3)
        lines = drawn(screen.app.query_one(Inputs)).splitlines()
        shown = [line[:4] for line in lines if line[:4] in ("on  ", "off ")]
        assert shown[:2] == ["on  ", "off "]

    drive(do)


def test_where_there_is_no_room_words_tell_it() -> None:
    async def do(screen: Screen) -> None:
        await switched_on(screen)
        told = drawn(screen.app.query_one(Inputs))
        assert "on  " not in told
        line = next(line for line in told.splitlines() if "→" in line)
        before, since = line.split("wait ")[1].split(" → ")
        assert us(f"wait {before}", "wait ") > 5 * us(f"wait {since}", "wait ")

    drive(do, size=_LOW)


def test_nothing_is_compared_with_another_scheduler_since() -> None:
    async def do(screen: Screen) -> None:
        await switched_on(screen)
        screen.machine.scheduler, screen.machine.since = "simple", screen.machine.at
        await screen.more(3)
        assert "off " not in drawn(screen.app.query_one(Inputs))
        screen.machine.input_first = None  # of this one there is a before
        await screen.more(2)
        assert "on  " in drawn(screen.app.query_one(Inputs))

    drive(do)


def test_nor_with_another_one_before() -> None:
    async def do(screen: Screen) -> None:
        screen.machine.scheduler, screen.machine.since = "simple", screen.machine.at
        await switched_on(screen)
        assert "off " not in drawn(screen.app.query_one(Inputs))

    drive(do)


# --- the way of an event ---


def test_the_longest_chain_is_a_waterfall() -> None:
    async def do(screen: Screen) -> None:
        assert not screen.app.query_one("#chain").display
        await switched_on(screen)
        assert "the way of an event of Logitech G502: 6 tasks in" in screen.text()
        lines = drawn(screen.app.query_one("#chain")).splitlines()
        assert lines[0].split()[-6:] == ["CPU", "waits,", "10", "s", "p50", "p99"]
        names = [line[:24].strip() for line in lines[1:]]
        assert names == [
            "Xwayland",
            "├ kwin_wayland",
            "│ └ firefox",
            "│   ├ Renderer",
            "│   └ pipewire",
            "└ xdotool",
        ]
        starts = [line[24:].index(next(c for c in line[24:] if c in "█▐▌░")) for line in lines[1:4]]
        assert starts == sorted(starts)
        assert "readers" in lines[1]
        assert "hop 3" in lines[4]
        screen.machine.input_first = None
        await screen.more()
        assert not screen.app.query_one("#chain").display

    drive(do)


def test_a_low_terminal_has_it_among_the_devices() -> None:
    async def do(screen: Screen) -> None:
        await switched_on(screen)
        assert "the way of an event" not in screen.text()
        await screen.press("4")
        assert "Logitech G502: 6 tasks in" in screen.text()
        assert "… and 3 more" in screen.text()

    drive(do, size=_LOW)


def test_among_the_devices_it_is_of_the_one_at_the_cursor() -> None:
    async def do(screen: Screen) -> None:
        await switched_on(screen)
        await screen.press("4", "down")
        assert "the way of an event of Holtek keyboard: 3 tasks in" in screen.text()
        await screen.more()
        assert "keys down 1" in screen.text()  # masked as ever
        await screen.press("up")
        assert "the way of an event of Logitech G502" in screen.text()

    drive(do)


def chain_of(*hops: Hop, left_out: int = 0) -> Chain:
    return Chain(1, "0003:046D:C08B", "Logitech G502", 0, hops, left_out)


def hop(name: str, waker: int = 0, woken_ns: int = 1000, ran_ns: int = 2000, pid: int = 1) -> Hop:
    return Hop(int(waker > 0), pid, name, waker, woken_ns, ran_ns, 0, 1000)


def on_screen(chain: Chain, look: Callable[[str], None], **more: Any) -> None:
    async def do(screen: Screen) -> None:
        await switched_on(screen)
        look(drawn(screen.app.query_one(Waterfall)))

    drive(do, machine=Changed(chain), **more)


def test_who_waits_still_has_no_bar_but_its_waiting() -> None:
    def look(told: str) -> None:
        line = next(line for line in told.splitlines() if "waits_on" in line)
        assert "█" not in line
        assert "░" * 10 in line
        assert line.split("░")[-1].split()[:2] == ["–", "–"]

    on_screen(chain_of(hop("reads"), hop("waits_on", 1, 3000, 0, pid=2)), look)


def test_one_that_computes_on_does_not_make_the_others_small() -> None:
    def look(told: str) -> None:
        reads, computes = (
            next(line for line in told.splitlines() if name in line) for name in ("reads", "on_and")
        )
        assert reads.count("█") > 5
        assert computes.count("█") > reads.count("█")
        assert " 9.0s" in computes

    hops = (hop("reads", ran_ns=500_000), hop("on_and_on", 1, 500_000, 900_000, pid=2))
    reads, computes = hops
    on_screen(chain_of(replace(reads, used_ns=400_000), replace(computes, used_ns=9 * 10**9)), look)


def test_a_name_that_would_move_the_cursor_is_not_drawn() -> None:
    def look(told: str) -> None:
        assert "\x1b" not in told
        assert "?[2Jname" in told

    on_screen(chain_of(hop("\x1b[2Jname")), look)


def test_who_was_left_out_is_counted() -> None:
    def look(told: str) -> None:
        assert "… and 4 more" in told

    on_screen(chain_of(hop("reads"), left_out=4), look)


def test_without_colours_waiting_and_running_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    def look(told: str) -> None:
        assert "░" in told
        assert "█" in told

    on_screen(chain_of(hop("reads", woken_ns=0, ran_ns=800)), look)


def test_no_event_yet_is_said() -> None:
    def look(told: str) -> None:
        assert told == "no report has woken anybody yet"

    on_screen(chain_of(), look)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (80, 40), (120, 40), (200, 60)])
def test_it_keeps_within_its_room(size: tuple[int, int]) -> None:
    async def do(screen: Screen) -> None:
        await switched_on(screen)
        await screen.press("4")
        for widget in (*screen.app.query(Waterfall), *screen.app.query(Inputs)):
            width, height = widget.size
            lines = widget.draw(width, height)
            assert len(lines) <= max(height, 1)
            assert all(sum(len(s.text) for s in line) <= max(width, 40) for line in lines)

    drive(do, size=size)
