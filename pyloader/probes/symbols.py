"""Where the kernel keeps its variables (``/proc/kallsyms``), for those that BTF does not name."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

_BLOCK = 1 << 18  # bytes


def address(name: str, path: Path = Path("/proc/kallsyms")) -> int:
    """Of a variable or function of the kernel itself, none of a module's; 0 where there is none, or
    the kernel tells nobody (``kernel.kptr_restrict``).

    Lines are an address in base 16, a letter, and the name. Looking for the name as bytes takes
    0.4 s in an emulated machine, where libbpf, which reads 200,000 lines one by one, takes 1.4 s.
    """
    wanted, rest = f" {name}\n".encode(), b"\n"
    try:
        with path.open("rb", buffering=0) as file:
            while block := file.read(_BLOCK):
                text = rest + block
                if (found := text.find(wanted)) >= 0:
                    line = text[text.rfind(b"\n", 0, found) + 1 : found]
                    return int(line.split()[0], 16)
                rest = text[text.rfind(b"\n") :]
    except (OSError, ValueError, IndexError):
        pass  # as if there were none
    return 0


def functions(names: Collection[str], path: Path = Path("/proc/kallsyms")) -> set[str]:
    """Which of these functions the kernel or one of its modules has, as far as it tells."""
    found: set[str] = set()
    text = b"\n"
    try:
        with path.open("rb", buffering=0) as file:
            while block := file.read(_BLOCK):
                text += block
                found |= {n for n in names if any(_ends(n, c) in text for c in b"\n\t")}
                text = text[text.rfind(b"\n") :]
    except OSError:
        pass  # as if there were none
    return found


def _ends(name: str, character: int) -> bytes:
    """A line of the kernel ends with the name, one of a module goes on with that of the module."""
    return f" {name}".encode() + bytes([character])
