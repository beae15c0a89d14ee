"""The bytes between a caller's standard streams and a guest's, and the guest's own reports.

QEMU gets pipes of ours, never the caller's descriptors: it would make them non-blocking for
everybody who shares them, truncate a file that it opens, and a command whose output and errors go
to one file would overwrite itself.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable

_CHUNK = 1 << 16


class Pump:
    """Moves bytes until the guest's side is closed.

    ``stdin`` is a descriptor, bytes, or None (nothing). ``stdout`` and ``stderr`` are descriptors
    to copy to, or None to keep what comes (``kept``). ``report`` is called with each line of the
    control channel and the monotonic time in ns at which it came.
    """

    def __init__(
        self,
        stdin: int | bytes | None,
        stdout: int | None,
        stderr: int | None,
        report: Callable[[str, int], None],
    ) -> None:
        self._report = report
        self._partial = b""
        self.guest_stdin, self._to_guest = os.pipe()
        from_stdout, self.guest_stdout = os.pipe()
        from_stderr, self.guest_stderr = os.pipe()
        self._control, self.guest_control = os.pipe()
        self._sinks: dict[int, int | None] = {from_stdout: stdout, from_stderr: stderr}
        self.kept: dict[int, bytearray] = {from_stdout: bytearray(), from_stderr: bytearray()}
        self._order = (from_stdout, from_stderr)
        self._open = {from_stdout, from_stderr, self._control}
        self._source = stdin if isinstance(stdin, int) else None
        self._pending = stdin if isinstance(stdin, bytes) else b""
        #: the sinks that nobody reads any more (a closed pipe)
        self.broken = False
        #: monotonic time in ns at which the command last wrote something; 0 before
        self.last_output_ns = 0
        os.set_blocking(self._to_guest, False)
        if self._source is None and not self._pending:
            self._close_stdin()

    @property
    def guest_ends(self) -> tuple[int, int, int, int]:
        return self.guest_stdin, self.guest_stdout, self.guest_stderr, self.guest_control

    def close_guest_ends(self) -> None:
        """Close our copies of what QEMU has inherited, so that its end is seen."""
        for descriptor in self.guest_ends:
            os.close(descriptor)

    def output(self) -> tuple[bytes, bytes]:
        """What came on stdout and stderr without a descriptor to go to."""
        out, err = self._order
        return bytes(self.kept[out]), bytes(self.kept[err])

    @property
    def ended(self) -> bool:
        """The guest's side of all streams is closed: QEMU has gone."""
        return not self._open

    def step(self, timeout_s: float) -> None:
        """Wait for something to move, at most ``timeout_s``, and move it."""
        poll = select.poll()
        for descriptor in self._open:
            poll.register(descriptor, select.POLLIN)
        if self._to_guest >= 0:
            if self._pending:
                poll.register(self._to_guest, select.POLLOUT)
            elif self._source is not None:
                poll.register(self._source, select.POLLIN)
        for descriptor, _events in poll.poll(max(0, int(timeout_s * 1000))):
            if descriptor == self._to_guest:
                self._feed()
            elif descriptor == self._source and descriptor not in self._open:
                self._take()
            elif descriptor == self._control:
                self._hear()
            else:
                self._copy(descriptor)

    def close(self) -> None:
        self._close_stdin()
        for descriptor in (*self._order, self._control):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _take(self) -> None:
        assert self._source is not None
        try:
            data = os.read(self._source, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            # A terminal that has gone (EIO), a descriptor that is for writing only.
            data = b""
        if data:
            self._pending = data
            self._feed()
        else:
            self._close_stdin()

    def _feed(self) -> None:
        try:
            sent = os.write(self._to_guest, self._pending)
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._close_stdin()
            return
        self._pending = self._pending[sent:]
        if not self._pending and self._source is None:
            self._close_stdin()

    def _close_stdin(self) -> None:
        if self._to_guest >= 0:
            os.close(self._to_guest)
            self._to_guest = -1

    def _copy(self, descriptor: int) -> None:
        data = os.read(descriptor, _CHUNK)
        if not data:
            self._open.discard(descriptor)
            return
        self.last_output_ns = time.monotonic_ns()
        sink = self._sinks[descriptor]
        if sink is None:
            self.kept[descriptor] += data
            return
        try:
            write_all(sink, data)
        except BrokenPipeError:
            self.broken = True

    def _hear(self) -> None:
        data = os.read(self._control, _CHUNK)
        now_ns = time.monotonic_ns()
        if not data:
            self._open.discard(self._control)
            return
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._report(line.decode(errors="replace"), now_ns)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data``, waiting where the descriptor is non-blocking."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            poll.poll()
