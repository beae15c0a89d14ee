"""Short rounds of turns: how long a busy vCPU's wake-up waits for its turn at most.

Busy vCPUs take turns, and a round of them lasts until the next timer of the machine is due (QEMU's
accel/tcg/tcg-accel-ops-icount.c). That can be milliseconds. While something plays, QEMU's audio has
a periodic timer on the machine's own clock, which the guest does not see: it makes rounds as short
as wished. What plays is the PC speaker, into nothing.

It costs the host time, most of it while few vCPUs are busy. So the guest turns the speaker on when
it has booted and come to rest, by writing to its port: the timer starts with that instruction.
"""

from __future__ import annotations


def arguments(round_us: int) -> list[str]:
    """QEMU's arguments for a machine whose rounds are as short once its speaker is on."""
    return [
        *("-audiodev", f"none,id=rounds,timer-period={round_us}"),
        *("-machine", "q35,pcspk-audiodev=rounds"),
    ]
