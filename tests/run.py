"""Every test in parts: on this machine, then inside virtual machines, one at a time.

What needs no virtual machine runs beside the tests of machines as such, which use one CPU as a
rule; what it says comes after theirs.

What is slow runs by hand, with ``-m slow``: on this machine the demo from end to end, which
``make demo`` is and which judges itself.

Inside: all on the newest kernel with two CPUs, a few telling ones on the oldest with four, among
them that each scheduler starts and stops.

Before the end stands again what failed, and the last words of a part that ended without counting
its tests or exceeded its time, which counts as one failure. The last line is the sum,
``N passed, N failed``; the exit status is 0 only if every test ran and passed.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAUNCHERS = Path(sys.executable).parent
TIME_LIMIT_S = 40 * 60


def guest(*options: str, words: tuple[str, ...] = ()) -> list[str]:
    """The command that runs guest tests in a machine of their own."""
    return [str(LAUNCHERS / "scxhid"), "vm", "test", *options, "--", "--no-skip", *words]


def here(*folders: str) -> list[str]:
    """The command that runs tests on this machine."""
    return [sys.executable, "-m", "pytest", "-m", "not slow", *folders]


#: The part that runs beside the one after it.
BESIDE = "on this machine"

# Part → its command.
PARTS = {
    BESIDE: here("tests/unit", "tests/host"),
    "of virtual machines": here("tests/vm"),
    "inside a virtual machine": guest(),
    "on the oldest kernel, with 4 CPUs": guest(
        *("--kernel", "oldest", "--cpus", "4"),
        words=("-m", "smoke and not slow"),
    ),
}
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed|deselected)\b")
#: Enough for a traceback of where a test hung.
_LAST_LINES = 20
_FAILED = ("failed", "error", "errors", "xpassed", "skipped")


def counts(output: str) -> Counter[str]:
    """The numbers in pytest's closing line; empty if ``output`` has none."""
    for line in reversed(_ESCAPE.sub("", output).splitlines()):
        found = _COUNT.findall(line)
        if found and re.search(r" in [\d.]+ ?m?s", line):
            return Counter({word: int(number) for number, word in found})
    return Counter()


def failures(output: str) -> list[str]:
    """The lines of pytest's short summary that name what failed."""
    lines = _ESCAPE.sub("", output).splitlines()
    return [line for line in lines if re.match(r"(FAILED|ERROR) \S+::", line)]


def last_words(output: str) -> list[str]:
    """The last lines of a part that did not come to its summary."""
    lines = _ESCAPE.sub("", output).splitlines()
    return [line for line in lines if line.strip()][-_LAST_LINES:]


_running: set[int] = set()


def run(command: list[str], passed_through: bool = True) -> tuple[int, str]:
    """Run ``command``, its output passed through or kept; its exit status and what it said."""
    environment = os.environ | {"SCXHID_NO_SKIP": "1"}
    if sys.stdout.isatty() and passed_through:
        environment |= {"FORCE_COLOR": "1"}
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    watchdog = threading.Timer(TIME_LIMIT_S, os.killpg, (process.pid, signal.SIGTERM))
    watchdog.start()
    _running.add(process.pid)
    assert process.stdout is not None
    said = bytearray()
    try:
        # Not by lines: a dot for each test should show when it is made.
        with process.stdout as output:
            while chunk := os.read(output.fileno(), 65536):
                said += chunk
                if passed_through:
                    sys.stdout.buffer.write(chunk)
                    sys.stdout.buffer.flush()
        status = process.wait()
    except KeyboardInterrupt:
        for pid in _running:
            os.killpg(pid, signal.SIGINT)
        process.wait()
        raise
    finally:
        _running.discard(process.pid)
        watchdog.cancel()
    return status, said.decode(errors="replace")


class Sum:
    """What all parts came to: ``said`` is what stands before the end."""

    def __init__(self) -> None:
        self.passed = self.failed = 0
        self.said: list[str] = []

    def add(self, name: str, status: int, output: str) -> None:
        count = counts(output)
        self.passed += count["passed"] + count["xfailed"]
        bad = sum(count[word] for word in _FAILED)
        if status != 0 and not bad:
            self.said.append(
                f"the tests {name} ended with status {status} and no failed test; at last:"
            )
            self.said += [f"  {line}" for line in last_words(output)]
            bad = 1
        elif status == 0 and not count["passed"]:
            self.said.append(f"no test ran {name}")
            bad = 1
        self.said += failures(output)
        self.failed += bad


def main() -> int:
    total = Sum()
    beside: Future[tuple[int, str]] | None = None
    with ThreadPoolExecutor(1) as pool:
        for name, command in PARTS.items():
            if name == BESIDE:
                beside = pool.submit(run, command, passed_through=False)
                continue
            print(f"== tests {name}", flush=True)
            total.add(name, *run(command))
            if beside:
                status, output = beside.result()
                print(f"== tests {BESIDE}\n{output}", flush=True)
                total.add(BESIDE, status, output)
                beside = None
    print(*total.said, sep="\n", end="\n" if total.said else "")
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
