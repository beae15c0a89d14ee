"""What the verifier knows about a register, put into words.

The verifier prints a register as a type, sometimes a number, and attributes in parentheses:
``map_value_or_null(id=1,map=values,ks=4,vs=80)``, ``fp-8``, ``scalar(smin=0,smax=umax=255,…)``,
``trusted_ptr_task_struct()``, ``7``. Up to 5.17 a number was ``inv7`` or
``inv(id=0,umax_value=9)``; a ``P`` marks a value that must be exact and is left out here.
Printed by kernel/bpf/log.c.
"""

from __future__ import annotations

import re

_VALUE = re.compile(
    r"(?P<type>[A-Za-z_][A-Za-z_0-9]*?)?(?P<offset>[+-]?[0-9]+)?(?:\((?P<attrs>.*)\))?$", re.S
)
_NUMBER = re.compile(r"-?(?:0x[0-9a-fA-F]{1,16}|[0-9]{1,20})$")
_PTR = re.compile(r"(?P<flags>(?:[a-z]+_)*?)ptr_(?P<null>or_null_)?(?P<struct>[A-Za-z_0-9]*)$")

_TRUST = {
    "trusted_": "the kernel vouches for it",
    "rcu_": "valid only inside an RCU read section",
    "untrusted_": "the kernel does not vouch for it",
    "user_": "in user memory",
    "percpu_": "per CPU",
    "rdonly_": "read-only",
}

_PLAIN = {
    "ctx": "the program's context",
    "map_ptr": "a map",
    "map_key": "a key of a map",
    "pkt": "packet data",
    "pkt_meta": "packet metadata",
    "pkt_end": "the end of the packet",
    "flow_keys": "flow keys",
    "sock": "a socket",
    "sock_common": "a socket",
    "tcp_sock": "a TCP socket",
    "xdp_sock": "an XDP socket",
    "tp_buffer": "a tracepoint's buffer",
    "buf": "a buffer",
    "arena": "an arena address",
    "func": "a callback function",
    "dynptr_ptr": "a dynptr",
    "dynptr": "a dynptr",
    "insn": "a code address",
}
_GLOBALS = {
    "rodata": "constants (.rodata)",
    "data": "global variables (.data)",
    "bss": "global variables (.bss)",
}
_SCALARS = {"scalar", "inv", "unknown", "imm"}


def words(raw: str) -> str:
    """A register's value as the verifier printed it → a noun phrase; an unknown form as it is."""
    value = raw.strip()
    if value.startswith("P") and not value.startswith("Ptr"):
        value = value[1:]
    if _NUMBER.match(value):
        return f"the number {_tidy(value)}"
    match = _VALUE.match(value)
    if match is None or not match["type"]:
        return value or "unknown"
    kind, offset = match["type"], match["offset"] or ""
    if kind.startswith("inv") and kind != "inv":
        kind = "inv"
    attrs = attributes(match["attrs"] or "")
    if kind in _SCALARS:
        return f"the number {offset}" if offset else _scalar(attrs)
    return _pointer(kind, offset, attrs) + _reference(attrs)


def attributes(text: str) -> dict[str, str]:
    """``smin=0,smax=umax=9,var_off=(0x0; 0xf)`` → each name with its value."""
    found: dict[str, str] = {}
    for part in text.split(","):
        *names, value = part.split("=")
        for name in names:
            found[name.strip()] = value.strip()
    return found


def may_be_null(raw: str) -> bool:
    """Whether the register may hold NULL."""
    return "_or_null" in raw.split("(", 1)[0]


def _pointer(kind: str, offset: str, attrs: dict[str, str]) -> str:
    nullable = may_be_null(kind)
    null = " that may be NULL" if nullable else ""
    base = kind.removesuffix("_or_null") if nullable else kind
    if base == "fp":
        return _stack(offset, attrs)
    if base == "map_value":
        of = f" of map {attrs['map']}" if "map" in attrs else ""
        section = attrs.get("map", "").rpartition(".")[2]
        if section in _GLOBALS:
            return f"a pointer into the program's {_GLOBALS[section]}{_displaced(attrs)}"
        size = f" ({attrs['vs']} bytes)" if "vs" in attrs else ""
        return f"a pointer to a value{of}{size}{null}{_displaced(attrs)}"
    if base == "map_ptr":
        return f"the map {attrs['map']}" if "map" in attrs else "a map"
    if base in ("mem", "ringbuf_mem", "rdonly_mem", "alloc_mem", "dynptr_mem"):
        what = "a reserved ring buffer record" if base.startswith("ringbuf") else "memory"
        size = attrs.get("sz", attrs.get("mem_size", ""))
        return f"a pointer to {what}{f' of {size} bytes' if size else ''}{null}{_displaced(attrs)}"
    match = _PTR.match(kind)
    if match is not None:
        trust = [_TRUST[flag + "_"] for flag in match["flags"].split("_") if flag + "_" in _TRUST]
        struct = f"struct {match['struct']}" if match["struct"] else "a kernel object"
        null = " that may be NULL" if match["null"] or nullable else ""
        why = f", {', '.join(trust)}" if trust else ""
        return f"a pointer to {struct}{null}{why}{_displaced(attrs)}"
    return f"{_PLAIN.get(base, base)}{null}{_displaced(attrs)}"


def _stack(offset: str, attrs: dict[str, str]) -> str:
    below = offset.lstrip("-+") if offset not in ("", "0", "+0", "-0") else ""
    if not below and attrs.get("off", "0").lstrip("-") != "0":
        below = attrs["off"].lstrip("-")
    where = f"{below} bytes below the frame's top" if below else "the frame's top"
    moved = _range(attrs)
    return f"a stack address, {where}{f', plus {moved}' if moved else ''}"


def _displaced(attrs: dict[str, str]) -> str:
    moved = _range(attrs)
    offset = attrs.get("off", "0")
    parts = [f"offset {offset}"] if offset != "0" else []
    if moved:
        parts.append(f"plus {moved}")
    return f", {' '.join(parts)}" if parts else ""


def _reference(attrs: dict[str, str]) -> str:
    held = attrs.get("ref_obj_id", "0") not in ("0", "")
    return ", holding a reference that must be released" if held else ""


def _scalar(attrs: dict[str, str]) -> str:
    span = _range(attrs)
    return f"a number {span.removeprefix('a number ')}" if span else "a number of any value"


def _range(attrs: dict[str, str]) -> str:
    """The tightest range that the attributes give, or nothing when they give none."""
    low = _integer(attrs.get("smin", attrs.get("smin_value")), signed=True)
    high = _integer(attrs.get("smax", attrs.get("smax_value")), signed=True)
    least = _integer(attrs.get("umin", attrs.get("umin_value")))
    most = _integer(attrs.get("umax", attrs.get("umax_value")))
    if low is not None and low < 0:
        above = f" to {high}" if high is not None else " up"
        return f"a number from {low}{above}"
    if most is not None and most >= 1 << 63 and low is None:
        return ""
    if most is not None and (low is not None or least is not None or high is None or high >= 0):
        return f"a number from {least or low or 0} to {most}"
    if high is not None:
        return f"a number up to {high}, possibly negative"
    return f"a number from {least} up" if least is not None else ""


def _integer(text: str | None, signed: bool = False) -> int | None:
    if text is None or not _NUMBER.match(text):
        return None
    number = int(text, 16 if "0x" in text else 10)
    return number - (1 << 64) if signed and number >= 1 << 63 else number


def _tidy(text: str) -> str:
    number = _integer(text)
    return text if number is None or number < 1 << 16 else f"{number} ({text})"
