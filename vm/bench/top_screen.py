"""The screen of ``scxhid top`` on a terminal of 120×40, beside htop and btop on the same one.

Its figures are those of a machine with 64 CPUs (``vm.bench.injected``); htop and btop show the one
that they run on, which is as small as it is. CPU time is that of all threads of the process.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from vm.bench.result import Result, compare
from vm.bench.terminal import OnTerminal
from vm.bench.turns import in_turns
from vm.programs import find_program

CPU_1HZ, CPU_10HZ = "top_cpu_1hz", "top_cpu_10hz"
PAINT, KEY = "top_first_paint", "top_key_to_paint"
_ROUNDS, _SPAN_S, _SETTLE_S = 4, 4.0, 2.0
_KEYS = 200
_KEY_LIMIT_NS = 50e6
#: What each draws first, once there is something to be seen.
_SEEN = {"top": b"CPUs", "htop": b"PID", "btop": b"cpu"}

Tell = Callable[[str], None]


def measure(suites: Sequence[str], tell: Tell) -> list[Result]:
    """Those of the suites that are wanted."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        for suite, hertz, share in ((CPU_1HZ, 1, 0.01), (CPU_10HZ, 10, 0.10)):
            if suite in suites:
                tell(f"looking at its CPU time at {hertz} Hz")
                results += _cpu(suite, commands(hertz, Path(folder)), share)
        if PAINT in suites:
            tell("starting it")
            results += _paint(commands(1, Path(folder)))
        if KEY in suites:
            tell("pressing keys")
            results.append(_key(commands(10, Path(folder))["top"]))
    return results


def commands(hertz: int, folder: Path) -> dict[str, list[str]]:
    """Of the programs that are on this machine, refreshing so often."""
    scxhid = str(Path(sys.executable).with_name("scxhid"))
    made = {
        "top": [scxhid, "top", "--source", "vm.bench.injected:machine", "--every", f"{1 / hertz:g}"]
    }
    htop, btop = find_program("htop"), find_program("btop")
    if htop:
        made["htop"] = [htop, "-d", str(round(10 / hertz))]  # tenths of a second
    if btop:
        config = folder / f"{hertz}" / "btop"
        config.mkdir(parents=True, exist_ok=True)
        (config / "btop.conf").write_text(f"update_ms = {round(1000 / hertz)}\n")
        made["btop"] = ["env", f"XDG_CONFIG_HOME={config.parent}", btop, "--utf-force"]
    return made


def _cpu(suite: str, programs: dict[str, list[str]], share: float) -> list[Result]:
    def take(name: str) -> float:
        with OnTerminal(programs[name]) as terminal:
            terminal.until(_SEEN[name])
            terminal.drain(_SETTLE_S)
            before = terminal.cpu_ns()
            terminal.drain(_SPAN_S)
            return (terminal.cpu_ns() - before) / _SPAN_S

    takers = {name: lambda name=name: take(name) for name in programs}
    samples = in_turns(takers, _ROUNDS)
    samples["limit"] = [share * 1e9] * _ROUNDS
    words = f"{share:.0%} of a CPU, in ms a second"
    made = [compare(suite, samples, "top", "limit", words=words, unit="ms", limit=1)]
    return made + _beside(suite, samples)


def _paint(programs: dict[str, list[str]]) -> list[Result]:
    def take(name: str) -> float:
        with OnTerminal(programs[name]) as terminal:
            return float(terminal.until(_SEEN[name]) - terminal.began_ns)

    takers = {name: lambda name=name: take(name) for name in programs}
    samples = in_turns(takers, 2 * _ROUNDS)
    samples["python"] = in_turns({"python": _python}, 2 * _ROUNDS)["python"]
    words = "a Python that imports textual.app, and no more"
    made = [compare(PAINT, samples, "top", "python", words=words, unit="ms", limit=None)]
    return made + _beside(PAINT, samples)


def _python() -> float:
    command = [sys.executable, "-c", "import textual.app; print('CPUs')"]
    with OnTerminal(command) as terminal:
        return float(terminal.until(b"CPUs") - terminal.began_ns)


def _key(command: list[str]) -> Result:
    """The 99th percentile of the time from a key to what it draws, while ten snapshots a second
    come: the cursor of a table goes down and up, and panes change."""
    times: list[float] = []
    with OnTerminal(command) as terminal:
        terminal.until(b"CPUs")
        terminal.drain(_SETTLE_S)
        for number in range(_KEYS // 2):
            for key, seen in ((b"2", b"library"), (b"1", b"over time")):
                terminal.drain(0.05 + 0.013 * (number % 7))  # anywhere between two snapshots
                times.append(float(-terminal.press(key) + terminal.until(seen)))
    times.sort()
    p99 = times[int(len(times) * 0.99) - 1]
    return Result(
        KEY, p99 / 1e6, "ms", "50 ms, of 99 in 100 keys", _KEY_LIMIT_NS / 1e6, 1, len(times)
    )


def _beside(suite: str, samples: dict[str, list[float]]) -> list[Result]:
    """htop's and btop's figures, for scale."""
    return [
        compare(
            f"{suite}_{name}",
            samples,
            "top",
            name,
            words=f"{name} beside it",
            unit="ms",
            limit=None,
        )
        for name in ("htop", "btop")
        if name in samples
    ]
