"""A process group that does not outlive us, whatever ends us.

QEMU runs in a session of its own, so that the terminal's Ctrl-C reaches only us and we decide.
The price is that nothing would end it if we were killed. Hence a watcher: a shell that waits on a
pipe whose other end only we hold. When we are gone, however that came, the kernel closes our end,
the watcher's read returns, and it kills the group.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from vm.programs import program

_WATCH = 'read -r group; read -r word; [ "$word" = done ] || kill -KILL -- "-$group"'


class Leashed:
    """A running command in its own session, tied to the life of this process."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        stdin: int,
        stdout: int,
        stderr: int,
        pass_fds: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it; ``environment`` is what it gets besides ours."""
        self._watcher = subprocess.Popen(
            [program("busybox"), "sh", "-c", _WATCH],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._watcher.stdin is not None
        self._line = self._watcher.stdin
        line = self._line.fileno()

        def tell_own_group() -> None:
            # In the child, before exec: no moment is left in which it runs unwatched.
            os.write(line, b"%d\n" % os.getpid())

        try:
            self.process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pass_fds=pass_fds,
                start_new_session=True,
                preexec_fn=tell_own_group,
                env={**os.environ, **environment} if environment else None,
            )
        except BaseException:
            self._release()
            raise

    def kill(self) -> None:
        """End the whole group and wait for its leader; no error if it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """Kill what still runs and release the watcher."""
        self.kill()
        self._release()

    def _release(self) -> None:
        with contextlib.suppress(OSError):
            # Two lines, so that it also ends a watcher that was never told a group.
            self._line.write(b"done\ndone\n")
            self._line.close()
        self._watcher.wait()
