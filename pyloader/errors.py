"""Every error that scxhid raises on purpose, each with the data that explains it.

An error is one sentence (what, which object, why, what to do) and carries the
exit status that the command line documents: 1 it failed and nothing is left
half-done, 2 wrong use, 3 this machine cannot do it, 4 permission.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pyloader.exitinfo import ExitInfo
    from pyloader.verifier import Refusal


class ScxhidError(Exception):
    """Base of all errors raised on purpose; ``str()`` is one sentence for the user."""

    exit_status = 1


class WrongUse(ScxhidError):
    """The request itself is wrong: an unknown name, a value of the wrong type or out of range."""

    exit_status = 2


class UnknownName(WrongUse):
    """A name that does not exist; ``nearest`` are the closest ones that do."""

    def __init__(self, kind: str, name: str, nearest: Sequence[str] = (), hint: str = "") -> None:
        self.kind = kind
        self.name = name
        self.nearest = tuple(nearest)
        text = f"no {kind} is called {name!r}"
        if self.nearest:
            text += f"; did you mean {' or '.join(self.nearest)}?"
        if hint:
            text += f"{'' if self.nearest else ';'} {hint}"
        super().__init__(text)


class BadValue(WrongUse):
    """A value that a knob, a variable or a struct_ops field does not take."""


class Unsupported(ScxhidError):
    """This machine cannot do it: a missing kernel feature, tool or library."""

    exit_status = 3


class NotPermitted(ScxhidError):
    """The kernel or the file system refused for want of privilege."""

    exit_status = 4


class BadObject(ScxhidError):
    """A file that is not a BPF object this machine can load (no ELF, truncated, no BTF, …)."""


class BadRules(ScxhidError):
    """A file of rules that cannot be followed; ``place`` is a table of it, ``key`` one of its keys.

    Both are empty where the fault is that of the whole file.
    """

    def __init__(self, path: str, place: str, key: str, why: str) -> None:
        self.path, self.place, self.key = path, place, key
        where = " ".join(word for word in (place, key) if word)
        super().__init__(f"{path}: {where} {why}" if where else f"{path} {why}")


class CompileError(ScxhidError):
    """clang refused the source; ``diagnostics`` are its words, unchanged."""

    def __init__(self, source: str, diagnostics: str) -> None:
        self.source = source
        self.diagnostics = diagnostics
        super().__init__(f"{source} does not compile; clang's diagnostics are above")


class LoadError(ScxhidError):
    """The kernel refused the object; ``errno`` and ``log`` (libbpf's words) say more."""

    def __init__(self, message: str, errno: int = 0, log: str = "") -> None:
        self.errno = errno
        self.log = log
        super().__init__(message)


class VerifierError(LoadError):
    """The verifier refused a program.

    ``refusal`` holds the source line, the registers that matter and advice;
    ``log`` the whole verifier log. ``source_path`` is the C file, where it is known.
    """

    source_path: Path | None = None

    def __init__(self, message: str, refusal: Refusal, errno: int = 0, log: str = "") -> None:
        self.refusal = refusal
        super().__init__(message, errno, log)


class AttachError(ScxhidError):
    """The kernel refused the attach, or accepted it and did not run the scheduler."""


class ProbeRefused(AttachError):
    """The program itself says that it is not for this device."""


class CannotHost(AttachError):
    """The kernel does not let the host call it; it can be attached by itself."""


class Ejected(AttachError):
    """The kernel threw the scheduler out; ``info`` says why."""

    def __init__(self, message: str, info: ExitInfo) -> None:
        self.info = info
        super().__init__(message)


class Interrupted(ScxhidError):
    """Ctrl-C in the middle of a change, which was undone."""

    exit_status = 130


class Busy(ScxhidError):
    """Somebody else is in the way: another scheduler, or another scxhid command."""


class Gone(ScxhidError):
    """What was asked for is no longer there (a pin, a scheduler that has exited)."""
