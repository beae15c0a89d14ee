"""The demo: boots a machine, shows what its guest does, keeps every figure.

The guest's side (``vm.demo_guest``) sends events as JSON lines on its standard output; they are
shown as they come and become ``demo.json``.
"""

from __future__ import annotations

import compileall
import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from pyloader.catalog import Source, find_host, find_scheduler, probes
from pyloader.errors import ScxhidError, Unsupported
from pyloader.places import data_root
from vm import accel as accelerators
from vm import kernels, machine
from vm.cache import cache_root
from vm.demo_load import SLEEP_NS
from vm.demo_screen import INDENT, Screen
from vm.demo_stage import COLOR_VARIABLE
from vm.demo_steps import REFUSED_VARIABLE, STALL_VARIABLE, STEPS
from vm.kernels import Kernel
from vm.listing import progress_bar
from vm.shell import run_shell

#: The guest needs a minute or two under emulation; a machine with little to spare needs more.
_TIMEOUT_S = 900.0

_ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Show:
    """What came of the guest's events so far."""

    started_ns: int
    ready: Mapping[str, Any] | None = None
    steps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    impossible: str = ""
    ended: bool = False
    picture: str = ""
    """The screen of ``scxhid top``, an SVG."""
    strays: list[str] = field(default_factory=list[str])

    def take(self, line: str) -> Mapping[str, Any] | None:
        """Note one line of the guest's; returns the event to be shown, if it is one."""
        try:
            event: Any = json.loads(line)
            kind = event["event"]
        except (ValueError, TypeError, KeyError):
            self.strays.append(line)
            return None
        match kind:
            case "ready":
                self.ready = event
            case "result":
                self.steps.append({key: event[key] for key in ("name", "ok", "figures")})
            case "impossible":
                self.impossible = event["why"]
            case "picture":
                self.picture = event["text"]
            case "end":
                self.ended = True
            case _:
                pass
        return event


def document(show: Show, kernel: str, cpus: int, accel: str, seconds: float) -> dict[str, Any]:
    """What ``demo.json`` holds."""
    return {
        "kernel": kernel,
        "cpus": cpus,
        "accel": accel,
        "seconds": round(seconds, 1),
        "steps": show.steps,
    }


def run(wish: str, cpus: int, output: Path, screen: Screen) -> bool:
    """Run the whole demo on the kernel that ``wish`` means; whether every step was ok.

    Raises:
        Unsupported: the kernel has no sched_ext.
        VmError, VmLost: the machine could not be started, or was lost.
        KernelFetchError: there was no kernel, and none could be fetched.
        ScxhidError: the guest's side ended early; ``output`` cannot be written.
    """
    with writable(output) as write:
        kernel = _choose(wish, screen)
        started_ns = time.monotonic_ns()
        mode = accelerators.resolve("auto", kernel, say=screen.remark)
        screen.heading(kernel.version, cpus, emulated=mode == "tcg")
        show = Show(started_ns)
        _boot(kernel, cpus, mode, show, screen)
        seconds = (time.monotonic_ns() - started_ns) / 1e9
        write(json.dumps(document(show, kernel.version, cpus, mode, seconds), indent=1) + "\n")
    if show.picture:
        drawn = output.with_name("top.svg")
        drawn.write_text(show.picture)
        screen.picture(str(drawn))
    screen.summary(show.steps, seconds, str(output))
    if screen.console.is_terminal and os.isatty(0):
        _stay(kernel, cpus, mode, screen)
    return len(show.steps) == len(STEPS) and all(step["ok"] for step in show.steps)


def _stay(kernel: Kernel, cpus: int, mode: str, screen: Screen) -> None:
    """Let the viewer have ``scxhid top`` in a machine under the same load, until it is left."""
    screen.remark("Now scxhid top itself, in a machine under load. q leaves it, ? shows its keys.")
    run_shell(
        [sys.executable, "-m", "vm.demo_top"],
        kernel=kernel.version,
        cpus=cpus,
        memory="1G",
        accel=mode,
        rw=(),
        udev=False,
        say=screen.remark,
    )


def _choose(wish: str, screen: Screen) -> Kernel:
    """The kernel of that wish; without one the newest that needs no network, if there is any."""
    here = kernels.cached()
    if not wish and here:
        return here[-1]
    with progress_bar() as progress:
        return kernels.choose(wish, say=screen.remark, progress=progress)


def _boot(kernel: Kernel, cpus: int, mode: str, show: Show, screen: Screen) -> None:
    """Run the guest's side from boot to end, showing and noting its events."""
    screen.wait("compiling the programs")
    cwd, environment = _prepare()
    environment["COLUMNS"] = str(screen.console.width - INDENT)
    if screen.console.color_system:
        environment[COLOR_VARIABLE] = "1"
    screen.wait("booting the virtual machine")
    with tempfile.TemporaryFile() as errors:
        with _channel(lambda line: _show(show, screen, line)) as channel:
            machine.run(
                [sys.executable, "-m", "vm.demo_guest"],
                kernel=kernel,
                cpus=cpus,
                accel=mode,
                cwd=cwd,
                environment=environment,
                timeout_s=_TIMEOUT_S,
                stdout=channel,
                stderr=errors.fileno(),
            )
        screen.close()
        if show.impossible:
            raise Unsupported(
                f"{show.impossible} (CONFIG_SCHED_CLASS_EXT); choose another with --kernel"
            )
        if not show.ended:
            raise ScxhidError(_why_early(show, errors))


def _show(show: Show, screen: Screen, line: str) -> None:
    event = show.take(line)
    if event is None:
        return
    if event["event"] == "hello":
        screen.wait("starting Python in it")
    elif event["event"] == "ready":
        seconds = (time.monotonic_ns() - show.started_ns) / 1e9
        screen.booted(seconds, event["loops"], SLEEP_NS // 1_000_000)
        screen.wait("letting the load settle")
    else:
        screen.event(event)


def _why_early(show: Show, errors: IO[bytes]) -> str:
    errors.seek(0)
    said = [*show.strays, *errors.read().decode(errors="replace").splitlines()]
    last = next((line.strip() for line in reversed(said) if line.strip()), "it said nothing")
    return f"the demo ended early in the virtual machine after {len(show.steps)} steps: {last}"


def _prepare() -> tuple[Path, dict[str, str]]:
    """Compile what the guest will load and import; its working directory and environment.

    The guest's file system is read-only, its CPU slow, and there may be no compiler.
    """
    loaded = (find_scheduler("simple"), find_scheduler("interactive"), find_host())
    for source in (*loaded, *probes().values()):
        source.open()
    folder = data_root("demo")
    for package in ("pyloader", "tui", "vm"):
        compileall.compile_dir(_ROOT / package, quiet=2, maxlevels=20)
    # In a checkout the programs are named from its top, as a user who stands there would.
    base = _ROOT if folder.is_relative_to(_ROOT / "tests") else folder.parent
    return base, {
        STALL_VARIABLE: _program(folder, "stall", base),
        REFUSED_VARIABLE: _program(folder, "refused", base),
        "XDG_CACHE_HOME": str(cache_root().parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
    }


def _program(folder: Path, name: str, base: Path) -> str:
    """The file to name on the command line: the object if there is one, else the source."""
    built = folder / f"{name}.bpf.o"
    if built.is_file():
        return os.path.relpath(built, base)
    source = folder / f"{name}.bpf.c"
    Source(name, source, None).open()
    return os.path.relpath(source, base)


@contextlib.contextmanager
def writable(output: Path) -> Generator[Callable[[str], None]]:
    """Yield what writes ``output``, whole or not at all; that it can is tried at once.

    Raises:
        ScxhidError: its directory cannot be made or written to, or it is no file.
    """
    try:
        if output.is_dir():
            raise IsADirectoryError(0, "it is a directory")
        if output.parent.exists() and not output.parent.is_dir():
            raise NotADirectoryError(0, f"{output.parent} is not a directory")
        output.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{output.name}.", dir=output.parent)
    except OSError as error:
        raise ScxhidError(
            f"{output} cannot be written ({error.strerror}); name another file with -o"
        ) from None
    scratch = Path(name)

    def write(text: str) -> None:
        try:
            scratch.write_text(text)
            scratch.chmod(0o644)
            scratch.replace(output)
        except OSError as error:
            raise ScxhidError(f"{output} could not be written: {error.strerror}") from None

    os.close(descriptor)
    try:
        yield write
    finally:
        scratch.unlink(missing_ok=True)


@contextlib.contextmanager
def _channel(hear: Callable[[str], None]) -> Generator[int]:
    """Yield a descriptor; ``hear`` gets each line written to it, in a thread of its own.

    If ``hear`` fails (nobody reads our output any more, say), the descriptor becomes a broken
    pipe, which ends the machine, and the failure is raised here.
    """
    reader, writer = os.pipe()
    failures: list[BaseException] = []

    def listen() -> None:
        try:
            with os.fdopen(reader, encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    hear(line)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=listen, name="demo events")
    thread.start()
    try:
        yield writer
    finally:
        os.close(writer)
        thread.join()
    if failures:
        raise failures[0]
