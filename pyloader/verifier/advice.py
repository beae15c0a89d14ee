"""Which class of refusal a message belongs to, and the advice filled in for the case at hand."""

from __future__ import annotations

import re
from functools import cache

from pyloader.verifier.catalogue import LIBBPF, Entry
from pyloader.verifier.memory import MEMORY
from pyloader.verifier.rules import RULES

# Bounds the time that the patterns take on senseless text; real words are far shorter.
_CHARS = 5000


class _Blanks(dict[str, str]):
    """Names that a pattern did not find stand for themselves in general words."""

    def __missing__(self, key: str) -> str:
        return "it"


def advise(
    message: str, source: str = "", register: str = "", origin: str = ""
) -> tuple[Entry | None, str]:
    """The entry whose wording is in ``message``, and its advice; (None, "") for an unknown one.

    ``source`` is the refused source line, ``register`` the register in question (``r0``) and
    ``origin`` where its value came from, as an insertion (`` (from line 75)``).
    """
    message, source = message[:_CHARS], source[:_CHARS]
    for entry, patterns, source_pattern in _compiled():
        if source_pattern is not None and source_pattern.search(source) is None:
            continue
        for pattern in patterns:
            match = pattern.search(message)
            if match is None:
                continue
            names = {name: text for name, text in match.groupdict().items() if text}
            names |= {"register": register or "the pointer", "origin": origin}
            return entry, _capital(entry.advice.format_map(_Blanks(names)))
    return None, ""


@cache
def _compiled() -> tuple[tuple[Entry, tuple[re.Pattern[str], ...], re.Pattern[str] | None], ...]:
    return tuple(
        (
            entry,
            tuple(re.compile(pattern) for pattern in entry.patterns),
            re.compile(entry.source) if entry.source else None,
        )
        for entry in LIBBPF + MEMORY + RULES
    )


def _capital(text: str) -> str:
    return text if text.startswith(("scx_", "bpf_")) else text[:1].upper() + text[1:]
