"""Whose queue a task waited in when the kernel found that it had not run.

The text of a stall names only the task. The dump names the queue (DSQ) that it was in,
and a hosted policy's queues carry its generation in the upper half of their ids.
"""

from __future__ import annotations

import re

from pyloader import bpffs
from pyloader.attached import Attached
from pyloader.bpffs import Place
from pyloader.errors import ScxhidError
from pyloader.exitinfo import ExitInfo

_STALLED = re.compile(r"\[(\d+)\] failed to run")
_QUEUE = re.compile(r"dsq_id=(0x[0-9a-f]+|\(n/a\))")


def stalled_generation(info: ExitInfo) -> int:
    """The generation of the queue that the stalled task was in; 0 if the dump does not tell."""
    stalled = _STALLED.search(info.message)
    if not stalled:
        return 0
    task = re.search(rf"\[{stalled[1]}\] [+-]\d+ms", info.dump)
    queue = _QUEUE.search(info.dump, task.end()) if task else None
    if queue is None or queue[1].startswith("("):
        return 0
    dsq = int(queue[1], 16)
    return 0 if dsq >> 63 else dsq >> 32


def blamed(info: ExitInfo, ended: Attached) -> str:
    """The policy in whose queue the stalled task waited; empty if that cannot be told."""
    generation = stalled_generation(info)
    if not generation or not ended.is_hosted:
        return ""
    for place in (ended.place, bpffs.previous(), bpffs.current()):
        if generation_of(place) == generation:
            return Attached(place).name
    return f"a policy that is gone (generation {generation})"


def generation_of(place: Place) -> int:
    """The generation of a policy; 0 if the place holds none."""
    if not place.exists() or not place.is_policy():
        return 0
    try:
        return int(Attached(place).policy_variable("policy_generation").value)
    except ScxhidError:
        return 0
