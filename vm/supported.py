"""The kernel series that scxhid is made for and tested on: the one list.

``scxhid vm test --kernel all`` runs the newest kernel of each that the archive still offers.
"""

from __future__ import annotations

#: From the first series with HID-BPF, sched_ext and Debian images in one, to the newest.
SERIES = ("6.16", "6.17", "6.18", "6.19", "7.0", "7.1", "7.2", "7.3")
