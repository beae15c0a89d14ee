"""The commands of ``scxhid hid`` that change what is attached to devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pyloader.cli.complete import complete_device, complete_hid_knob, complete_hid_program
from pyloader.cli.knob_table import knob_json, knob_table
from pyloader.cli.output import duration, emit_json, note, table, value
from pyloader.cli.sched_change import assignments
from pyloader.errors import WrongUse

if TYPE_CHECKING:
    from pyloader.attached import Attached
    from pyloader.hid.attach import AttachResult
    from pyloader.hid.device import Device
    from pyloader.spec import ObjectSpec

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_DEVICE = click.argument("device", metavar="DEVICE", shell_complete=complete_device)
_PROGRAM = click.argument("program", metavar="PROGRAM")


@click.command()
@click.argument("what", metavar="PROGRAM|FILE|NAME", shell_complete=complete_hid_program)
@click.argument("knobs", metavar="[KNOB=VALUE]...", nargs=-1, shell_complete=complete_hid_knob)
@click.option(
    "--device",
    required=True,
    metavar="DEVICE",
    shell_complete=complete_device,
    help="Which one, see `scxhid hid --help`.",
)
@click.option(
    "--force", is_flag=True, help="Also to a device that an object of udev-hid-bpf does not name."
)
@click.option(
    "--property",
    "properties",
    multiple=True,
    metavar="NAME=VALUE",
    help="What such an object is told, in place of udev's property of that name.",
)
@_JSON
def attach(
    what: str,
    knobs: tuple[str, ...],
    device: str,
    force: bool,
    properties: tuple[str, ...],
    as_json: bool,
) -> None:
    """Attach PROGRAM to a device: from the next report on it passes through it.

    FILE may be C source (NAME.bpf.c, compiled first) or an object (NAME.bpf.o), also one of
    udev-hid-bpf. NAME is such an object that is installed: without the number in front the
    highest version that loads and accepts the device; a directory in place of a name, that
    of its objects that is for the device.

    It stays attached when the command has ended, until `scxhid hid detach`, until the
    device is unplugged, or until a reboot. One of the same name that is attached is
    replaced; if the kernel refuses the new one, the old one stays.

    \b
    Examples:
      scxhid hid attach axes --device "gaming mouse" scale_x=1500
      scxhid hid attach axes --device 0003:046D:C216.0007 dead_zone=80 curve=30
      scxhid hid attach ./mine.bpf.c --device 046d:c52b
      scxhid hid attach Huion__Dial-2 --device 256c:60
      scxhid hid attach ./0010-XPPen__Deco02.bpf.o --device 28bd:803
    """
    from pyloader.hid.device import find_device

    found = find_device(device)
    done = _attach(what, knobs, found, dict(assignments(properties)), force)
    if as_json:
        emit_json(
            {
                "program": done.program,
                "device": done.device,
                "load_ns": done.load_ns,
                "attach_ns": done.attach_ns,
                "replaced": done.replaced,
                "properties": dict(done.properties),
            }
        )
        return
    how = "replaced on" if done.replaced else "attached to"
    click.echo(
        f"{done.program} {how} {found.sysname} ({found.name}): loaded and verified in"
        f" {duration(done.load_ns)}, attached in {duration(done.attach_ns)}"
    )
    for name, text in done.properties.items():
        click.echo(f"  {name} = {text}")


def _attach(
    what: str, knobs: tuple[str, ...], device: Device, properties: dict[str, str], force: bool
) -> AttachResult:
    from pyloader.catalog import find_hid_program, hid_programs
    from pyloader.hid import attach as programs
    from pyloader.hid import installed, udev

    def foreign(spec: ObjectSpec) -> AttachResult:
        given = spec.parse_values(assignments(knobs))
        return udev.attach(spec, device, given, properties, force)

    objects = [] if what in hid_programs() else installed.find(what)
    if objects:
        return installed.attach_first(objects, device, foreign, force, note)
    source = find_hid_program(what)
    spec = source.open(warn=note)
    with source.blamed():
        if udev.is_one(spec):
            return foreign(spec)
        if properties or force:
            raise WrongUse(
                f"{spec.name} is no object of udev-hid-bpf: --force and --property are for those"
            )
        return programs.attach(spec, device, spec.parse_values(assignments(knobs)))


@click.command()
@_DEVICE
@click.argument("program", metavar="[PROGRAM]", required=False)
@_JSON
def detach(device: str, program: str | None, as_json: bool) -> None:
    """Take PROGRAM off a device, or all programs that scxhid or udev-hid-bpf has pinned.

    Rules of `scxhid hid remap` go off all interfaces of the device, with the keys that were
    added for them.
    """
    from pyloader.hid.detach import detach as take_off
    from pyloader.hid.device import find_device
    from pyloader.hid.remap import apply as rules

    found = find_device(device)
    ended = rules.end(found) if program in (None, rules.NAME) else []
    names = [name for each, name in ended if each == found]
    others = [(each, name) for each, name in ended if each != found]
    if program != rules.NAME or not ended:
        names += take_off(found, program)
    if as_json:
        also = [{"device": each.sysname, "program": name} for each, name in others]
        emit_json({"device": found.sysname, "detached": names, "others": also})
        return
    if names:
        click.echo(f"{', '.join(names)} off {found.sysname} ({found.name})")
    for each, name in others:
        click.echo(f"{name} off {each.sysname} ({each.name})")
    if not names and not others:
        click.echo(f"no program was pinned for {found.sysname} ({found.name}); nothing changed")


@click.command(name="set")
@_DEVICE
@_PROGRAM
@click.argument("knobs", metavar="KNOB=VALUE...", nargs=-1)
@_JSON
def set_(device: str, program: str, knobs: tuple[str, ...], as_json: bool) -> None:
    """Turn knobs of a program on a device, while it works.

    \b
    Example:
      scxhid hid set "gaming mouse" axes scale_x=800 invert_y=on
    """
    from pyloader.hid import attach as programs
    from pyloader.hid.device import find_device

    if not knobs:
        raise WrongUse("no knob is given; `scxhid hid knobs` shows what can be turned")
    changed = programs.set_knobs(find_device(device), program, assignments(knobs))
    if as_json:
        emit_json({"changed": {name: {"from": a, "to": b} for name, (a, b) in changed.items()}})
        return
    for name, (old, new) in changed.items():
        click.echo(f"{name}: {value(old)} → {value(new)}")


@click.command()
@_DEVICE
@_PROGRAM
@_JSON
def knobs(device: str, program: str, as_json: bool) -> None:
    """Show the knobs of a program on a device: value, default, range and what they do."""
    on = _on(device, program)
    now = on.knob_values()
    if as_json:
        emit_json({name: knob_json(k, now[name]) for name, k in on.knobs.items()})
    elif on.knobs:
        knob_table(on.knobs, now)
    else:
        click.echo(f"{program} has no knobs")


@click.command()
@_DEVICE
@_PROGRAM
@_JSON
def stats(device: str, program: str, as_json: bool) -> None:
    """Show what a program on a device has counted since it was attached."""
    on = _on(device, program)
    totals = [int(row.sum()) for row in on.read_stats()] if on.stats else []
    if as_json:
        emit_json(dict(zip(on.stats, totals, strict=True)))
    elif on.stats:
        rows = [(s.name, f"{n:,}", s.doc) for s, n in zip(on.stats.values(), totals, strict=True)]
        table(("NAME", "COUNT", "WHAT"), rows, right=(1,))
    else:
        click.echo(f"{program} counts nothing")


def _on(device: str, program: str) -> Attached:
    from pyloader.hid.attach import find_attached
    from pyloader.hid.device import find_device

    return find_attached(find_device(device), program)
