"""Files of rules in TOML, of whatever rules: found by name, read within limits, decoded."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from pyloader.errors import BadRules, ScxhidError
from pyloader.names import nearest


def contents(path: str, largest: int) -> bytes:
    """The bytes of the file; of one that is longer than ``largest`` one more than that.

    Raises:
        ScxhidError: it cannot be read.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            return file.read(largest + 1)
    except IsADirectoryError:
        raise ScxhidError(f"{path} is a directory, not a file") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ScxhidError(f"{path} cannot be read: {why}") from None


def parse(raw: bytes, path: str, largest: int) -> tuple[str, dict[str, Any]]:
    """What the bytes say, as text and as TOML; ``path`` is only for errors.

    Raises:
        BadRules: there are more than ``largest``, or they are no TOML; its cause is the
            parser's own error.
    """
    if len(raw) > largest:
        raise BadRules(path, "", "", f"is longer than {largest >> 20} MiB: no rules are")
    try:
        text = raw.decode()
        return text, tomllib.loads(text)
    except UnicodeDecodeError as error:
        why = f"is not UTF-8 text: byte {error.start} is 0x{raw[error.start]:02x}"
        raise BadRules(path, "", "", why) from error
    except RecursionError:
        raise BadRules(path, "", "", "nests too deep to be rules") from None
    except ValueError as error:
        raise BadRules(path, "", "", f"is not TOML: {error}") from error


def shown(value: Any) -> str:
    """A value of such a file as it may stand in a sentence."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits
        return "far too large"
    text = {"True": "true", "False": "false"}.get(text, text)
    return text if len(text) <= 60 else f"{text[:57]}..."


def find_file(text: str, kind: str, shipped: Path, beside: str = "") -> str:
    """The path that ``text`` is, from the folder ``beside`` on, or that of the file of this name in
    the folder ``shipped``; ``kind`` is what those are called in a sentence.

    Raises:
        ScxhidError: it is a name, and there is neither.
    """
    path = os.path.join(beside, text)
    if "/" in text or "." in text or not text or os.path.exists(path):
        return path
    names = shipped_names(shipped)
    if text in names:
        return str(shipped / f"{text}.toml")
    meant = nearest(text[:60], names)
    hint = f"did you mean {' or '.join(meant)}?" if meant else f"there are {', '.join(names)}"
    raise ScxhidError(f"there is no file {text[:60]!r} and no {kind} of that name; {hint}")


def shipped_names(shipped: Path) -> list[str]:
    """Names of the files in a folder of such."""
    return sorted(path.stem for path in shipped.glob("*.toml"))
