"""The command line. Commands are imported only when they are called: starting is part of it."""

from __future__ import annotations

import errno
import io
import sys

import click

from pyloader import __version__
from pyloader.cli.lazy import LazyGroup, Target
from pyloader.errors import CompileError, ScxhidError, VerifierError

COMMANDS = {
    "status": Target("pyloader.cli.status:status", "what is attached, and which knobs are turned"),
    "doctor": Target("pyloader.cli.doctor:doctor", "can this machine do it, and what mends it"),
    "sched": Target("pyloader.cli.sched:sched", "schedulers: attach, swap, tune, watch"),
    "hid": Target("pyloader.cli.hid:hid", "HID devices: what they are, what is attached to them"),
    "input": Target("pyloader.cli.input:input_", "input first: whom a key press wakes goes first"),
    "top": Target("tui.cli:top", "what CPUs do, and how long tasks wait for one"),
    "build": Target("pyloader.cli.build:build", "compile C to a BPF object"),
    "check": Target("pyloader.cli.build:check", "load without attaching: what the verifier says"),
    "bench": Target("vm.bench_cli:bench", "schedulers measured against each other"),
    "vm": Target("vm.cli:vm", "kernels and virtual machines to try things in"),
    "demo": Target("vm.demo_cli:demo", "see it work, in a virtual machine"),
    "completion": Target("pyloader.cli.complete:completion", "tab completion for your shell"),
}

ENTRY_POINTS = "scxhid.commands"


@click.group(
    cls=LazyGroup,
    targets=COMMANDS,
    entry_points=ENTRY_POINTS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="scxhid")
def cli() -> None:
    """Swap and tune the CPU scheduler of a running Linux kernel.

    A scheduler is a small C program that the kernel checks before it runs it
    (sched_ext). If it misbehaves, the kernel throws it out and its own goes on.

    \b
    On this machine (as root):        In a virtual machine, for trying:
      scxhid sched list                 scxhid demo
      scxhid sched use simple           scxhid vm run -- scxhid status
      scxhid sched set slice_us=20ms    scxhid vm shell
      scxhid sched stop

    Exit status: 0 done; 1 failed, nothing left half-done; 2 wrong use;
    3 this machine cannot do it (see `scxhid doctor`); 4 needs root.
    """


def main() -> None:
    """Run the command line and leave with the documented exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an ASCII terminal is no reason to fail
    try:
        status = cli(prog_name="scxhid", standalone_mode=False)
        if sys.stdout:  # None where the caller has closed it
            sys.stdout.flush()
    except ScxhidError as error:
        _explain(error)
        status = error.exit_status
    except click.exceptions.Exit as error:
        status = error.exit_code
    except click.ClickException as error:
        error.show()
        status = 2
    except (KeyboardInterrupt, click.Abort):
        status = 130
    except BrokenPipeError:
        _drop_output()  # the reader has gone (`| head`): nothing more to say
        status = 1
    except PermissionError as error:
        click.echo(f"scxhid: {error.filename}: permission denied; root may use it", err=True)
        status = 4
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename:
            raise
        _drop_output()
        click.echo("scxhid: the output cannot be written: no space is left there", err=True)
        status = 1
    sys.exit(status if isinstance(status, int) else 0)


def _drop_output() -> None:
    """Let what is still to be written vanish, or Python would complain of it at exit."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain(error: ScxhidError) -> None:
    if isinstance(error, CompileError):
        click.echo(error.diagnostics.rstrip(), err=True)
    if isinstance(error, VerifierError):
        from pyloader.verifier import render

        click.echo(render(error.refusal, error.source_path, color=sys.stderr.isatty()), err=True)
    click.echo(f"scxhid: {error}", err=True)
