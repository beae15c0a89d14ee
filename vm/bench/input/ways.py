"""Who decides which task runs while input is measured: a scheduler, with input first or without."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyloader.errors import WrongUse
from vm.bench.by_itself import attached

if TYPE_CHECKING:
    from pyloader import BpfObject

KERNEL, FIFO = "kernel", "fifo"
WITH_INPUT = "+input"


@dataclass(frozen=True)
class Way:
    """``scheduler`` as it was typed (``NAME:KNOB=VALUE``), or the kernel's own; ``is_first``: with
    input first; ``is_fifo``: its readers are real-time, the bound that nothing can be better
    than."""

    scheduler: str
    is_first: bool = False
    is_fifo: bool = False

    @property
    def name(self) -> str:
        decides = FIFO if self.is_fifo else self.scheduler
        return decides + (WITH_INPUT if self.is_first else "")


def ways(schedulers: Sequence[str]) -> tuple[Way, ...]:
    """The kernel's own and the bound, which are always there, then each with and without.

    Raises:
        WrongUse: a scheduler is named twice.
    """
    ours = [text for text in schedulers if text != KERNEL]
    if len(set(ours)) < len(ours):
        raise WrongUse(f"--sched names a scheduler twice: {','.join(schedulers)}")
    found = [Way(KERNEL), Way(KERNEL, is_fifo=True)]
    for text in ours:
        found += [Way(text), Way(text, is_first=True)]
    return tuple(found)


@contextmanager
def in_force(way: Way, knobs: Mapping[str, str]) -> Generator[None]:
    """Let ``way`` decide inside the block, without host and pin: what was attached before keeps its
    place. ``knobs`` are those of input first, as somebody would type them."""
    with _input_first(way.is_first, knobs), ExitStack() as stack:
        loaded = None if way.scheduler == KERNEL else stack.enter_context(_load(way.scheduler))
        with attached(loaded):
            yield


def _load(text: str) -> BpfObject:
    """The scheduler, which reads the marks that are there."""
    from pyloader import lock
    from pyloader.input_first import marks
    from vm.exact.subject import subject

    one = subject(text, direct=True)
    assert one.spec
    with lock.writer(), marks.shared(one.spec) as maps:
        return one.spec.load(one.knobs, shared=maps)


@contextmanager
def _input_first(wanted: bool, knobs: Mapping[str, str]) -> Generator[None]:
    if not wanted:
        yield
        return
    from pyloader.input_first import change

    change.on(knobs)
    try:
        yield
    finally:
        change.off()
