"""``scxhid hid info FILE``: what an object for HID devices is for, before it is attached."""

from __future__ import annotations

from typing import Any

import click

from pyloader.cli.output import emit_json, note
from pyloader.spec import ObjectSpec


def show(path: str, as_json: bool) -> None:
    """Print what is said in the file at ``path``."""
    from pyloader.catalog import find_hid_program

    said = _said(find_hid_program(path).open(warn=note))
    if as_json:
        emit_json(said)
        return
    click.echo(f"{said['name']}, licence {said['license'] or 'none'}")
    if said["about"]:
        click.echo(f"  {said['about']}")
    for each in said["ops"]:
        what = ", ".join(name.removeprefix("hid_") for name in each["callbacks"]) or "nothing"
        click.echo(f"  {each['name']}: {what}" + (", optional" if each["optional"] else ""))
    if said["before_6_11"]:
        click.echo("  of the form for Linux before 6.11, which cannot be attached")
    elif not said["ops"]:
        click.echo("  nothing to attach: only its probe is run")
    if said["devices"] is not None:
        words = [each["words"] for each in said["devices"]] or ["whatever device is named"]
        click.echo(f"  for {words[0]}")
        for each in words[1:]:
            click.echo(f"      {each}")
    if said["properties_read"]:
        click.echo(f"  reads the udev properties {', '.join(said['properties_read'])}")
    if said["properties_found"]:
        click.echo(f"  finds out the udev properties {', '.join(said['properties_found'])}")


def _said(spec: ObjectSpec) -> dict[str, Any]:
    from pyloader.hid import matches, udev

    entries = matches.read(spec)
    return {
        "name": spec.name,
        "license": spec.license,
        "about": spec.about.what,
        "ops": [
            {"name": o.name, "callbacks": list(o.callbacks), "optional": o.is_optional}
            for o in spec.ops.values()
        ],
        "before_6_11": udev.is_of_old_form(spec),
        "devices": None
        if entries is None
        else [
            {
                "bus": each.bus,
                "group": each.group,
                "vendor": each.vendor,
                "product": each.product,
                "words": each.in_words(),
            }
            for each in entries
        ],
        "properties_read": udev.inputs(spec),
        "properties_found": udev.outputs(spec),
    }
