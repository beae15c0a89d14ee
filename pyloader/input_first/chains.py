"""The chains of the last events: whom a device woke, whom they woke, and how long each waited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.closing import Closing
from pyloader.input_first import state
from pyloader.input_first.models import Model, named


@dataclass(frozen=True)
class Hop:
    """One task that an event woke. Times are ns of the monotonic clock.

    ``depth`` is 0 for a reader; ``waker`` the pid of who woke it, 0 for the device; ``ran_ns`` is 0
    while it waits; ``cpu`` is where it ran first; ``used_ns`` the CPU time that it has had since.
    """

    depth: int
    pid: int
    comm: str
    waker: int
    woken_ns: int
    ran_ns: int
    cpu: int
    used_ns: int

    @property
    def waited_ns(self) -> int | None:
        """None while it waits."""
        return self.ran_ns - self.woken_ns if self.ran_ns else None


@dataclass(frozen=True)
class Chain:
    """One event: a report that woke somebody. ``hops`` in the order in which they were woken; the
    kernel remembers the first eight, ``left_out`` more took part."""

    number: int
    device: str
    name: str
    began_ns: int
    hops: tuple[Hop, ...]
    left_out: int = 0


class Chains(Closing):
    """What input first remembers. Gone if it is off."""

    def __init__(self) -> None:
        self._running = state.require_on()
        self._maps = self._running.maps
        self._names: dict[Model, str] = {}

    def read(self) -> tuple[Chain, ...]:
        """The last events, at most 64, the oldest first."""
        return tuple(map(self.chain, self.records()))

    def records(self) -> NDArray[np.void]:
        """The same as the kernel keeps them (``struct event``), for who wants few of them: making
        them what ``chain`` makes of one takes a hundred times as long."""
        records = self._maps["events"].read()
        return np.sort(records[records["number"] > 0], order="number")

    def waits(self) -> NDArray[np.uint64]:
        """How long tasks waited for a CPU since it was switched on, by depth: histograms of ns
        (``pyloader.probes.histogram``), shape ``(8, NR_BUCKETS)``."""
        return self._maps["waits"].read()["counts"].copy()

    def counts(self) -> dict[str, int]:
        """Its statistics, over all CPUs."""
        sums = self._running.read_stats().sum(axis=1).tolist()
        return dict(zip(self._running.stats, sums, strict=True))

    def close(self) -> None:
        self._running.close()

    def chain(self, record: np.void) -> Chain:
        model = Model.of_key(int(record["device"]))
        if model not in self._names:
            self._names |= named()
        name = self._names.setdefault(model, "unplugged")
        total = int(record["nr_hops"])
        hops = tuple(_hop(hop) for hop in record["hops"][:total])
        left_out = max(0, total - len(hops))
        return Chain(int(record["number"]), str(model), name, int(record["began"]), hops, left_out)


def to_json(chain: Chain) -> dict[str, Any]:
    """Times in µs, from the arrival of the report on."""

    def after(ns: int) -> float:
        return round((ns - chain.began_ns) / 1e3, 2)

    return {
        "number": chain.number,
        "device": chain.device,
        "name": chain.name,
        "hops": [
            {
                "depth": hop.depth,
                "pid": hop.pid,
                "comm": hop.comm,
                "waker": hop.waker or None,
                "woken_us": after(hop.woken_ns),
                "ran_us": after(hop.ran_ns) if hop.ran_ns else None,
                "used_us": round(hop.used_ns / 1e3, 2),
                "cpu": hop.cpu if hop.ran_ns else None,
            }
            for hop in chain.hops
        ],
        "left_out": chain.left_out,
    }


def _hop(record: np.void) -> Hop:
    numbers = {name: int(record[name]) for name in ("depth", "pid", "waker", "cpu", "used_ns")}
    comm = bytes(record["comm"].tobytes()).split(b"\0", 1)[0].decode(errors="replace")
    times = {"woken_ns": int(record["woken"]), "ran_ns": int(record["ran"])}
    return Hop(comm=comm, **numbers, **times)
