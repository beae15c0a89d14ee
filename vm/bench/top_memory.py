"""Memory of the screen while it shows an hour: a recording of one, replayed as fast as it goes.

What is kept for looking back (ten minutes) fills up first, so memory is compared from then on.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from pyloader.errors import ScxhidError
from pyloader.view.recording import Recorder
from vm.bench.made_up import MadeUp
from vm.bench.result import Result
from vm.bench.terminal import OnTerminal

SUITE = "top_memory"
_CPUS, _SNAPSHOTS = 64, 3600
_FULL = 900  # snapshots until nothing more is kept than before
_EVERY_S, _LONGEST_S = 0.02, 300.0
_LIMIT = 1.05
_PLACE = re.compile(rb"recording, (\d+) of")

Tell = Callable[[str], None]
#: How many snapshots were shown, and the memory then, bytes.
Sample = tuple[int, int]


def measure(tell: Tell) -> list[Result]:
    tell("recording an hour of a machine with 64 CPUs that does not exist")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hour.top"
        with Recorder(path) as recorder:
            machine = MadeUp(_CPUS)
            for number in range(_SNAPSHOTS):
                if number % 300 == 299:  # changes are kept as well
                    machine.knobs["slice_us"] = 1000 + number
                if snapshot := machine.take():
                    recorder.add(snapshot)
        tell("replaying it")
        return [result(_replay(path))]


def _replay(path: Path) -> list[Sample]:
    scxhid = str(Path(sys.executable).with_name("scxhid"))
    samples: list[Sample] = []
    with OnTerminal([scxhid, "top", "--replay", str(path), "--every", f"{_EVERY_S:g}"]) as terminal:
        terminal.until(b"CPUs")
        for _ in range(int(_LONGEST_S)):
            places = _PLACE.findall(terminal.drain(1.0))
            if places:
                samples.append((int(places[-1]), terminal.memory()))
            if samples and samples[-1][0] >= _SNAPSHOTS:
                return samples
    at = samples[-1][0] if samples else 0
    raise ScxhidError(f"the recording was at {at} of {_SNAPSHOTS} after {_LONGEST_S:g} s")


def result(samples: Sequence[Sample]) -> Result:
    """The memory at the end, against that when what is kept had become full."""
    third = (_SNAPSHOTS - _FULL) // 3
    begin = [memory for place, memory in samples if _FULL <= place < _FULL + third]
    end = [memory for place, memory in samples if place >= _SNAPSHOTS - third]
    if not begin or not end:
        raise ScxhidError("the screen was not seen at the beginning and at the end of the hour")
    words = "at the beginning of the hour, once the last ten minutes are kept"
    return Result(
        SUITE, median(end) / 1e6, "MB", words, median(begin) / 1e6, _LIMIT, len(begin) + len(end)
    )
