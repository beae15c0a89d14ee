"""Reports of a device while they come, before and after its programs, decoded; keys masked.

What is masked (``pyloader.hid.secret``) does not leave this module: there is nothing in a masked
``LiveReport`` from which it could be had.
"""

from __future__ import annotations

import os
import select
from collections import deque
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from pyloader.closing import Closing
from pyloader.errors import ScxhidError
from pyloader.hid.changes import Key, name_of, values
from pyloader.hid.descriptor import INPUT, Descriptor
from pyloader.hid.device import Device, find_device
from pyloader.hid.hidraw import open_node
from pyloader.hid.pairs import Passage
from pyloader.hid.secret import Secrets, keys_down
from pyloader.hid.sides import Sides
from pyloader.hid.tap import Tap

MOST = 512
"""Reports that are kept between two looks: half a second of a mouse at 1,000 Hz."""

KEYS_DOWN = "keys down"
"""The name of the only value of a masked report of keys."""

#: A value: its name, what it is before the programs and after them, None where it is not there.
Value = tuple[str, int | None, int | None]


@dataclass(frozen=True, slots=True)
class LiveReport:
    """One report. ``at_ns`` is CLOCK_MONOTONIC, when the first program saw it; ``before`` and
    ``after`` are its bytes with the id's, None on the side where there was none: before the
    programs if one of them sent it, after them if one dropped it. ``report_id`` is 0 where there
    are none.

    ``fields`` are axes, and what is pressed on either side.

    Where it ``is_masked``, the bytes are missing, and so are hidden values. Of a report of keys
    there is one value, ``KEYS_DOWN`` before the programs: how many.
    """

    at_ns: int
    report_id: int
    before: bytes | None
    after: bytes | None
    fields: tuple[Value, ...]
    is_masked: bool = False

    def to_json(self) -> dict[str, Any]:
        """With the bytes in hexadecimal."""
        return {
            "at_ns": self.at_ns,
            "report_id": self.report_id,
            "before": None if self.before is None else self.before.hex(),
            "after": None if self.after is None else self.after.hex(),
            "fields": [list(each) for each in self.fields],
            "masked": self.is_masked,
        }


class Decoder:
    """Makes live reports of what passed, by the descriptors of both sides."""

    def __init__(self, before: Descriptor, after: Descriptor, masked: bool) -> None:
        self._before, self._after = before, after
        self._secrets = Secrets(before, after) if masked else None

    def decode(self, passage: Passage) -> LiveReport | None:
        """The report; None if nobody is to see it.

        Masked, a report that a program sent to a device with keys is not to be seen: that it was
        sent tells of the key that it was sent for. Unmasked, one that another program dropped
        again has never been anything.
        """
        before = None if passage.is_injected else passage.before
        after = passage.after
        if before is None and after is None:
            return None
        if self._secrets is None:
            said = values(self._before, before) if before is not None else None
            made = values(self._after, after) if after is not None else None
            id_ = self._id(before, after)
            return LiveReport(
                passage.at_ns, id_, before, after, _pairs(said, made, self._momentary(id_))
            )
        return self._masked(passage.at_ns, before, after, self._secrets)

    def _masked(
        self, at_ns: int, before: bytes | None, after: bytes | None, secrets: Secrets
    ) -> LiveReport | None:
        if before is None and secrets.has_keys:
            return None
        id_ = self._id(before, after)
        if (INPUT, id_) not in (self._before if before is not None else self._after).reports:
            return LiveReport(at_ns, 0, None, None, (), True)
        hidden = secrets.of(id_)
        said = values(self._before, before) if before is not None else None
        if hidden.has_keys:
            count = keys_down(said or {}, self._before, id_)
            return LiveReport(at_ns, id_, None, None, ((KEYS_DOWN, count, None),), True)
        made = values(self._after, after) if after is not None else None
        if after is not None and self._id(after=after) != id_:
            made = {}  # a program made another report of it, of which something else is hidden
        elif not hidden.is_anything:
            sizes = self._size(self._before, id_), self._size(self._after, id_)
            before, after = (
                None if data is None else data[:size]
                for data, size in zip((before, after), sizes, strict=True)
            )
            fields = _pairs(said, made, self._momentary(id_))
            return LiveReport(at_ns, id_, before, after, fields)
        fields = _pairs(
            _without(said, hidden.usages), _without(made, hidden.usages), self._momentary(id_)
        )
        return LiveReport(at_ns, id_, None, None, fields, True)

    def _id(self, before: bytes | None = None, after: bytes | None = None) -> int:
        """As the device sent it, or the program."""
        descriptor, data = (
            (self._before, before) if before is not None else (self._after, after or b"")
        )
        return data[0] if descriptor.is_numbered[INPUT] and data else 0

    def _momentary(self, report_id: int) -> set[int]:
        """Usages that are worth telling only while they are pressed."""
        return {
            usage
            for descriptor in (self._before, self._after)
            for field in descriptor.fields(INPUT)
            if field.report_id == report_id or not descriptor.is_numbered[INPUT]
            if field.size == 1 or not field.is_variable
            for usage in field.usages
        }

    def _size(self, descriptor: Descriptor, report_id: int) -> int:
        report = descriptor.reports.get((INPUT, report_id))
        return descriptor.size_bytes(report) if report else 0


def _without(found: dict[Key, int] | None, hidden: frozenset[int]) -> dict[Key, int] | None:
    return None if found is None else {k: v for k, v in found.items() if k[0] not in hidden}


def _pairs(
    before: dict[Key, int] | None, after: dict[Key, int] | None, momentary: set[int]
) -> tuple[Value, ...]:
    """The values of both sides by name, without keys and buttons that are up on both."""
    found: list[Value] = []
    for key in dict.fromkeys([*(before or ()), *(after or ())]):
        absent = 0 if key[0] in momentary else None
        was = None if before is None else before.get(key, absent)
        now = None if after is None else after.get(key, absent)
        if was or now or key[0] not in momentary:
            found.append((name_of(key), was, now))
    return tuple(found)


class LiveReports(Closing):
    """The reports of one device from now until ``close``, taken by two programs at the ends of the
    device's chain; nothing is pinned. A descriptor fixup that comes or goes is followed; what the
    device sends while the kernel asks it anew is not seen.

    Raises:
        NotPermitted: needs root; LoadError, VerifierError, AttachError: as for any program.
        WrongUse: the device declares no input report.
        Gone: it has been unplugged; ScxhidError: it has no hidraw node.
    """

    def __init__(self, device: Device, *, masked: bool = True) -> None:
        self.device = device
        self.is_masked = masked
        self._kept: deque[LiveReport] = deque(maxlen=MOST)
        self._left_out = 0
        self._lost = 0
        self._open = ExitStack()
        self._refresh()
        self._begin()

    @property
    def left_out(self) -> int:
        """Reports that came and were not given out, since there were too many between two looks."""
        return self._left_out + self._lost + (self._tap.lost if self._tap else 0)

    def take(self) -> tuple[LiveReport, ...]:
        """Those that came since the last call, oldest first, the newest ``MOST`` at most.

        Does not wait.

        Raises:
            Gone: the device has been unplugged; what came before that is given first.
        """
        if self._tap is None:
            self._refresh()
            if not self.device.node.hidraw:  # the kernel is asking it anew
                return ()
            self._begin()
        assert self._tap is not None
        if self._poll.poll(0):
            self._gather(self._tap.stop())
            self._end()
        else:
            self._gather(self._tap.read())
            self._tap.newcomers()
        taken = tuple(self._kept)
        self._kept.clear()
        return taken

    def close(self) -> None:
        """Take the programs off. Again is no error."""
        self._end()

    def _refresh(self) -> None:
        """The descriptor may be another by now."""
        self.device.require_plugged()
        self.device = find_device(self.device.sysname)

    def _begin(self) -> None:
        with ExitStack() as made:
            sides = Sides(self.device)
            fd = open_node(self.device)
            made.callback(os.close, fd)
            self._tap: Tap | None = made.enter_context(Tap(self.device, sides.after))
            self._poll = select.poll()
            self._poll.register(fd, 0)  # tells when it goes away
            self._decoder = Decoder(sides.before, sides.after, self.is_masked)
            self._open = made.pop_all()

    def _end(self) -> None:
        if self._tap:
            self._lost += self._tap.lost
        self._tap = None
        with suppress(ScxhidError):
            self._open.close()

    def _gather(self, passages: list[Passage]) -> None:
        for passage in passages:
            report = self._decoder.decode(passage)
            if report is not None:
                self._left_out += len(self._kept) == MOST
                self._kept.append(report)
