"""``scxhid hid``: everything about HID devices."""

from __future__ import annotations

import click

from pyloader.cli.lazy import LazyGroup, Target

_SHOW, _CHANGE = "pyloader.cli.hid_show", "pyloader.cli.hid_change"
_RECORD = "pyloader.cli.hid_record"

TARGETS = {
    "list": Target(f"{_SHOW}:list_", "the devices that there are"),
    "info": Target(f"{_SHOW}:info", "what one is, what it sends, what is attached to it"),
    "attach": Target(f"{_CHANGE}:attach", "a program to a device"),
    "detach": Target(f"{_CHANGE}:detach", "it, or all of them, off again"),
    "knobs": Target(f"{_CHANGE}:knobs", "the knobs of a program on a device"),
    "set": Target(f"{_CHANGE}:set_", "turn them while it works"),
    "stats": Target(f"{_CHANGE}:stats", "what it counts"),
    "remap": Target(
        "pyloader.cli.hid_remap:remap", "keys, buttons and axes by the rules of a file"
    ),
    "import": Target("pyloader.cli.hid_import:import_", "such a file out of another remapper's"),
    "record": Target(f"{_RECORD}:record", "write down what one sends"),
    "replay": Target(f"{_RECORD}:replay", "a device that sends what was recorded"),
}


@click.group(cls=LazyGroup, targets=TARGETS)
def hid() -> None:
    """Look at HID devices (keyboards, mice, pads, tablets), and change what they send.

    A program is a small C file that the kernel checks and then passes every report of
    the device through, before anybody sees it. No daemon is in the way.

    A device is named by its name in sysfs (0003:046D:C52B.0004), by its vendor and
    product (046d:c52b), or by a part of its name that no other device has.

    \b
    Examples:
      scxhid hid list
      scxhid hid info 046d:c52b
      scxhid hid info "gaming mouse" --items      the descriptor, item by item
      scxhid hid attach axes --device 046d:c216 dead_zone=80
      scxhid hid remap mine.toml --check
      scxhid hid import keyd /etc/keyd/default.conf
      scxhid hid record 046d:c52b -o mouse.hid
      scxhid hid replay mouse.hid
    """
