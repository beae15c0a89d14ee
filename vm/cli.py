"""``scxhid vm``: kernels, machines, tests inside them."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from pyloader.errors import ScxhidError

_LITERAL = {"ignore_unknown_options": True, "allow_interspersed_args": False}
_OWN_FAILURE = 125


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def vm() -> None:
    """Real kernels in virtual machines: fetch one, run a command, run the tests.

    The guest sees this machine's files (read-only; /etc, /home, /opt, /root, /srv, /tmp, /usr and
    /var are writable in memory), and has root, sched_ext, HID-BPF, uhid and a mounted bpffs.
    Nothing is installed, and nothing outlives the command. No root is needed here.

    \b
      scxhid vm run -- uname -r
      scxhid vm run --cpus 4 -- scxhid sched use simple
      scxhid vm shell --kernel 6.18
      scxhid vm test --kernel all
    """


def _memory(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,7}[MG]?", value):
        raise click.BadParameter(f"{value!r} is no size of memory; write it like 512M or 2G")
    return value


def machine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which every command here chooses its machine."""
    options = (
        click.option(
            "--kernel",
            default="",
            metavar="V",
            help="A version or its beginning (7.3), a path of a vmlinuz, or 'host';"
            " by default the newest that is offered.",
        ),
        click.option("--cpus", default=2, show_default=True, type=click.IntRange(1, 255)),
        click.option("--memory", default="2G", show_default=True, metavar="SIZE", callback=_memory),
        click.option(
            "--accel",
            default="auto",
            show_default=True,
            type=click.Choice(["auto", "kvm", "tcg"]),
            help="auto: KVM if a trial boot shows that it works, else emulation;"
            " SCXHID_ACCEL decides for auto.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


rw_option = click.option(
    "--rw",
    multiple=True,
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Let the guest write to this directory of the host (may be repeated).",
)
udev_option = click.option("--udev", is_flag=True, help="Start udev (3 s under emulation).")


def say(text: str) -> None:
    """One sentence to the user, where it does not mix with a command's output."""
    click.echo(f"scxhid: {text}", err=True)


@vm.command(short_help="which kernels there are, offered and cached")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--refresh", is_flag=True, help="Ask the archive even if it was asked today.")
def kernels(as_json: bool, refresh: bool) -> None:
    """Show which kernels there are: offered by the archive, in the cache.

    The archive is Debian's, at the mirror that this machine's apt uses (SCXHID_MIRROR names
    another). It is asked once a day.

    JSON: a list of {"version", "series", "cached", "offered", "supported", "download_bytes",
    "path"}.
    """
    from vm import listing

    listing.show(as_json=as_json, refresh=refresh, say=say)


@vm.command(short_help="download a kernel into the cache")
@click.argument("version", default="")
@click.option("--force", is_flag=True, help="Fetch it again even if it is in the cache.")
def fetch(version: str, force: bool) -> None:
    """Download a kernel and unpack it into the cache: the newest, or the newest of VERSION.

    Nothing is installed and no root is needed; apt checks signature and hashes.

    \b
      scxhid vm fetch
      scxhid vm fetch 6.18
    """
    from vm import listing

    listing.fetch(version, force=force, say=say)


@vm.command(context_settings=_LITERAL, short_help="run a command in a virtual machine")
@machine_options
@rw_option
@udev_option
@click.option("--timeout", type=float, metavar="S", help="Give the machine up S seconds in.")
@click.option("--log", type=click.Path(path_type=Path), metavar="FILE", help="Keep the kernel log.")
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="Set a variable in the guest.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(
    kernel: str,
    cpus: int,
    memory: str,
    accel: str,
    rw: tuple[Path, ...],
    udev: bool,
    timeout: float | None,
    log: Path | None,
    env: tuple[str, ...],
    command: tuple[str, ...],
) -> None:
    """Run COMMAND in a virtual machine, as root, and exit with its status.

    Standard input, output and errors pass through, byte for byte. A failure of the machine's
    own exits with 125, one that panicked, hung or vanished with 124, Ctrl-C with 130. Warnings of
    the guest's kernel are told on standard error.

    \b
      scxhid vm run -- uname -r
      scxhid vm run --kernel 6.16 --cpus 4 -- cat /sys/kernel/sched_ext/state
      dmesg | scxhid vm run --timeout 60 -- wc -l
      scxhid vm run --rw build -- sh -c 'dmesg > build/guest.txt'
    """
    from vm import machine

    with _Statuses():
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
            log_path=log,
            environment=_environment(env),
            say=say,
        )
    for report in result.warnings:
        say(f"the guest's kernel says: {report.line} (log: {result.log_path})")
    sys.exit(result.status)


@vm.command(context_settings=_LITERAL, short_help="a shell in a virtual machine")
@machine_options
@rw_option
@udev_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def shell(
    kernel: str,
    cpus: int,
    memory: str,
    accel: str,
    rw: tuple[Path, ...],
    udev: bool,
    command: tuple[str, ...],
) -> None:
    """Open a shell in a virtual machine, or run COMMAND in it on this terminal.

    \b
      scxhid vm shell
      scxhid vm shell --cpus 4 -- scxhid top
    """
    from vm.shell import run_shell

    with _Statuses():
        result = run_shell(
            command,
            kernel=kernel,
            cpus=cpus,
            memory=memory,
            accel=accel,
            rw=rw,
            udev=udev,
            say=say,
        )
    sys.exit(result.status)


@vm.command(context_settings=_LITERAL, short_help="run the guest tests inside a virtual machine")
@machine_options
@click.option("--timeout", default=3600.0, show_default=True, metavar="S", help="For each kernel.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the outcomes as JSON, pytest's lines on standard error.",
)
@click.option(
    "--table/--no-table",
    default=None,
    help="Write the outcome into docs/reference/kernels.md; done for 'all' without pytest's words.",
)
@click.option(
    "--bare",
    is_flag=True,
    help="No pytest: start, load and stop each scheduler, or those named, in a machine so bare that"
    " it may have 64 CPUs.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- PYTEST ARGS]")
def test(
    kernel: str,
    cpus: int,
    memory: str,
    accel: str,
    timeout: float,
    as_json: bool,
    table: bool | None,
    bare: bool,
    arguments: tuple[str, ...],
) -> None:
    """Run the tests of tests/guest inside a virtual machine, in one boot.

    pytest's lines are shown as they come and its exit status is passed on; a warning in the
    guest's kernel log fails the run, a lost machine exits with 124. With --kernel all the newest
    kernel of every supported series is tried, and the table in docs/reference/kernels.md written;
    --kernel oldest means the oldest of them. Written always: build/guest-VERSION.xml (junit) and
    .log.

    \b
      scxhid vm test
      scxhid vm test --kernel all
      scxhid vm test --kernel 6.16 -- -k swap -x
      scxhid vm test --bare --cpus 64 -- simple nest
    """
    from vm import guest_test_run

    with _Statuses():
        if bare:
            status = guest_test_run.run_bare(
                kernel, arguments, cpus=cpus, accel=accel, as_json=as_json, say=say
            )
            sys.exit(status)
        status = guest_test_run.run(
            kernel,
            arguments,
            cpus=cpus,
            memory=memory,
            accel=accel,
            timeout_s=timeout,
            as_json=as_json,
            say=say,
            write_table=(kernel == "all" and not arguments) if table is None else table,
        )
    sys.exit(status)


def _environment(pairs: tuple[str, ...]) -> dict[str, str]:
    table: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE", param_hint="--env")
        table[name] = value
    return table


class _Statuses:
    """The exit statuses that ``vm`` promises: 125 for every failure that is not the command's.

    SIGTERM and SIGHUP become exceptions, so that the machine is ended and its files are removed.
    """

    def __enter__(self) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _end)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ScxhidError) and error.exit_status != 124:
            say(str(error))
            sys.exit(_OWN_FAILURE)
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            say(f"the machine could not be prepared: {error.strerror}: {error.filename}")
            sys.exit(_OWN_FAILURE)


def _end(number: int, frame: object) -> NoReturn:
    sys.exit(128 + number)
