"""``scxhid build`` and ``scxhid check``: from C to an object, and what the verifier thinks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyloader.cli.complete import complete_scheduler
from pyloader.errors import LoadError, VerifierError

if TYPE_CHECKING:
    from pyloader.spec import ObjectSpec


@click.command()
@click.argument("source", type=click.Path(readable=False, path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Where to; default: beside the source."
)
def build(source: Path, output: Path | None) -> None:
    """Compile SOURCE (FILE.bpf.c) to a CO-RE object that serves every supported kernel.

    Compiled before with the same text, headers and compiler: taken from the cache.

    \b
    Example:
      scxhid build schedulers/simple.bpf.c -o /tmp/simple.bpf.o
    """
    from pyloader.cli.output import note
    from pyloader.compile import compile_object
    from pyloader.errors import WrongUse

    if source.suffix != ".c":
        raise WrongUse(f"{source} is not C source; build takes FILE.bpf.c")
    target = output or source.with_suffix(".o")
    compile_object(source, target, warn=note)
    click.echo(f"{target} ({target.stat().st_size:,} bytes)")


@click.command()
@click.argument("what", metavar="FILE|NAME", shell_complete=complete_scheduler)
@click.option("--log", is_flag=True, help="Print the verifier's whole log as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def check(what: str, log: bool, as_json: bool) -> None:
    """Load a scheduler or a HID program without attaching it, and let it go again.

    Nothing changes on the machine. If the verifier refuses it, its words are shown
    beside the source line, with the registers that matter and advice.

    \b
    Examples:
      scxhid check simple
      scxhid check axes
      scxhid check --log ./mine.bpf.c
    """
    from pyloader.catalog import find_program
    from pyloader.cli.output import duration, emit_json, note

    source = find_program(what)
    spec = source.open(warn=note)
    started = time.monotonic_ns()
    try:
        with source.blamed(), spec.load(_as_on_a_device(spec)) as loaded:
            load_ns = time.monotonic_ns() - started
            count = len(loaded.program_fds())
            for line in loaded.notes:
                note(line)
    except LoadError as error:
        if log and not as_json:
            click.echo(error.log.rstrip())
        if as_json:
            emit_json(_verdict(spec.name, error, log))
            raise click.exceptions.Exit(error.exit_status) from None
        raise
    instructions = sum(p.instructions for p in spec.programs.values())
    if as_json:
        found = {"programs": count, "instructions": instructions, "load_ns": load_ns}
        emit_json({"name": spec.name, "ok": True, **found})
        return
    took = duration(load_ns)
    click.echo(f"{spec.name}: {count} programs, {instructions} instructions, loaded in {took}")


def _as_on_a_device(spec: ObjectSpec) -> dict[str, list[int]]:
    """For a HID program, places that a device could have: without them little of it is left."""
    if not spec.places:
        return {}
    from pyloader.hid.places import sample

    return sample(spec.places)


def _verdict(name: str, error: LoadError, log: bool) -> dict[str, Any]:
    verdict: dict[str, Any] = {"name": name, "ok": False, "message": str(error)}
    if isinstance(error, VerifierError):
        from dataclasses import asdict

        verdict["refusal"] = asdict(error.refusal)
    if log:
        verdict["log"] = error.log
    return verdict
