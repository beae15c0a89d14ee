"""Names of keys as keyd has them, in ours."""

from __future__ import annotations

from pyloader.hid.remap import codes

MODIFIERS = {
    "C": "leftctrl",
    "M": "leftmeta",
    "A": "leftalt",
    "S": "leftshift",
    "G": "rightalt",
}
"""By keyd's letter, in the order in which they are pressed."""

MODIFIER_LAYERS = {"control": "C", "meta": "M", "alt": "A", "shift": "S", "altgr": "G"}
"""The layers that keyd has by itself, with what each holds."""

MODIFIER_KEYS = {
    "leftctrl": "control",
    "rightctrl": "control",
    "leftmeta": "meta",
    "rightmeta": "meta",
    "leftalt": "alt",
    "leftshift": "shift",
    "rightshift": "shift",
    "rightalt": "altgr",
}
"""The layer that each key switches on unless it has another rule, which is its alias as well."""

NOTHING = "noop"

_BUTTONS = {
    "leftmouse": "btn_left",
    "rightmouse": "btn_right",
    "middlemouse": "btn_middle",
    "mouse1": "btn_side",
    "mouse2": "btn_extra",
    "mouseback": "btn_back",
    "mouseforward": "btn_forward",
}
_OF_ANOTHER_MEANING = {"menu", "print", "scrollup", "scrolldown", "scrollleft", "scrollright"}
"""Keys of keyd's that have other codes, or are turns of a wheel, than what we call so."""

_SHIFTED = dict(
    zip(
        '!@#$%^&*()_+{}:"~|<>?',
        (
            *("1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "minus", "equal", "leftbrace"),
            *("rightbrace", "semicolon", "apostrophe", "grave", "backslash", "comma", "dot"),
            "slash",
        ),
        strict=True,
    )
)


def key(name: str) -> str | None:
    """Our name of the key; None if there is none, as of one that no HID device can send."""
    if name in _OF_ANOTHER_MEANING:
        return None
    known = codes.codes_of(_BUTTONS.get(name, name))
    return codes.name_of(known[0]) if known else None


def sequence(text: str) -> tuple[str, ...] | None:
    """The keys of ``C-S-x``, ``x`` or ``!``, modifiers first; None if it is no such thing."""
    held: list[str] = []
    while text[1:2] == "-" and text[0] in MODIFIERS:
        held.append(MODIFIERS[text[0]])
        text = text[2:]
    last = key(text)
    if last is None:
        letter = text if len(text) == 1 and text.isascii() else ""
        last = key(letter.lower()) if letter.isupper() else _SHIFTED.get(letter)
        held.append(MODIFIERS["S"])
    return None if last is None else tuple(dict.fromkeys((*held, last)))


def modifiers(letters: str) -> tuple[str, ...] | None:
    """The keys that ``C-S`` stands for; None if it is no set of modifiers."""
    parts = letters.split("-")
    if not all(part in MODIFIERS for part in parts):
        return None
    return tuple(name for letter, name in MODIFIERS.items() if letter in parts)
