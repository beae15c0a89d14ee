"""``build/bench.json`` and the table: what was measured, and on what."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from pyloader.errors import ScxhidError
from vm.bench.result import Result

_COLUMNS = (
    "id",
    "value",
    "unit",
    "baseline value",
    "ratio",
    "interval",
    "goal",
    "met",
    "runs",
    "baseline",
)


def machine_facts() -> dict[str, Any]:
    """What the figures depend on: processor, kernels, interpreter, libraries."""
    from pyloader import libbpf
    from vm.qemu import qemu_version

    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.*)$", cpuinfo, re.M)
    return {
        "cpu": model[1] if model else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": os.uname().release,
        "python": platform.python_version(),
        "libbpf": ".".join(map(str, libbpf.version())),
        "qemu": ".".join(map(str, qemu_version() or ())) or None,
    }


def write(path: Path, results: Iterable[Result], machine: Mapping[str, Any]) -> None:
    """Write the document; results that ``path`` has of other suites stay.

    Those are replaced whose id is that of a new one, or, of a table (``schedulers/…``), all.
    """
    new = [result.to_json() for result in results]
    old = _read(path)
    measured = {_replaces(entry) for entry in new}
    kept = [entry for entry in old.get("results", []) if _replaces(entry) not in measured]
    document = {
        "machine": {**old.get("machine", {}), **machine},
        "results": sorted(kept + new, key=_place),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        partial.rename(path)
    except OSError as error:
        raise ScxhidError(f"{path} cannot be written: {error.strerror}") from None


def _replaces(entry: Mapping[str, Any]) -> str:
    """What a new entry has in common with the old ones that it takes the place of."""
    return entry["id"].split("/")[0]


def _place(entry: Mapping[str, Any]) -> int:
    from vm.bench.suites import NAMES

    return next((at for at, name in enumerate(NAMES) if entry["id"].startswith(name)), len(NAMES))


def _read(path: Path) -> dict[str, Any]:
    try:
        found: Any = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return dict(found) if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownArgumentType]


def table(results: Iterable[Result]) -> str:
    """The results as aligned columns, one line each."""
    rows = [_COLUMNS, *(_row(result.to_json()) for result in results)]
    right = {at for at, name in enumerate(_COLUMNS) if name in ("value", "baseline value", "ratio")}
    return aligned(rows, right)


def aligned(rows: Sequence[Sequence[str]], right: AbstractSet[int]) -> str:
    """Rows of as many cells each as lines; the columns numbered in ``right`` end together."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = (
        "  ".join(
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
    return "\n".join(lines)


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        entry["id"],
        f"{entry['value']:g}",
        entry["unit"],
        f"{entry['baseline_value']:g}",
        f"{entry['ratio']:g}×",
        _span(entry["interval"]),
        entry["goal"],
        "yes" if entry["met"] else "NO",
        str(entry["runs"]),
        entry["baseline"],
    )


def _span(interval: Sequence[float] | None) -> str:
    return "{:g} to {:g}".format(*interval) if interval else ""


def spent_line(spent: Mapping[str, float]) -> str:
    """What a boot's seconds went on, in one line."""
    words = {
        "compose_s": "composing the machine",
        "firmware_s": "QEMU, firmware and unpacking",
        "kernel_s": "kernel and virtme-ng's initramfs",
        "init_s": "mounts, streams and modules",
    }
    parts = (f"{words[name]} {seconds:.2f} s" for name, seconds in spent.items())
    return f"vm_boot is spent on: {', '.join(parts)}"
