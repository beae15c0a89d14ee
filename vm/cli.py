"""``scxhid vm``: kernels, machines, tests inside them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_LITERAL = {"ignore_unknown_options": True, "allow_interspersed_args": False}


def say(text: str) -> None:
    """One sentence to the user, where it does not mix with a command's output."""
    click.echo(f"scxhid: {text}", err=True)


@click.group()
def vm() -> None:
    """Real kernels in virtual machines: fetch, run, test.

    The guest sees this machine's files (read-only, or written to memory), has root, sched_ext,
    HID-BPF, uhid, and a mounted bpffs. Nothing is installed and nothing outlives the command.
    """


@vm.command(context_settings=_LITERAL)
@click.option("--kernel", default="", metavar="V", help="Version, beginning of one, path, or host.")
@click.option("--cpus", default=2, show_default=True, type=click.IntRange(1, 255))
@click.option("--memory", default="2G", show_default=True, metavar="SIZE")
@click.option("--timeout", type=float, metavar="S", help="Give up S seconds after the start.")
@click.option("--rw", multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--accel", default="auto", type=click.Choice(["auto", "kvm", "tcg"]))
@click.option("--udev", is_flag=True, help="Start udev in the guest (3 s under emulation).")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(
    kernel: str,
    cpus: int,
    memory: str,
    timeout: float | None,
    rw: tuple[Path, ...],
    accel: str,
    udev: bool,
    command: tuple[str, ...],
) -> None:
    """Run COMMAND in a virtual machine, as root, and exit with its status.

    Standard input, output and errors pass through. Own failures exit with 125, a machine that
    panicked, hung or vanished with 124, Ctrl-C with 130.

    \b
      scxhid vm run -- uname -r
      scxhid vm run --kernel 6.16 --cpus 4 -- cat /sys/kernel/sched_ext/state
      dmesg | scxhid vm run --timeout 60 -- wc -l
    """
    from vm import machine

    result = machine.run(
        command,
        kernel=kernel,
        cpus=cpus,
        memory=memory,
        timeout_s=timeout,
        rw=rw,
        accel=accel,
        udev=udev,
        stdin=0,
        say=say,
    )
    sys.exit(result.status)
