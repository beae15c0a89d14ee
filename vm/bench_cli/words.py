"""Lists and sizes as they are typed, strictly."""

from __future__ import annotations

import re

from pyloader.errors import WrongUse

_SIZE = re.compile(r"([1-9][0-9]{0,5})([MG])", re.ASCII)

_LEAST_MIB = 512


def words_of(option: str, text: str) -> tuple[str, ...]:
    """``A,B,…``; nothing for an empty text. WrongUse for an empty word."""
    if not text:
        return ()
    words = tuple(word.strip() for word in text.split(","))
    if not all(words):
        raise WrongUse(f"{option} takes names with commas between, not {text!r}")
    return words


def schedulers_of(text: str) -> tuple[str, ...]:
    """The same of --sched, which must name one."""
    if not text:
        raise WrongUse("--sched is missing: name schedulers, as in --sched kernel,simple")
    return words_of("--sched", text)


def cpu_numbers(option: str, text: str) -> tuple[int, ...]:
    """``1,2,4``, each from 1 to 64; nothing for an empty text."""
    numbers: list[int] = []
    for word in words_of(option, text):
        if not (word.isascii() and word.isdecimal() and 1 <= int(word) <= 64):
            raise WrongUse(f"{option} takes numbers from 1 to 64 with commas between, not {word!r}")
        numbers.append(int(word))
    return tuple(numbers)


def mebibytes(option: str, text: str) -> int:
    """``2G`` or ``1536M`` in MiB."""
    found = _SIZE.fullmatch(text)
    size = int(found[1]) * (1024 if found[2] == "G" else 1) if found else 0
    if not found or size < _LEAST_MIB:
        raise WrongUse(
            f"{option} takes a size such as 2G or 1536M, at least {_LEAST_MIB}M, not {text!r}"
        )
    return size
