"""Chains of tasks that were woken for events of devices that do not exist."""

from __future__ import annotations

from collections.abc import Sequence

from pyloader.input_first.chains import Chain, Hop

_MOUSE, _KEYBOARD = "0003:046D:C08B", "0003:04D9:0169"
#: Depth, pid, name, who woke it; and in µs: until it was woken, its wait, what it ran.
_CLICK = (
    (0, 1007, "Xwayland", 0, 14, 4, 61),
    (1, 1012, "kwin_wayland", 1007, 52, 7, 140),
    (2, 1203, "firefox", 1012, 160, 11, 420),
    (3, 1310, "Renderer", 1203, 390, 19, 260),
    (3, 1021, "pipewire", 1203, 430, 9, 35),
    (1, 1044, "xdotool", 1007, 70, 5, 12),
)


def made_up_chains(number: int, factors: Sequence[float]) -> tuple[Chain, ...]:
    """One of a mouse, and at odd numbers one of a keyboard; ``factors`` of its times."""
    chains = [_chain(2 * number, _MOUSE, "Logitech G502", number, _CLICK, factors)]
    if number % 2:
        chains.append(
            _chain(2 * number + 1, _KEYBOARD, "Holtek keyboard", number, _CLICK[:3], factors)
        )
    return tuple(chains)


def _chain(
    number: int,
    device: str,
    name: str,
    second: int,
    tasks: Sequence[tuple[int, int, str, int, int, int, int]],
    factors: Sequence[float],
) -> Chain:
    began = second * 1_000_000_000
    hops: list[Hop] = []
    for n, (depth, pid, comm, waker, woken, wait, ran) in enumerate(tasks):
        at = began + int(1000 * woken * factors[0])
        waited, used = (int(1000 * each * factors[n + 1]) for each in (wait, ran))
        hops.append(Hop(depth, pid, comm, waker, at, at + waited, n % 4, used))
    return Chain(number, device, name, began, tuple(hops))
