"""The C module itself, and how a call that fails is told."""

from __future__ import annotations

import errno as errno_names
import os
from typing import TYPE_CHECKING, Any

from pyloader.errors import Unsupported

if TYPE_CHECKING:
    ffi: Any = object()
    lib: Any = object()
else:
    try:
        from pyloader._libbpf import ffi, lib
    except ImportError as error:
        raise Unsupported(
            f"the libbpf module of scxhid cannot be imported ({error}); "
            "in a checkout `make setup` builds it, elsewhere reinstall scxhid"
        ) from None

NULL: Any = ffi.NULL
_ENOTSUPP = 524  # inside the kernel only, but bpf(2) lets it out


class CallFailed(OSError):
    """A libbpf call that failed; ``errno`` and ``words``, libbpf's own messages, say why."""

    def __init__(self, call: str, errno: int, words: str = "") -> None:
        if errno in errno_names.errorcode:
            reason = os.strerror(errno)
        elif errno == _ENOTSUPP:
            reason = "the kernel does not support it"
        else:
            reason = f"libbpf error {errno}"
        super().__init__(errno, f"{call}: {reason}")
        self.words = words


def version() -> tuple[int, int]:
    """Version of the libbpf that is linked in."""
    return lib.libbpf_major_version(), lib.libbpf_minor_version()


def text(pointer: Any) -> str:
    """A C string; empty for NULL."""
    return ffi.string(pointer).decode(errors="replace") if pointer else ""


def words() -> str:
    """libbpf's messages since the last ``shim_log_start`` of this thread."""
    return text(lib.shim_log_text())


def check(result: int, call: str) -> int:
    """``result``, or CallFailed if it is negative."""
    if result < 0:
        raise CallFailed(call, lib.shim_errno(), words())
    return result


def check_pointer(pointer: Any, call: str) -> Any:
    """``pointer``, or CallFailed if it is NULL."""
    if pointer == NULL:
        raise CallFailed(call, lib.shim_errno(), words())
    return pointer
