"""The screen without a terminal, on snapshots of a machine that does not exist."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from textual.pilot import Pilot

from pyloader.view.snapshot import Snapshot
from tui.app import TopApp
from vm.bench.made_up import MadeUp, MadeUpControls

Drive = Callable[["Screen"], Awaitable[None]]


class Steps(MadeUp):
    """Gives a snapshot whenever ``more`` asks for it, and at first so many."""

    def __init__(self, cpus: int = 4, first: int = 12) -> None:
        super().__init__(cpus)
        self._may = threading.Semaphore(first)
        self._closed = False
        self.wanted = first

    def more(self, number: int = 1) -> None:
        self.wanted += number
        for _ in range(number):
            self._may.release()

    def take(self) -> Snapshot | None:
        while not self._may.acquire(timeout=0.02):
            if self._closed:
                return None
        return super().take()

    def close(self) -> None:
        self._closed = True


class Screen:
    """What a test does with the program: keys, and the lines that can be read."""

    def __init__(self, app: TopApp, pilot: Pilot[None], machine: Steps) -> None:
        self.app, self.pilot, self.machine = app, pilot, machine

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def arrived(self, number: int) -> None:
        """Wait for so many snapshots in all."""
        await self.until(lambda: self.app.arrived >= number)

    async def more(self, number: int = 1) -> None:
        """Let so many more come, and wait for them."""
        self.machine.more(number)
        await self.arrived(self.machine.wanted)
        await self.pilot.pause()

    async def until(self, holds: Callable[[], Any], seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"it did not come true:\n{self.text()}"
            await self.pilot.pause(0.01)

    def lines(self) -> list[str]:
        """What is on the screen, line by line."""
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips()
        return ["".join(s.text for s in strip).ljust(width) for strip in strips][:height]

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines())


def drive(
    do: Drive,
    *,
    size: tuple[int, int] = (120, 40),
    machine: Steps | None = None,
    **more: Any,
) -> MadeUpControls:
    """Run the screen, and ``do`` with it once its first snapshots are there."""
    machine = machine or Steps()
    controls = MadeUpControls(machine)

    async def run() -> None:
        app = TopApp(machine, controls, interval=0.001, **more)
        async with app.run_test(size=size, notifications=True) as pilot:
            screen = Screen(app, pilot, machine)
            await screen.arrived(machine.wanted)
            await pilot.pause()
            try:
                await do(screen)
            finally:
                machine.close()  # nobody waits for what does not come

    asyncio.run(run())
    return controls
