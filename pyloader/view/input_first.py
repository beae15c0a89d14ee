"""Whether input goes first, and what became of the events since the last look."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.attached import Attached
from pyloader.closing import Closing
from pyloader.errors import ScxhidError
from pyloader.input_first import marks, state
from pyloader.input_first.chains import Chain, Chains, to_json
from pyloader.probes import histogram

#: After that long nobody who was woken for an event goes before others any more, ns.
_SETTLED_NS = 200_000_000


@dataclass(frozen=True)
class InputFirst:
    """``since`` is in s since the epoch. The rest is there while it is on. ``is_used``: the
    scheduler that runs looks at who is marked; ``waits``: histograms of ns from woken to running in
    this time, shape ``(depths, NR_BUCKETS)``, up to the last depth at which there was somebody;
    ``counts``: since it was switched on; ``chains``: the one of each device that has most to tell
    (``chosen``)."""

    is_on: bool
    since: float | None = None
    is_used: bool = False
    waits: NDArray[np.uint32] | None = None
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    chains: tuple[Chain, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """``{"on": False}``, or all of it, in the forms of ``scxhid input show`` and ``chain``."""
        if not self.is_on:
            return {"on": False}
        chain = max(self.chains, key=worth, default=None)
        waits = enumerate(self.waits if self.waits is not None else ())
        return {
            "on": True,
            "since": self.since,
            "used": self.is_used,
            "waits": [{"depth": n, **histogram.to_json(each)} for n, each in waits if each.any()],
            "counts": dict(self.counts),
            "chain": chain and to_json(chain),
        }


class InputFirstReader(Closing):
    """Keeps its maps open between looks, for as long as it is on; costs a look at a path else."""

    def __init__(self) -> None:
        self._open: Chains | None = None
        self._since: int | None = None
        self._before: NDArray[np.uint64] | None = None
        self._settled = 0
        self._used_by: tuple[Attached | None, bool] = None, False

    def start(self) -> None:
        """What ``read`` tells of waits begins here; the last chains are told at its first call."""
        self.read(None)
        self._settled = 0

    def read(self, running: Attached | None) -> InputFirst | None:
        """Of this moment, with the scheduler of ours that runs; None where it cannot be told.
        Nothing is raised."""
        try:
            if not state.is_on():
                self.close()
                return InputFirst(False)
            return self._read(running)
        except (ScxhidError, OSError):  # not permitted, or it is being switched at this moment
            self.close()
            return None

    def close(self) -> None:
        """Let go of its maps. Again is no error."""
        if self._open:
            self._open.close()
        self._open, self._since, self._before, self._settled = None, None, None, 0
        self._used_by = None, False

    def _read(self, running: Attached | None) -> InputFirst:
        since = state.since_ns()
        if self._open is None or since != self._since:
            self.close()
            self._open, self._since = Chains(), since
        if running is not self._used_by[0]:
            self._used_by = running, running is not None and marks.are_read_by(running.place)
        sums = self._open.waits()
        waits = (sums if self._before is None else sums - self._before).astype(np.uint32)
        depths = int(np.flatnonzero(waits.sum(axis=1)).max(initial=-1)) + 1
        self._before = sums
        records = self._fresh(self._open.records())
        chains = tuple(map(self._open.chain, chosen(records)))
        began = None if since is None else since / 1e9
        return InputFirst(
            True, began, self._used_by[1], waits[:depths], self._open.counts(), chains
        )

    def _fresh(self, records: NDArray[np.void]) -> NDArray[np.void]:
        """Those that came since the last look, or were still going on then."""
        fresh = records[records["number"] > self._settled]
        old = fresh[fresh["began"] < time.monotonic_ns() - _SETTLED_NS]
        self._settled = int(old["number"].max(initial=self._settled))
        return fresh


def chosen(records: NDArray[np.void]) -> list[np.void]:
    """Of each device the event that has most to tell (``worth``), of those that woke somebody."""
    nr_hops: NDArray[np.uint64] = records["nr_hops"]
    ran: NDArray[np.uint64] = records["hops"]["ran"]
    places: NDArray[np.uint64] = np.arange(ran.shape[1], dtype=np.uint64)
    waiting = np.count_nonzero(np.less(places, nr_hops[:, None]) & (ran == 0), axis=1)
    best: dict[int, int] = {}
    for n in np.lexsort((records["began"], nr_hops, waiting == 0)).tolist():
        if nr_hops[n]:
            best[int(records["device"][n])] = n
    return [records[n] for n in sorted(best.values())]


def worth(chain: Chain) -> tuple[bool, int, int]:
    """What chains are chosen by, the largest first: one in which everybody has run, then the
    longest, then the newest."""
    all_ran = all(hop.ran_ns for hop in chain.hops)
    return all_ran, len(chain.hops) + chain.left_out, chain.began_ns
