"""``/proc/stat`` (proc_stat(5)): what everybody may know of each CPU's time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: The columns of a line, as far as they are told; in ticks (USER_HZ, 1/100 s).
COLUMNS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
DTYPE = np.dtype([("cpu", "u4"), *((name, "u8") for name in COLUMNS)])


def parse(text: str) -> NDArray[np.void]:
    """One record of ``DTYPE`` for each CPU that is online, in their order.

    A line that the kernel would not write is left out, and a column that it does not have is 0.
    """
    found: list[tuple[int, ...]] = []
    for line in text.splitlines():
        name, *figures = line.split()[: len(COLUMNS) + 1] or [""]
        if not name.startswith("cpu") or not _is_number(name[3:]):
            continue
        if figures and not _is_number("".join(figures)):
            continue
        ticks = [int(each) for each in figures]
        if max((*ticks, int(name[3:]) << 32), default=0) >= 1 << 64:
            continue
        found.append((int(name[3:]), *ticks, *[0] * (len(COLUMNS) - len(ticks))))
    return np.array(found, DTYPE)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def read() -> NDArray[np.void]:
    """Of this moment."""
    with open("/proc/stat", encoding="ascii", errors="replace") as file:
        return parse(file.read())


def shares(before: NDArray[np.void], after: NDArray[np.void]) -> dict[str, NDArray[np.float64]]:
    """What part of the time between two reads went to what, by CPU of ``after``.

    ``busy`` (all but idle, iowait and steal), ``irq`` (hard and soft) and ``steal`` (a hypervisor
    gave the CPU to somebody else), each 0 to 1, and NaN for a CPU that has only just come, or of
    which no time has passed. iowait may go backwards, as the kernel says.
    """
    _, old, new = np.intersect1d(before["cpu"], after["cpu"], return_indices=True)
    spent = {
        name: np.maximum(
            after[name][new].astype(np.int64) - before[name][old].astype(np.int64), 0
        ).astype(np.float64)
        for name in COLUMNS
    }
    total = sum(spent.values(), np.zeros(len(new)))
    parts = {
        "busy": total - spent["idle"] - spent["iowait"] - spent["steal"],
        "irq": spent["irq"] + spent["softirq"],
        "steal": spent["steal"],
    }
    out: dict[str, NDArray[np.float64]] = {}
    for name, part in parts.items():
        out[name] = np.full(len(after), np.nan)
        out[name][new] = np.divide(part, total, out=np.full(len(new), np.nan), where=total > 0)
    return out
