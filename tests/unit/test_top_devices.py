"""The screen's devices: keys that were typed are read only while somebody asks for them."""

from __future__ import annotations

from tests.unit.top_screen import Screen, drive

TYPED, MASKED = "CapsLock 1→0", "keys are masked"


def test_keys_that_were_shown_go_at_once_at_a_moment_gone_by_too() -> None:
    async def do(screen: Screen) -> None:
        await screen.press("end")
        await screen.more()
        assert MASKED in screen.text()
        assert TYPED not in screen.text()

        await screen.press("m", "y")
        await screen.more(2)
        assert TYPED in screen.text()
        await screen.press("space")
        await screen.press("m")
        assert TYPED not in screen.text()
        assert MASKED in screen.text()
        await screen.press("left_square_bracket")
        assert TYPED not in screen.text()

    drive(do, pane="devices")
