"""In the guest: HID devices that type and move, and what becomes of it (programs/hid_reports.c)."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pyloader.closing import Closing
from pyloader.errors import ScxhidError
from vm.bench.floor import BUILD, ROOT, Floor, compile_floor, compile_program

if TYPE_CHECKING:
    from pyloader.hid.device import Device

VENDOR = 0x1209

#: Keys in an array of six and modifiers, as a USB keyboard has while it boots.
KEYBOARD = (
    "05010906a101050719e029e7150025017501950881029501750881039505750105081901290591029501"
    "7503910395067508150025650507190029658100c0"
)
#: Three buttons, and x, y and a wheel of a byte each.
MOUSE = (
    "05010902a1010901a100050919012903150025019503750181029501750581030501"
    "0930093109381581257f750895038106c0c0"
)
PRESSED, RELEASED = "0000040000000000", "0000000000000000"
"""Reports of ``KEYBOARD``: the key a, and none."""
KEY_A, KEY_B = 30, 48  # linux/input-event-codes.h

REMAP = "remap_event"
"""The kernel's name of the program that remaps."""

_INPUTS = Path("/sys/class/input")
_READY_S = 20.0
_T = TypeVar("_T")


def prepare() -> None:
    """Compile what the guest needs."""
    from pyloader import compile_object

    compile_programs()
    for source in (ROOT / "hid").rglob("*.bpf.c"):
        compile_object(source)  # into the cache, where commands look


def compile_programs() -> None:
    """The part of it that is no BPF."""
    compile_program("hid_reports")
    compile_floor("run_time")


class HidDevices(Closing):
    """Devices that are numbered from 0, with the product ids 1 and so on; there until ``close``."""

    def __init__(self, descriptor: str, number: int) -> None:
        specs = [f"bench {n}:{VENDOR:x}:{n + 1:x}:{descriptor}" for n in range(number)]
        self._program = Floor(BUILD / "hid_reports", *specs)
        self._all = {n: wait_for(lambda n=n: bound(n + 1)) for n in range(number)}

    def __getitem__(self, n: int) -> Device:
        return self._all[n]

    def node(self, n: int) -> str:
        """The path of the device's input device."""
        found = wait_for(lambda: bound(n + 1))
        return f"/dev/{found.node.inputs[0][2]}"

    def type(self, n: int, node: str, code: int, count: int, gap_us: int) -> list[int]:
        """Press and release a key; ns from each report to the key ``code`` out of ``node``."""
        line = f"type {n} {node} {code} {count} {gap_us} {PRESSED} {RELEASED}"
        return self._program.ask(line)

    def pace(
        self, n: int, count: int, hz: int, every: int, reports: tuple[str, str]
    ) -> Sequence[int]:
        """Send reports evenly, ``every`` of the one and of the other: ns in all, how many were
        late, packets that came out, the sum of their movements along x, and how often the kernel
        said that some were lost."""
        line = f"pace {n} {self.node(n)} {count} {hz} {every} {' '.join(reports)}"
        return self._program.ask(line)

    def type_until(self, n: int, code: int, gap_us: int, within_ms: int) -> int:
        """Press and release a key until another comes out; the monotonic time then, in ns, or 0."""
        line = f"until {n} {self.node(n)} {code} {gap_us} {within_ms} {PRESSED} {RELEASED}"
        return self._program.ask(line)[0]

    def close(self) -> None:
        """Take off what is attached to them, and unplug them."""
        from pyloader.hid import detach

        for device in self._all.values():
            detach.detach(device)
        self._program.close()


def wait_for(look: Callable[[], _T | None]) -> _T:
    """What ``look`` finds, when it finds something.

    Raises:
        ScxhidError: it found nothing for long.
    """
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise ScxhidError(f"a device of the benchmark was not there in {_READY_S:g} s")


def node_called(name: str) -> str:
    """The path of the input device of that name, when it is there."""

    def look() -> str | None:
        for path in _INPUTS.glob("event*/device/name"):
            if path.read_text().strip() == name:
                return f"/dev/input/{path.parts[-3]}"
        return None

    return wait_for(look)


def remap(device: Device, text: str) -> None:
    """Let the rules in ``text`` count on a device."""
    from pyloader.hid.remap.apply import apply
    from pyloader.hid.remap.plan import plan
    from pyloader.hid.remap.read import read_file

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.toml"
        path.write_text(text)
        apply(plan(read_file(str(path)), [device]))


def ran_ns(programs: Floor, work: Callable[[], object], times: int) -> list[float]:
    """How long each of the ``programs`` (floor/run_time.c) runs for a report, in ns, the one that
    was loaded first comes first; each sees so many reports in ``work``.

    Raises:
        ScxhidError: one ran more often, or less.
    """
    before = programs.ask("on")
    work()
    after = programs.ask("read")
    programs.ask("off")
    spent = [end - start for start, end in zip(before, after, strict=True)][:-1]
    if set(spent[1::2]) != {times}:
        raise ScxhidError(f"the programs ran {spent[1::2]} times for {times} reports each")
    return [ns / times for ns in spent[::2]]


def rules_of(keys: Mapping[str, str]) -> str:
    """A remap file that lets keys be others."""
    return "[keys]\n" + "".join(f'{source} = "{target}"\n' for source, target in keys.items())


def quantile(values: Sequence[float], per_cent: int) -> float:
    """The smallest value that at least so many of them do not exceed."""
    return sorted(values)[max(0, -(-len(values) * per_cent // 100) - 1)]


def bound(product: int) -> Device | None:
    from pyloader.hid.device import devices

    for device in devices():
        if (device.vendor, device.product) == (VENDOR, product) and device.node.inputs:
            return device if device.node.inputs[0][2] else None
    return None
