"""``scxhid input``: input first."""

from __future__ import annotations

import click

from pyloader.cli.lazy import LazyGroup, Target

_CHANGE, _SHOW = "pyloader.cli.input_change", "pyloader.cli.input_show"

TARGETS = {
    "on": Target(f"{_CHANGE}:on", "let tasks that input wakes go first"),
    "off": Target(f"{_CHANGE}:off", "like any other again"),
    "show": Target(f"{_SHOW}:show", "what is on, which devices count, how long tasks waited"),
    "chain": Target(f"{_SHOW}:chain", "the last events: who was woken, by whom, what each waited"),
    "knobs": Target(f"{_SHOW}:knobs", "its knobs"),
    "set": Target(f"{_CHANGE}:set_", "turn knobs while it is on"),
}


@click.group(name="input", cls=LazyGroup, targets=TARGETS)
def input_() -> None:
    """Let the tasks that a key press or a mouse movement wakes go before all others.

    The kernel tells nobody for which task a report of a device is. A program that watches reports
    being handed out sees whom they wake: the reader (a compositor, a game), and then whom that
    wakes, and so on. Each of them gets a mark that is worth some CPU time and soon over; the
    scheduler lets who has one go first. One that goes on computing is soon like any other.

    Schedulers that look at marks: interactive and simple always, layers with a rule that says
    input = true, and any that calls INPUT_FIRST of include/input.h. The kernel's own does not.

    \b
    Examples:
      scxhid sched use interactive
      scxhid input on
      scxhid input on --not "gaming mouse" budget_us=2000
      scxhid input chain
      scxhid input off
    """
