from dataclasses import dataclass

import numpy as np

STAGES = ("fixups", "core", "wake", "wait", "read")


@dataclass(frozen=True)
class DeviceLatency:
    device: str
    name: str
    total: np.ndarray
    stages: np.ndarray
    reports: int
    events: int
    coalesced: int
    dropped: int
    unread: int
