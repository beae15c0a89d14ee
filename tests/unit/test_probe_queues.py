"""Records of queues, from what the program has noted down."""

from __future__ import annotations

import numpy as np

from pyloader.probes.queues import QUEUE, QUEUE_KINDS, queues

CPUS = np.dtype([("queued", "u4"), ("runnable", "u4"), ("online", "u4")])
OTHERS = np.dtype([("id", "u8"), ("queued", "u4"), ("node", "i4")])
GLOBAL = 1 << 63 | 1


def test_local_ones_come_first_then_global_ones_then_others_by_id() -> None:
    cpus = np.array([(2, 3, 1), (9, 9, 0), (0, 1, 1)], CPUS)
    others = np.array([(7 << 32, 5, -1), (GLOBAL, 4, 1), (1, 6, -1), (GLOBAL, 0, 0)], OTHERS)
    found = queues(cpus, others)
    assert found.dtype == QUEUE
    assert [QUEUE_KINDS[kind] for kind in found["kind"]] == ["local"] * 2 + ["global"] * 2 + [
        "user"
    ] * 2
    assert found["cpu"].tolist() == [0, 2, -1, -1, -1, -1]
    assert found["node"].tolist() == [-1, -1, 0, 1, -1, -1]
    assert found["queued"].tolist() == [2, 0, 0, 4, 6, 5]
    assert found["runnable"].tolist() == [3, 1, -1, -1, -1, -1]
    assert found["id"].tolist() == [3 << 62, 3 << 62 | 2, GLOBAL, GLOBAL, 1, 7 << 32]


def test_there_may_be_none() -> None:
    assert len(queues(np.empty(0, CPUS), np.empty(0, OTHERS))) == 0
