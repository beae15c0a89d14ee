"""Which of QEMU's accelerators works here."""

from __future__ import annotations

from collections.abc import Callable

from vm.kernels import Kernel


def resolve(wish: str, kernel: Kernel, *, say: Callable[[str], None] | None = None) -> str:
    """``kvm`` or ``tcg`` for ``kvm``, ``tcg`` or ``auto``."""
    return "tcg" if wish == "auto" else wish
