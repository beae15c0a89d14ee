"""The commands of ``scxhid hid`` that only look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pyloader.cli.complete import complete_device
from pyloader.cli.output import emit_json, note, table

if TYPE_CHECKING:
    from pyloader.hid.attachments import Attachment
    from pyloader.hid.device import Device
    from pyloader.hid.remap.told import Told

_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@click.command(name="list")
@click.option("--programs", is_flag=True, help="The HID programs that come with scxhid instead.")
@_JSON
def list_(programs: bool, as_json: bool) -> None:
    """List the HID devices, with what is attached to them.

    Keyboards and touchpads of laptops often sit on PS/2 instead: HID programs cannot
    touch those, and they are named at the end.
    """
    from pyloader import sysfs
    from pyloader.hid.device import devices, require_hid

    if programs:
        _list_programs(as_json)
        return
    require_hid()
    found = devices()
    attached = _attachments()
    beyond = sysfs.ps2_inputs()
    if as_json:
        emit_json(
            {
                "devices": [_device_json(d, _of(attached, d)) for d in found],
                "out_of_reach": [{"name": name, "bus": "PS/2"} for name in beyond],
            }
        )
        return
    if found:
        table(
            ("DEVICE", "BUS", "NAME", "DRIVER", "NODES", "PROGRAMS"),
            [
                (
                    d.sysname,
                    d.bus_name,
                    d.name,
                    d.node.driver or "none",
                    " ".join(_nodes(d)),
                    _programs_words(_of(attached, d)),
                )
                for d in found
            ],
        )
    else:
        click.echo("no HID devices")
    for name in beyond:
        note(f"out of reach: {name} is on PS/2, not on the HID bus, so no HID program can touch it")
    if attached is None:
        note("run it as root to see which programs are attached")


def _list_programs(as_json: bool) -> None:
    from pyloader.catalog import hid_programs

    rows = [(name, source.open(warn=note).about) for name, source in hid_programs().items()]
    if as_json:
        emit_json([{"name": n, "about": a.what, "good_for": a.good_for} for n, a in rows])
        return
    table(("NAME", "WHAT IT DOES", "GOOD FOR"), [(n, a.what, a.good_for) for n, a in rows])


@click.command()
@click.argument("device", metavar="DEVICE|FILE", shell_complete=complete_device)
@click.option("--items", is_flag=True, help="The report descriptor item by item, with its bytes.")
@_JSON
def info(device: str, items: bool, as_json: bool) -> None:
    """Show what a device is and sends, as it says itself and as it was fixed.

    Of the FILE of a program (NAME.bpf.o, NAME.bpf.c) it shows what it attaches and which
    devices it is for.

    \b
    Examples:
      scxhid hid info 0003:046D:C52B.0004
      scxhid hid info 046d:c52b --items
      scxhid hid info "gaming mouse" --json
      scxhid hid info ./0010-Huion__Dial-2.bpf.o
    """
    from pyloader.catalog import looks_like_file
    from pyloader.hid.device import find_device

    if looks_like_file(device):
        from pyloader.cli.hid_object import show

        show(device, as_json)
        return
    found = find_device(device)
    attached = _attachments()
    original, why_not = _original(found)
    if as_json:
        emit_json(_info_json(found, _of(attached, found), original, _properties(found)))
        return
    _print_device(found, _of(attached, found))
    for name, text in _properties(found).items():
        click.echo(f"  property {name} = {text}")
    if items:
        _print_items(found.rdesc, original)
        return
    if original is not None and original != found.rdesc:
        click.echo("\nas the device says itself:")
        _print_reports(original)
        click.echo("\nas it was fixed, which is what everybody sees:")
    _print_reports(found.rdesc)
    if why_not:
        note(why_not)


def _attachments() -> list[Attachment] | None:
    """All of them; None for a user who may not see them."""
    from pyloader.errors import NotPermitted
    from pyloader.hid.attachments import attachments

    try:
        return attachments()
    except NotPermitted:
        return None


def _of(attached: list[Attachment] | None, device: Device) -> list[Attachment] | None:
    return None if attached is None else [a for a in attached if a.number == device.number]


def _original(device: Device) -> tuple[bytes | None, str]:
    """The descriptor as the device gave it; None, and why, if it cannot be read."""
    from pyloader.errors import Gone, ScxhidError
    from pyloader.hid.original import read_stages

    try:
        return read_stages(device).device, ""
    except Gone:
        raise
    except ScxhidError as error:
        return None, f"the descriptor before fixups cannot be read: {error}"


def _properties(device: Device) -> dict[str, str]:
    """What objects of udev-hid-bpf found out; empty for a user who may not see it."""
    from pyloader.errors import NotPermitted
    from pyloader.hid.udev import published

    try:
        return published(device)
    except NotPermitted:
        return {}


def _rules(device: Device) -> Told | None:
    """What the remap rules in force say, where that is known."""
    from pyloader.errors import ScxhidError
    from pyloader.hid.attach import attached
    from pyloader.hid.remap.apply import NAME, in_force

    try:
        on = attached(device).get(NAME)
        return in_force(on).told if on else None
    except ScxhidError:  # they are just being taken off
        return None


def _nodes(device: Device) -> list[str]:
    nodes = [node for _, _, node in device.node.inputs if node]
    return nodes + ([device.node.hidraw] if device.node.hidraw else [])


def _programs_words(attached: list[Attachment] | None) -> str:
    if attached is None:
        return "?"
    return ", ".join(dict.fromkeys(f"{a.name} ({a.tool or 'another'})" for a in attached))


def _print_device(device: Device, attached: list[Attachment] | None) -> None:
    node = device.node
    click.echo(f"{device.sysname}  {device.name}")
    click.echo(f"  {device.bus_name} {device.ids}, driver {node.driver or 'none'}")
    if node.phys or node.uniq:
        click.echo(f"  at {node.phys or '?'}" + (f", serial {node.uniq}" if node.uniq else ""))
    for name, words, event in node.inputs:
        click.echo(f"  {'/dev/' + event if event else name}: {words}")
    if node.hidraw:
        click.echo(f"  /dev/{node.hidraw}")
    if attached is None:
        click.echo("  programs: only root may see them")
    elif not attached:
        click.echo("  programs: none")
    for each in attached or ():
        what = ", ".join(name.removeprefix("hid_") for name in each.callbacks) or "nothing"
        own = f": {each.ops}" if each.tool == "udev-hid-bpf" or each.is_tap else ""
        click.echo(f"  program {each.name}{own} ({what}), {each.holder.in_words()}")
    if attached and (rules := _rules(device)):
        edited = "; it has been edited since" if rules.is_edited else ""
        click.echo(f"  rules of {rules.path} ({rules.file}{edited})")


def _print_reports(data: bytes) -> None:
    from pyloader.hid.describe import field_rows, report_title
    from pyloader.hid.items import BadDescriptor
    from pyloader.hid.parser import parse

    try:
        descriptor = parse(data)
    except BadDescriptor as error:
        click.echo(f"the kernel refuses the report descriptor {error} (--items shows it)")
        return
    for report in descriptor.reports.values():
        click.echo(f"\n{report_title(descriptor, report)}")
        table(
            ("  BITS", "SIZE", "WHAT", "VALUES"),
            [("  " + r[0], *r[1:]) for r in field_rows(report)],
        )
    if not descriptor.reports:
        click.echo("it declares no report")


def _print_items(now: bytes, original: bytes | None) -> None:
    from pyloader.hid.describe import item_lines
    from pyloader.hid.items import BadDescriptor

    versions = [("", now)]
    if original is not None and original != now:
        versions = [("as the device says itself", original), ("as it was fixed", now)]
    for title, data in versions:
        click.echo(f"\n{title or 'report descriptor'}, {len(data)} bytes:")
        try:
            for line in item_lines(data):
                click.echo(line)
        except BadDescriptor as error:
            click.echo(f"the kernel refuses it {error}")


def _device_json(device: Device, attached: list[Attachment] | None) -> dict[str, Any]:
    node = device.node
    return {
        "device": device.sysname,
        "bus": device.bus_name,
        "vendor": device.vendor,
        "product": device.product,
        "name": device.name,
        "phys": node.phys,
        "uniq": node.uniq,
        "driver": node.driver,
        "inputs": [{"name": n, "event": event} for _, n, event in node.inputs],
        "hidraw": node.hidraw,
        "programs": None
        if attached is None
        else [
            {
                "name": a.name,
                "ops": a.ops,
                "callbacks": list(a.callbacks),
                "tool": a.tool,
                "pins": list(a.holder.pins),
                "processes": [pid for pid, _ in a.holder.processes],
            }
            for a in attached
        ],
    }


def _info_json(
    device: Device,
    attached: list[Attachment] | None,
    original: bytes | None,
    properties: dict[str, str],
) -> dict[str, Any]:
    return {
        **_device_json(device, attached),
        "rules_file": rules.file if attached and (rules := _rules(device)) else None,
        "properties": properties,
        "descriptor": _descriptor_json(device.rdesc),
        "original": None if original is None else _descriptor_json(original),
    }


def _descriptor_json(data: bytes) -> dict[str, Any]:
    from pyloader.hid.describe import to_json
    from pyloader.hid.items import BadDescriptor
    from pyloader.hid.parser import parse

    try:
        return {"hex": data.hex(), "error": None, **to_json(parse(data))}
    except BadDescriptor as error:
        return {"hex": data.hex(), "error": str(error), "collections": [], "reports": []}
