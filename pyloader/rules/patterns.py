"""Names with stars: ``*`` stands for any characters (a slash too), ``?`` for one byte."""

from __future__ import annotations


def is_plain(pattern: str) -> bool:
    """Whether it has neither ``*`` nor ``?``."""
    return not {"*", "?"} & set(pattern)


def literal_bytes(pattern: str) -> int:
    """How many bytes a name must have at least to fit."""
    return len(pattern.replace("*", "").encode())


def covers(wide: str, narrow: str, below: bool = False) -> bool:
    """Whether every name that fits ``narrow`` surely fits ``wide``.

    False where that would take more than a look. With ``below`` a pattern also fits
    what continues after a slash, as those of cgroups do.
    """
    if wide == narrow or wide == "*":
        return True
    if below and is_plain(wide):
        return narrow.startswith(f"{wide}/")
    if is_plain(narrow) and fits(wide, narrow):
        return True
    stem = wide.removesuffix("*")
    return wide.endswith("*") and is_plain(stem) and _stem(narrow).startswith(stem)


def fits(pattern: str, name: str) -> bool:
    """Whether ``name`` as a whole fits ``pattern``."""
    import re

    parts = {b"*": b".*", b"?": b"."}
    raw = pattern.encode()
    letters = (raw[i : i + 1] for i in range(len(raw)))
    expression = b"".join(parts.get(c) or re.escape(c) for c in letters)
    return re.fullmatch(expression, name.encode(), re.DOTALL) is not None


def _stem(pattern: str) -> str:
    """What every name that fits begins with."""
    return pattern.split("*")[0].split("?")[0]
