"""What keyd's keys do, as actions of ours: exactly, nearly, or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pyloader.hid.remap.keyd import names
from pyloader.hid.remap.keyd.layers import MAIN, KeydLayer
from pyloader.hid.remap.keyd.notes import NotCarried
from pyloader.hid.remap.keyd.parse import leading_number
from pyloader.hid.remap.model import Action, Keys, Layer, Macro, Nothing, Simple, TapHold
from pyloader.hid.remap.read import LONGEST_MS, MOST_KEYS, MOST_STEPS
from pyloader.names import nearest

MOST_THINGS = 128
"""Presses, releases and ends of reports of one macro: as many as the program keeps room for."""

_TAP_MS = 200  # how long a key may be down that is a modifier when it is held
_CALL = re.compile(r"([a-z0-9]+)\((.*)\)\s*$", re.DOTALL | re.ASCII)
_PAUSE = re.compile(r"\d+ms$", re.ASCII)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "(": "(", ")": ")"}

_NO_COUNTERPART = {
    "swap": ("no layer takes the place of another while a key is held", "use a layer and a toggle"),
    "clear": ("nothing switches all layers off", 'use { toggle = "…" } for each'),
    "command": (
        "the kernel starts no programs",
        "press a key such as f13 and bind that on the desktop",
    ),
    "scroll": ("movement of a mouse is not turned into scrolling", ""),
}
_SAME_AS = {
    "swapm": "swap",
    "swap2": "swap",
    "clearm": "clear",
    "command2": "command",
    "scrollt": "scroll",
}
_OLD_NAMES = {"overload2": "overloadt", "overload3": "overloadt2", "toggle2": "togglem"}

REPEATS = "keyd types a macro again and again while its key is held; here it is typed once"


class Actions:
    """Turns values into actions. In ``differences`` it is said in what they differ from keyd's."""

    def __init__(self, layers: Mapping[str, KeydLayer], overload_tap_ms: int) -> None:
        self._layers, self._overload_tap_ms = layers, overload_tap_ms
        self.differences: list[str] = []

    def action(self, text: str) -> Action:
        """What a key does.

        Raises:
            NotCarried: it has no counterpart, or keyd does not know it either.
        """
        name, arguments = call(text)
        name = _OLD_NAMES.get(name, name)
        if name in ("overload", "overloadt", "overloadt2"):
            return self._overload(name, arguments)
        if name == "lettermod":
            layer, key, idle, hold = _exactly(name, arguments, 4)
            self._no_idle_time(idle)
            return self._tap_hold(key, self._layer("layer", layer), hold, "release")
        if name == "overloadi":
            _, second, idle = _exactly(name, arguments, 3)
            self._no_idle_time(idle)
            if call(second)[0] == name:
                raise NotCarried("there is no time without typing that decides", "")
            return self.action(second)
        if name == "timeout":
            tap, after, hold = _exactly(name, arguments, 3)
            self.differences.append(
                "another key that is pressed before the time is up waits until it is clear; for"
                " keyd it decides at once that the first action is meant"
            )
            return self._tap_hold(tap, self.simple(hold), after, "timeout")
        return self.simple(text)

    def simple(self, text: str) -> Simple:
        """The same for what may stand inside of others.

        Raises:
            NotCarried: as for ``action``.
        """
        if text == names.NOTHING:
            return Nothing()
        pressed = names.sequence(text)
        if pressed is not None:
            own_layer = names.MODIFIER_KEYS.get(pressed[0]) if len(pressed) == 1 else None
            if own_layer and not self._layers[own_layer].is_modifier:
                return self._layer("layer", own_layer)
            return self._keys(pressed)
        name, arguments = call(text)
        name = _OLD_NAMES.get(name, name)
        if name in ("layer", "toggle", "oneshot"):
            return self._layer(name, *_exactly(name, arguments, 1))
        if name in ("layerm", "togglem", "oneshotm"):
            layer, _ = _exactly(name, arguments, 2)
            self.differences.append("the macro is left out: a key either types or switches a layer")
            return self._layer(name[:-1], layer)
        if name == "setlayout":
            return self._layout(*_exactly(name, arguments, 1))
        if name == "macro":
            return self._macro(text)
        if name == "macro2":
            self.differences.append(REPEATS)
            return self._macro(_exactly(name, arguments, 3)[2])
        if _SAME_AS.get(name, name) in _NO_COUNTERPART:
            raise NotCarried(*_NO_COUNTERPART[_SAME_AS.get(name, name)])
        if name:
            raise NotCarried(
                f"{name}() does not stand inside of another action, or is none of keyd's"
            )
        raise NotCarried(f"{_unknown_key(text)}")

    # ---- layers

    def _layer(self, how: str, name: str) -> Simple:
        layer = self._layers.get(name)
        if layer is None or name == MAIN:
            meant = nearest(name[:60], [each for each in self._layers if each != MAIN])
            hint = f"it may mean {' or '.join(meant)}" if meant else ""
            raise NotCarried(f"{name[:60]!r} is no layer that can be switched on", hint)
        if how == "layer" and layer.is_modifier:
            return Keys(layer.held)
        return Layer(how, layer.ours)

    def _layout(self, name: str) -> Simple:
        layer = self._layers.get(name)
        if name == MAIN or layer is None or not layer.is_layout:
            raise NotCarried(
                "there are no layouts of which one counts",
                'let the key that switches one on, { toggle = "…" }, switch it off as well',
            )
        self.differences.append(
            "the key switches the layer on and off again; others that are on stay on"
        )
        return Layer("toggle", layer.ours)

    # ---- tapped or held

    def _overload(self, name: str, arguments: list[str]) -> TapHold:
        if name != "overload":
            layer, tap, after = _exactly(name, arguments, 3)
            resolve = "timeout" if name == "overloadt" else "release"
            return self._tap_hold(tap, self._layer("layer", layer), after, resolve)
        layer, tap = _exactly(name, arguments, 2)
        hold = self._layer("layer", layer)
        held = self._layers[layer].held
        if held:
            ms = self._overload_tap_ms or _TAP_MS
            limit = "" if self._overload_tap_ms else f", and a tap is shorter than {ms} ms"
            self.differences.append(
                f"{'+'.join(held)} is pressed with the next key or after {ms} ms, not at"
                f" once{limit}"
            )
            return self._tap_hold(tap, hold, str(ms), "press")
        ms = self._overload_tap_ms or LONGEST_MS
        return self._tap_hold(tap, hold, str(ms), "press")

    def _tap_hold(self, tap: str, hold: Simple, after: str, resolve: str) -> TapHold:
        ms = leading_number(after)
        within = min(max(ms, 1), LONGEST_MS)
        if within != ms:
            self.differences.append(f"the time is {within} ms: it can be 1 to {LONGEST_MS}")
        return TapHold(self.simple(tap), hold, within, resolve)

    def _no_idle_time(self, text: str) -> None:
        self.differences.append(
            f"that within {leading_number(text)} ms of another key it is always tapped has no"
            " counterpart: while typing fast it can be taken as held"
        )

    # ---- keys

    def _keys(self, pressed: tuple[str, ...]) -> Keys:
        if len(pressed) > MOST_KEYS:
            raise NotCarried(f"it presses {len(pressed)} keys at once; {MOST_KEYS} is the most")
        return Keys(pressed)

    def _macro(self, text: str) -> Simple:
        name, _ = call(text)
        if name == "macro":
            inside = text.strip()[len("macro(") : -1]
            text = _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[0]), inside)
        steps: list[Keys] = []
        for token in text.split():
            steps += self._steps(token)
        if not steps:
            raise NotCarried("it types nothing")
        things = sum(2 * len(step.names) + 2 for step in steps)
        if len(steps) > MOST_STEPS or things > MOST_THINGS:
            raise NotCarried(
                f"it types {len(steps)} keys; a macro has up to {MOST_STEPS} and up to"
                f" {MOST_THINGS} presses and releases"
            )
        self.differences.append(REPEATS)
        return Macro(tuple(steps))

    def _steps(self, token: str) -> list[Keys]:
        pressed = names.sequence(token)
        if pressed is not None:
            return [self._keys(pressed)]
        if _PAUSE.match(token):
            self.differences.append("pauses are left out of the macro")
            return []
        parts = [part for part in token.split("+") if part]
        if "+" in token and all(names.key(part) or _PAUSE.match(part) for part in parts):
            together = [name for part in parts if (name := names.key(part))]
            return [self._keys(tuple(dict.fromkeys(together)))] if together else []
        letters: list[Keys] = []
        for letter in token:
            pressed = names.sequence(letter)
            if pressed is None:
                raise NotCarried(f"{letter!r} is on no key", _COMPOSE)
            letters.append(Keys(pressed))
        return letters


_COMPOSE = "write a macro that begins with the desktop's compose key"


def call(text: str) -> tuple[str, list[str]]:
    """Name and arguments of ``name(…, …)``; an empty name if it is none."""
    found = _CALL.match(text.strip())
    if found is None:
        return "", []
    arguments, depth, begun, at = list[str](), 0, 0, 0
    inside = found[2]
    while at < len(inside):
        letter = inside[at]
        if letter == "\\":
            at += 1
        elif letter in "()":
            depth += 1 if letter == "(" else -1
        elif letter == "," and not depth:
            arguments.append(inside[begun:at])
            begun = at + 1
        at += 1
    arguments.append(inside[begun:])
    return found[1], [each.strip() for each in arguments if each.strip()]


def _exactly(name: str, arguments: list[str], number: int) -> list[str]:
    if len(arguments) != number:
        raise NotCarried(f"{name}() takes {number} arguments, not {len(arguments)}")
    return arguments


def _unknown_key(text: str) -> str:
    if len(text) == 1 and not text.isascii():
        return f"{text!r} is on no key; {_COMPOSE}"
    return f"{text[:60]!r} is no key that a HID device can send, and no action"
