"""Which reports can spell text, and so are not shown to anybody who did not ask for it.

What people type are their passwords. So this lists what may be seen: movement, the buttons of mice,
pads and pens, sensors. Everything else is hidden: a usage that nobody thought of, or of a vendor,
is not shown.

- A report *of keys* has a key of any page on either side of the programs. Of it only the number of
  keys that are down is told, as the device says it: what programs make of a key depends on which
  key it is.
- Of a report that only has *other hidden values* beside open ones (a vendor's, of a mouse) the open
  ones are told.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyloader.hid.changes import Key
from pyloader.hid.descriptor import INPUT, Descriptor, Field
from pyloader.hid.usages import BUTTON, CONSUMER, GENERIC_DESKTOP, KEYBOARD

_SIMULATION, _VR, _SPORT, _GAME, _GENERIC_DEVICE, _LED = 0x02, 0x03, 0x04, 0x05, 0x06, 0x08
_TELEPHONY, _DIGITIZER, _HAPTICS, _SENSOR, _POWER, _BATTERY = 0x0B, 0x0D, 0x0E, 0x20, 0x84, 0x85

_OPEN_PAGES = {
    *(_SIMULATION, _VR, _SPORT, _GAME, _GENERIC_DEVICE, _LED),
    *(_DIGITIZER, _HAPTICS, _SENSOR, _POWER, _BATTERY),
}
#: X … Hat switch, Resolution Multiplier and the D-pad.
_OPEN_DESKTOP = {*range(0x30, 0x3A), 0x48, *range(0x90, 0x94)}
_AC_PAN = CONSUMER << 16 | 0x0238

#: Applications whose buttons are no keys of a keypad: pointer, mouse, stick, pad, controller of
#: many axes; of the digitizers all but the touch screen, where the keyboard is on the screen.
_POINTING = {GENERIC_DESKTOP << 16 | each for each in (1, 2, 4, 5, 8)}
_TOUCH_SCREEN = _DIGITIZER << 16 | 4

_KEY_PAGES = {GENERIC_DESKTOP, KEYBOARD, BUTTON, _TELEPHONY, CONSUMER}
_NO_KEYS = range(4)  # of the keyboard page: none, and errors such as too many keys


def is_open(field: Field, usage: int) -> bool:
    """Whether a value may be seen by anybody."""
    page, number = usage >> 16, usage & 0xFFFF
    if field.application == _TOUCH_SCREEN:
        return False
    if page == BUTTON:
        return field.application in _POINTING or field.application >> 16 in (
            _SIMULATION,
            _GAME,
            _DIGITIZER,
        )
    if page == GENERIC_DESKTOP:
        return number in _OPEN_DESKTOP and field.is_variable
    return page in _OPEN_PAGES or (usage == _AC_PAN and field.is_relative)


def is_key(field: Field, usage: int) -> bool:
    """Whether it is something that is pressed and may be text, or lead to it."""
    is_pressed = field.size == 1 or not field.is_variable
    return is_pressed and usage >> 16 in _KEY_PAGES and not is_open(field, usage)


def keys_down(values: dict[Key, int], descriptor: Descriptor, report_id: int) -> int:
    """How many keys a report says to be down."""
    keys = {
        usage
        for field in _fields(descriptor, report_id)
        for usage in field.usages
        if is_key(field, usage) and not (usage >> 16 == KEYBOARD and usage & 0xFFFF in _NO_KEYS)
    }
    return len({usage for (usage, _), value in values.items() if value and usage in keys})


@dataclass(frozen=True)
class Hidden:
    """What is hidden in one report, by its id. ``has_keys``: it is a report of keys; ``usages``
    are those of its values that are not open, on either side."""

    has_keys: bool
    usages: frozenset[int]

    @property
    def is_anything(self) -> bool:
        return self.has_keys or bool(self.usages)


#: Of a report that no descriptor has.
UNKNOWN = Hidden(True, frozenset())


class Secrets:
    """What is hidden in the reports of a device, by both descriptors of it."""

    def __init__(self, before: Descriptor, after: Descriptor) -> None:
        self._before, self._after = before, after
        # A descriptor that begins to use ids says of no report which one it was before.
        self._one_by_one = before.is_numbered[INPUT] == after.is_numbered[INPUT]
        ids = [id_ for each in (before, after) for kind, id_ in each.reports if kind == INPUT]
        self._hidden = {id_: self._of(id_) for id_ in dict.fromkeys(ids)}

    @property
    def has_keys(self) -> bool:
        """Whether any report is one of keys."""
        return any(each.has_keys for each in self._hidden.values())

    def of(self, report_id: int) -> Hidden:
        return self._hidden.get(report_id, UNKNOWN)

    def _of(self, report_id: int) -> Hidden:
        has_keys, hidden = False, set[int]()
        for each in (self._before, self._after):
            for field in _fields(each, report_id if self._one_by_one else None):
                closed = [usage for usage in field.usages if not is_open(field, usage)]
                hidden.update(closed)
                has_keys = has_keys or any(is_key(field, usage) for usage in closed)
        return Hidden(has_keys, frozenset(hidden))


def _fields(descriptor: Descriptor, report_id: int | None) -> list[Field]:
    """Of one input report, or of all."""
    if report_id is None:
        return descriptor.fields(INPUT)
    report = descriptor.reports.get((INPUT, report_id))
    return report.fields if report else []
