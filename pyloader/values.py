"""Values of BTF types: bytes to Python, Python to bytes, a user's text to Python."""

from __future__ import annotations

import re
import struct
from typing import Any

from pyloader.btf import Array, Enum, Float, Int, Pointer, Struct, Type, describe
from pyloader.errors import BadValue

_INT_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
_FLOAT_CODES = {4: "f", 8: "d"}
_TRUE, _FALSE = {"true", "on", "yes", "1"}, {"false", "off", "no", "0"}
_TIME_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


def code(t: Type) -> str | None:
    """The ``struct`` format character of a scalar type; None if it is not a scalar."""
    if isinstance(t, Int):
        if t.is_bool:
            return "?" if t.size == 1 else None
        plain = _INT_CODES.get(t.size)
        return plain.lower() if plain and t.signed else plain
    if isinstance(t, Enum):
        plain = _INT_CODES.get(t.size)
        return plain.lower() if plain and t.signed else plain
    if isinstance(t, Float):
        return _FLOAT_CODES.get(t.size)
    return "Q" if isinstance(t, Pointer) else None


def bounds(t: Type) -> tuple[int, int] | None:
    """Least and greatest value that an integer type holds."""
    if isinstance(t, Int) and t.is_bool:
        return 0, 1
    if not isinstance(t, Int | Enum):
        return None
    bits = t.size * 8
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if t.signed else (0, (1 << bits) - 1)


def decode(t: Type, data: Any) -> Any:
    """The Python value of ``data``, the bytes of one value of type ``t``.

    Integers, bools, floats; text for char arrays (up to the first NUL); lists for
    arrays, dicts for structs (bit fields as integers); bytes for anything else.
    """
    scalar = code(t)
    if scalar:
        return struct.unpack_from(f"={scalar}", data)[0]
    if isinstance(t, Array):
        if t.is_text:
            return bytes(data[: t.count]).split(b"\0", 1)[0].decode(errors="replace")
        element = code(t.element)
        if element:
            return list(struct.unpack_from(f"={t.count}{element}", data))
        step = t.element.size
        if not step:
            return []
        return [decode(t.element, data[i * step : (i + 1) * step]) for i in range(t.count)]
    if isinstance(t, Struct):
        return {m.name: _member(m.type, m.offset_bits, m.bits, data) for m in t.fields()}
    return bytes(data)


def _member(t: Type, offset_bits: int, bits: int, data: Any) -> Any:
    if not bits:
        start = offset_bits // 8
        return decode(t, data[start : start + t.size])
    start, end = offset_bits // 8, (offset_bits + bits + 7) // 8
    word = int.from_bytes(bytes(data[start:end]), "little")
    value = word >> (offset_bits - start * 8) & ((1 << bits) - 1)
    signed = isinstance(t, Int | Enum) and t.signed
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def encode(t: Type, value: Any, what: str = "value") -> bytes:
    """The bytes of ``value`` as type ``t``; BadValue if it does not fit."""
    if isinstance(t, Array):
        if t.is_text:
            return _encode_text(t, value, what)
        if isinstance(value, list | tuple) and len(value) == t.count:  # pyright: ignore[reportUnknownArgumentType]
            items: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
            return b"".join(encode(t.element, v, f"{what}[{i}]") for i, v in enumerate(items))
        raise BadValue(f"{what} is {describe(t)} and takes a list of {t.count} values")
    scalar = code(t)
    if scalar is None:
        raise BadValue(f"{what} is {describe(t)}; only numbers, text and lists of them can be set")
    limits = bounds(t)
    if limits and not isinstance(value, int):
        raise BadValue(f"{what} is {describe(t)} and takes a whole number, not {value!r}")
    if limits and not limits[0] <= value <= limits[1]:
        raise BadValue(f"{what}={value} does not fit {describe(t)} ({limits[0]} to {limits[1]})")
    try:
        return struct.pack(f"={scalar}", value)
    except struct.error as error:
        raise BadValue(f"{what}={value!r} does not fit {describe(t)}: {error}") from None


def _encode_text(t: Array, value: Any, what: str) -> bytes:
    if not isinstance(value, str):
        raise BadValue(f"{what} is {describe(t)} and takes text, not {value!r}")
    raw = value.encode()
    if len(raw) >= t.count:
        raise BadValue(f"{what} holds at most {t.count - 1} bytes of text, not {len(raw)}")
    return raw.ljust(t.count, b"\0")


def parse(t: Type, text: str, what: str = "value", unit: str = "") -> Any:
    """What a user typed, as a Python value of type ``t``.

    Integers in any base (``0x1f``, ``1_000``), with a time suffix where ``unit``
    is one (``20ms``); true/false, on/off, yes/no; enumerators by name; text as it
    stands; lists separated by commas. BadValue if it is none of these.
    """
    text = text.strip()
    if isinstance(t, Array):
        if t.is_text:
            return text
        return [parse(t.element, part, what, unit) for part in text.split(",")]
    if isinstance(t, Int) and t.is_bool:
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise BadValue(f"{what} is a switch and takes on or off, not {text!r}")
    if isinstance(t, Enum):
        named = dict(t.values).get(text)
        if named is not None:
            return named
    if isinstance(t, Int | Enum | Pointer):
        return _parse_int(text, what, unit, describe(t))
    if isinstance(t, Float):
        try:
            return float(text)
        except ValueError:
            raise BadValue(f"{what} takes a number, not {text!r}") from None
    raise BadValue(f"{what} is {describe(t)}; only numbers, text and lists of them can be set")


def _parse_int(text: str, what: str, unit: str, kind: str) -> int:
    # Longer than any number that fits: Python refuses to convert thousands of digits.
    if len(text) <= 100:
        try:
            return int(text, 0)
        except ValueError:
            pass
        if re.fullmatch(r"[0-9]+", text):  # 007: a plain decimal, which int(text, 0) refuses
            return int(text)
        timed = re.fullmatch(r"([0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?)\s*(ns|us|ms|s)", text)
        if timed and unit in _TIME_NS:
            return _in_unit(text, timed[1], timed[2], what, unit)
    counted = f" ({unit})" if unit else ""
    shown = text if len(text) <= 100 else f"{text[:20]}…"
    raise BadValue(f"{what} is {kind}{counted} and takes a whole number, not {shown!r}")


def _in_unit(text: str, number: str, suffix: str, what: str, unit: str) -> int:
    from fractions import Fraction

    scaled = Fraction(number) * _TIME_NS[suffix] / _TIME_NS[unit]
    if scaled.denominator == 1:
        return scaled.numerator
    raise BadValue(f"{what} is counted in {unit}; {text} is not a whole number of them")
