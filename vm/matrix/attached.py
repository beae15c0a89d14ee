"""In the guest: a scheduler that runs, attached as ``scxhid sched use`` does it, and its end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from pyloader.errors import ScxhidError
from vm.exact.subject import KERNEL, Subject, subject

if TYPE_CHECKING:
    from pyloader.attached import Attached

_DISABLED_WITHIN_S = 10.0
_RECORDED_WITHIN_S = 5.0


class NotAttached(ScxhidError):
    """The scheduler could not be attached, or not in the way that was asked for."""


@dataclass
class Running:
    """What runs now; ``knobs`` are the values of all its knobs."""

    subject: Subject
    attached: Attached | None = None
    enable_seq: int = 0
    id: int = 0
    knobs: dict[str, Any] = field(default_factory=dict[str, Any])

    def goes_on(self) -> bool:
        """Whether it is still the same that runs: sysfs, and the kernel's id of it."""
        from pyloader import sysfs
        from pyloader.running import current_id

        now = sysfs.read()
        if self.attached is None:
            return now.ops is None
        return (
            now.state == "enabled" and now.enable_seq == self.enable_seq and current_id() == self.id
        )

    def why_ended(self) -> str:
        """What its exit record says, in a sentence."""
        info = None
        deadline = time.monotonic() + _RECORDED_WITHIN_S
        while self.attached and info is None and time.monotonic() < deadline:
            info = self.attached.exit_info()  # written when all tasks have been taken back
            time.sleep(0.02)
        said = info.sentence() if info else "no reason was recorded"
        return f"the kernel threw {self.subject.label} out: {said}"


@contextlib.contextmanager
def attached(text: str, mode: str) -> Generator[Running]:
    """Let the scheduler ``text`` run inside the block, freshly loaded; afterwards the kernel's own.

    ``mode`` is ``kernel``, ``direct`` or ``hosted``.

    Raises:
        NotAttached: it did not come to run.
    """
    one = _subject(text, mode)
    if one.name == KERNEL:
        _require_none()
        yield Running(one)
        return
    try:
        try:
            running = _use(one)
        except ScxhidError as error:
            raise NotAttached(f"{one.label} could not be attached: {error}") from error
        yield running
    finally:
        _stop()


@cache
def _subject(text: str, mode: str) -> Subject:
    return subject(text, direct=mode == "direct")


def _use(one: Subject) -> Running:
    from pyloader import bpffs, sched, sysfs
    from pyloader.attached import Attached

    assert one.spec
    options = sched.UseOptions(replace=True, direct=one.mode == "direct")
    used = sched.use(one.spec, one.knobs, options)
    if used.is_hosted != (one.mode == "hosted"):
        raise NotAttached("the kernel does not let the resident host call it")
    now = Attached(bpffs.current())
    return Running(one, now, sysfs.read().enable_seq, now.place.ops_id(), now.knob_values())


def _stop() -> None:
    from pyloader import sched

    sched.stop()
    _require_none()


def _require_none() -> None:
    from pyloader import sysfs

    deadline = time.monotonic() + _DISABLED_WITHIN_S
    while sysfs.read().state not in ("disabled", "unsupported"):
        if time.monotonic() > deadline:
            raise NotAttached(f"{sysfs.read().ops} stayed where nothing should run")
        time.sleep(0.02)
