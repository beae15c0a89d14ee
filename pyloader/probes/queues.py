"""How many tasks wait where: dispatch queues (DSQs) of sched_ext, and what is ready on each CPU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyloader import sysfs
from pyloader.catalog import find_probe
from pyloader.closing import Closing
from pyloader.probes.symbols import address

#: Of a queue: a CPU's own, a memory node's, or one that the scheduler has made.
QUEUE_KINDS = ("local", "global", "user")

#: Of each queue. ``kind`` is an index into ``QUEUE_KINDS``, ``cpu`` is that of a local one and
#: ``node`` that of a global one, else -1. ``queued`` tasks wait in it. ``runnable``, of a local one
#: alone, are all that are ready on its CPU, of whatever class and with the one that runs; else -1.
QUEUE = np.dtype(
    [
        *(("id", "u8"), ("kind", "u1"), ("cpu", "i4"), ("node", "i4")),
        *(("queued", "u4"), ("runnable", "i4")),
    ]
)
_LOCAL_ON = 3 << 62  # SCX_DSQ_LOCAL_ON, include/linux/sched/ext.h
_LOCAL, _GLOBAL, _USER = range(len(QUEUE_KINDS))


class QueueReader(Closing):
    """Reads the depths of queues; nothing is attached.

    ``left_out``: how many queues the last read had no room for.

    Raises:
        NotPermitted, LoadError, CompileError: this kernel cannot tell.
    """

    def __init__(self) -> None:
        source = find_probe("queues")
        nodes = max(sysfs.cpu_nodes().values(), default=0) + 1
        with source.blamed():
            self._object = source.open().load({"nr_nodes": nodes, "scx_root": address("scx_root")})
        self._count = self._object.variables["nr_queues"]
        self.left_out = 0

    def read(self) -> NDArray[np.void]:
        """Records of ``QUEUE`` of this moment: local queues by CPU, then global ones, then others.

        Without a scheduler of sched_ext the local ones are all there are, and empty.
        """
        self._object.run("look")
        cpus = self._object.maps["locals"].read()[0]
        room = self._object.maps["queues"].read()
        count = int(self._count.value)
        self.left_out = max(count - len(room), 0)
        return queues(cpus, room[:count])

    def close(self) -> None:
        """Let go of it. Again is no error."""
        self._object.close()


def queues(cpus: NDArray[np.void], others: NDArray[np.void]) -> NDArray[np.void]:
    """Records of ``QUEUE`` from those of ``struct local``, by CPU, and of ``struct queue``."""
    online = np.flatnonzero(cpus["online"])
    others = others[np.lexsort((others["id"], others["node"], others["node"] < 0))]
    made = np.full(len(online) + len(others), -1, QUEUE)
    local, rest = made[: len(online)], made[len(online) :]
    local["id"] = _LOCAL_ON | online.astype(np.uint64)
    local["kind"], local["cpu"] = _LOCAL, online
    local["queued"], local["runnable"] = cpus["queued"][online], cpus["runnable"][online]
    rest["id"], rest["queued"], rest["node"] = others["id"], others["queued"], others["node"]
    rest["kind"] = np.where(others["node"] < 0, _USER, _GLOBAL)
    return made
