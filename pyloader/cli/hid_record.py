"""``scxhid hid record`` and ``replay``: what a device sends, kept, and sent again."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from pyloader.cli.output import destination, note
from pyloader.cli.seconds import Seconds
from pyloader.errors import ScxhidError, WrongUse

if TYPE_CHECKING:
    from pyloader.hid.device import Device
    from pyloader.hid.recording import Recording
    from pyloader.hid.uhid import Uhid

_READY_S = 5.0  # a driver is bound long before
_POLL_S = 0.01


@click.command()
@click.argument("device", metavar="DEVICE")
@click.option("-o", "output", type=click.Path(), metavar="FILE", help="Into FILE, for you alone.")
@click.option("-n", "count", type=click.IntRange(min=1), metavar="N", help="End after N reports.")
@click.option("--for", "seconds", type=Seconds(min=0), metavar="S", help="End after S seconds.")
@click.option("--both", is_flag=True, help="Before and after the HID programs, side by side.")
@click.option("--json", "as_json", is_flag=True, help="With --both: as JSON.")
def record(
    device: str,
    output: str | None,
    count: int | None,
    seconds: float | None,
    both: bool,
    as_json: bool,
) -> None:
    """Write down every report that a device sends, in the format of hid-recorder.

    Reports are those that programs and applications see, after the programs that are
    attached. Ctrl-C ends it. What is typed on a keyboard is in the recording, passwords
    too.

    --both shows each report before and after the programs, and what they changed,
    dropped and sent themselves. With -o there are two recordings, FILE and one with
    .before in its name (mouse.hid, mouse.before.hid): replay that one to try other
    programs on the same reports. --json is a line for each report, and one at the end.

    \b
    Examples:
      scxhid hid record 046d:c52b -o mouse.hid
      scxhid hid record "gaming mouse" -n 100 | tee mouse.hid
      scxhid hid record "gaming mouse" --both
      scxhid hid record "gaming mouse" --both --for 10 -o mouse.hid
    """
    from pyloader.hid.device import find_device
    from pyloader.hid.hidraw import open_node
    from pyloader.hid.recording import Report, head, line, of_device

    found = find_device(device)
    if both:
        from pyloader.cli.hid_both import record_both

        record_both(found, output, count, seconds, as_json)
        return
    if as_json:
        raise WrongUse("--json goes with --both: a recording has a format of its own")
    fd = open_node(found)
    deadline_ns = time.monotonic_ns() + int(seconds * 1e9) if seconds is not None else None
    written = 0
    try:
        with destination(output) as file:
            for text in head(of_device(found)):
                print(text, file=file)
            file.flush()
            note(f"recording {found.name}" + ("" if seconds or count else "; Ctrl-C ends it"))
            began_ns = 0
            while written != count:
                data = _next_report(fd, deadline_ns, found)
                if data is None:
                    break
                now_ns = time.monotonic_ns()
                began_ns = began_ns or now_ns
                print(line(Report(now_ns - began_ns, 0, data)), file=file, flush=True)
                written += 1
    except KeyboardInterrupt:
        pass
    finally:
        os.close(fd)
    note(f"{written} report{'' if written == 1 else 's'} recorded")


def _next_report(fd: int, deadline_ns: int | None, device: Device) -> bytes | None:
    """The next one; None when the time is over."""
    import select

    while True:
        left_s = None if deadline_ns is None else (deadline_ns - time.monotonic_ns()) / 1e9
        if left_s is not None and left_s <= 0:
            return None
        if not select.select([fd], [], [], left_s)[0]:
            continue
        try:
            return os.read(fd, 4096)
        except BlockingIOError:
            continue
        except OSError:
            raise ScxhidError(f"{device.sysname} ({device.name}) has been unplugged") from None


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--now", is_flag=True, help="All reports at once, not at the pace of the recording.")
@click.option(
    "--wait",
    "wait_s",
    type=Seconds(min=0),
    default="0",
    metavar="S",
    help="After the device is there, wait S seconds before the first report.",
)
@click.option("--stay", is_flag=True, help="Keep the device after the last report, until Ctrl-C.")
def replay(file: str, now: bool, wait_s: float, stay: bool) -> None:
    """Plug in a device like the recorded one, and let it send what was recorded.

    FILE is of `scxhid hid record`, hid-recorder or libinput's; - is standard input. The
    device is one of uhid: programs, drivers and applications see no difference. It is
    unplugged at the end.

    \b
    Examples:
      scxhid hid replay mouse.hid
      scxhid hid replay mouse.hid --now
      scxhid hid replay keyboard.hid --wait 2 --stay
    """
    recording = _read(file)
    with ExitStack() as stack:
        uhids = {index: stack.enter_context(_plug(recording, index)) for index in recording.devices}

        def answer(wait: float) -> None:
            for uhid in uhids.values():
                uhid.answer(wait / len(uhids))

        _wait_ready(recording, answer)
        try:
            _pause(wait_s, answer)
            _play(recording, uhids, answer, now)
            sent = len(recording.reports)
            note(f"{sent} report{'' if sent == 1 else 's'} sent")
            while stay:
                answer(1.0)
        except KeyboardInterrupt:
            note("unplugged")


def _read(file: str) -> Recording:
    from pyloader.hid import recording

    try:
        if file == "-":
            return recording.read(sys.stdin, "standard input")
        with open(file, encoding="utf-8", errors="replace") as lines:
            return recording.read(lines, file)
    except OSError as error:
        raise ScxhidError(f"{file} cannot be read: {error.strerror}") from None


def _plug(recording: Recording, index: int) -> Uhid:
    from pyloader.hid.items import BadDescriptor
    from pyloader.hid.parser import parse
    from pyloader.hid.uhid import UHID_DATA_MAX, Uhid, room

    device = recording.devices[index]
    try:
        descriptor = parse(device.rdesc, max_buffer=UHID_DATA_MAX)
    except BadDescriptor as error:
        raise WrongUse(
            f"the kernel refuses the recorded descriptor of {device.name} {error}"
        ) from None
    return Uhid(
        device.name,
        device.rdesc,
        bus=device.bus,
        vendor=device.vendor,
        product=device.product,
        phys=device.phys,
        uniq=_uniq(index),
        longest=room(descriptor),
    )


def _uniq(index: int) -> str:
    """By which the device of a recording is found in sysfs."""
    return f"scxhid-replay-{os.getpid()}-{index}"


def _wait_ready(recording: Recording, answer: Callable[[float], None]) -> None:
    """Until drivers are bound: what is sent before that is lost."""
    from pyloader.hid.device import devices

    wanted = {_uniq(index) for index in recording.devices}
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        answer(_POLL_S)
        bound = [d for d in devices() if d.node.uniq in wanted and d.node.is_bound]
        if len(bound) == len(wanted):
            for device in bound:
                nodes = [event for _, _, event in device.node.inputs if event]
                nodes += [device.node.hidraw] if device.node.hidraw else []
                note(f"{device.sysname} {device.name}: {' '.join(nodes)}")
            return
    raise ScxhidError(f"no driver took the device within {_READY_S:g} s; is hid-generic loaded?")


def _play(
    recording: Recording, uhids: dict[int, Uhid], answer: Callable[[float], None], now: bool
) -> None:
    began_ns = time.monotonic_ns()
    for report in recording.reports:
        if not now:
            _pause((began_ns + report.at_ns - time.monotonic_ns()) / 1e9, answer)
        answer(0.0)
        uhids[report.device].send(report.data)


def _pause(seconds: float, answer: Callable[[float], None]) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        answer(min(left, 0.5))
