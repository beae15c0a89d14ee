"""The hidraw node of a device: reports as they are behind all programs and the kernel's driver."""

from __future__ import annotations

import os

from pyloader.errors import NotPermitted, ScxhidError
from pyloader.hid.device import Device


def open_node(device: Device) -> int:
    """A descriptor that does not block; the caller closes it. While it is open the device sends.

    Raises:
        ScxhidError: there is none, or it cannot be read; NotPermitted: needs root.
    """
    if not device.node.hidraw:
        raise ScxhidError(
            f"{device.sysname} ({device.name}) has no hidraw node, so its reports cannot be read"
        )
    path = f"/dev/{device.node.hidraw}"
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except PermissionError:
        raise NotPermitted(f"{path} cannot be read: run scxhid as root") from None
    except OSError as error:
        raise ScxhidError(f"{path} cannot be read: {error.strerror}") from None
