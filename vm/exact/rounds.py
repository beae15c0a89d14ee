"""Short rounds of turns: how long a busy vCPU's wake-up waits for its turn at most.

Busy vCPUs take turns, and a round of them lasts until the next timer of the machine is due (QEMU's
accel/tcg/tcg-accel-ops-icount.c). That can be milliseconds. A packet filter on a network that
nobody is connected to has a periodic timer, which the guest does not see: it makes rounds as short
as wished.

It costs the host time, most of it while few vCPUs are busy. So it is put in only when the guest
says that it has booted and come to rest: it writes to the port of QEMU's panic device, which stops
the machine at that instruction; we add the filter and let it go on. To the guest no time passes.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import time
from collections.abc import Generator
from typing import Any


def arguments() -> list[str]:
    """QEMU's arguments for a machine whose rounds are to be shortened through QMP on its stdin."""
    return [
        *("-netdev", "hubport,id=nobody,hubid=0"),
        *("-device", "pvpanic,ioport=0x505", "-action", "panic=pause"),
        *("-qmp", "stdio"),
    ]


def shorten(to_qemu: int, from_qemu: int, round_us: int, timeout_s: float) -> None:
    """Wait until the guest is ready, put the filter in, and let it go on.

    ``to_qemu`` and ``from_qemu`` are descriptors of QMP. Returns early when QEMU ends, or does not
    come to it within ``timeout_s``: whoever waits for QEMU will see.
    """
    wait_for = {
        "QMP": [{"execute": "qmp_capabilities"}],
        "STOP": [
            {
                "execute": "object-add",
                "arguments": {
                    "qom-type": "filter-buffer",
                    "id": "rounds",
                    "netdev": "nobody",
                    "interval": round_us,
                },
            },
            {"execute": "cont"},
        ],
    }
    for message in _messages(from_qemu, timeout_s):
        what = "QMP" if "QMP" in message else message.get("event", "")
        for command in wait_for.get(what, []):
            with contextlib.suppress(BrokenPipeError):
                os.write(to_qemu, json.dumps(command).encode() + b"\n")
        if what == "RESUME":
            return


def _messages(descriptor: int, timeout_s: float) -> Generator[dict[str, Any]]:
    """What QEMU says on QMP, one message a line, until it ends or the time is over."""
    deadline = time.monotonic() + timeout_s
    text = b""
    while (left_s := deadline - time.monotonic()) > 0:
        if not select.select([descriptor], [], [], left_s)[0]:
            return
        data = os.read(descriptor, 1 << 16)
        if not data:
            return
        *lines, text = (text + data).split(b"\n")
        for line in lines:
            if line.strip():
                yield json.loads(line)
