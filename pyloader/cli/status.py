"""``scxhid status``: what is attached, as the kernel says it."""

from __future__ import annotations

from typing import Any

import click

from pyloader import sysfs

_WHOSE = {
    "hosted": "hosted by scxhid",
    "direct": "attached by scxhid",
    "foreign": "not attached by scxhid",
    None: "attached by whom only root can see",
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A stable document, see docs/reference.")
def status(as_json: bool) -> None:
    """Show what is attached, since when, and which knobs differ from their defaults.

    The kernel is asked each time (sysfs and the pins in the BPF file system), so this
    is the truth also after an ejection or a crash. Without root it can tell which
    scheduler runs, but not look inside.
    """
    from pyloader.cli.output import ago, clock, emit_json, value

    found, hid = _sched(), _hid()
    first = _input(found["state"])
    if as_json:
        shown = {k: v for k, v in found.items() if not k.startswith("_")}
        emit_json({"sched": shown, "hid": hid, "input": first})
        return
    if found["state"] == "unsupported":
        click.echo("scheduler  the kernel's own (this kernel has no sched_ext)")
    elif found["mode"] == "none":
        click.echo(f"scheduler  the kernel's own (sched_ext is {found['state']})")
    else:
        since = found["_since_ns"]
        when = f", since {clock(since)} ({ago(since)})" if since else ""
        click.echo(f"scheduler  {found['policy'] or found['ops']} ({_WHOSE[found['mode']]}{when})")
        for name, knob in found["knobs_changed"].items():
            click.echo(f"  {name} = {value(knob)}")
    if found["_hint"]:
        click.echo(f"  {found['_hint']}")
    if first and first["on"]:
        since = int(first["since"] * 1e9)
        click.echo(f"input      first, since {clock(since)} ({ago(since)})")
        for name, knob in first["knobs_changed"].items():
            click.echo(f"  {name} = {value(knob)}")
    for each in hid or ():
        click.echo(f"HID        {each['program']} on {each['device']} ({each['name']})")
        for name, knob in each["knobs_changed"].items():
            click.echo(f"  {name} = {value(knob)}")


def _input(sched_ext: str) -> dict[str, Any] | None:
    """Whether input first is on; None where only root may look."""
    off: dict[str, Any] = {"on": False, "since": None, "knobs_changed": {}}
    if sched_ext == "unsupported":
        return off
    from pyloader import bpffs
    from pyloader.errors import NotPermitted, ScxhidError

    try:
        if not bpffs.input_mark().exists():
            return off
        from pyloader.input_first import state

        running = state.require_on()
        since = (state.since_ns() or 0) / 1e9
        return {"on": True, "since": since, "knobs_changed": running.changed_knobs()}
    except NotPermitted:
        return None
    except ScxhidError:  # it is just being taken off
        return off


def _hid() -> list[dict[str, Any]] | None:
    """The programs of ours and of udev-hid-bpf on devices; None where only root may look."""
    if not sysfs.hid_devices():
        return []
    from pyloader import bpffs
    from pyloader.errors import NotPermitted, ScxhidError

    found: list[dict[str, Any]] = []
    try:
        from pyloader.hid import udev_pins

        if not bpffs.hid_folders() and not udev_pins.folders():
            return found
        from pyloader.hid.attach import attached
        from pyloader.hid.device import devices

        for device in devices():
            about = {"device": device.sysname, "name": device.name}
            for program, on in attached(device).items():
                changed = on.changed_knobs()
                own = {"program": program, "tool": "scxhid", "knobs_changed": changed}
                found.append({**about, **own})
            for program in udev_pins.places(device.sysname):
                found.append({**about, "program": program, "tool": "udev-hid-bpf"})
                found[-1]["knobs_changed"] = {}
    except NotPermitted:
        return None
    except ScxhidError:  # it is just being taken off
        return found
    return found


def _sched() -> dict[str, Any]:
    now = sysfs.read()
    mode = "foreign" if now.ops and now.state == "enabled" else "none"
    found: dict[str, Any] = {
        "state": now.state,
        "ops": now.ops,
        "policy": None,
        "mode": mode,
        "since": None,
        "knobs_changed": {},
        "last_exit": None,
        "_since_ns": 0,
        "_hint": "",
    }
    if not now.is_supported:
        return found
    # Not pyloader.sched, which brings all that a change needs: starting is half of the time.
    from pyloader.errors import NotPermitted
    from pyloader.running import fallen, steady

    try:
        running = steady(_ours)
        gone = None if running else fallen()
    except NotPermitted:
        if mode == "foreign":
            found["mode"] = None
            found["_hint"] = "run it as root to see whether it is ours, and its knobs"
        return found
    if running:
        found |= running
    elif gone:
        name, info = gone
        why = info.sentence() if info else "it recorded no reason"
        found["last_exit"] = {"name": name, **(info.to_json() if info else {})}
        found["_hint"] = f"{name} was attached and is gone: {why} (more: scxhid sched log)"
    return found


def _ours() -> dict[str, Any] | None:
    """What is told of a scheduler of ours that runs; None if none does."""
    from pyloader.running import current, since_ns

    running = current()
    if not running:
        return None
    since = since_ns(running)
    return {
        "mode": "hosted" if running.is_hosted else "direct",
        "policy": running.name,
        "since": since / 1e9,
        "_since_ns": since,
        "knobs_changed": running.changed_knobs(),
    }
