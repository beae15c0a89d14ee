"""``vm kernels`` and ``vm fetch``: what there is, and getting it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import click

from pyloader.errors import Unsupported
from vm import fetch as fetching
from vm.cache import cache_root
from vm.errors import KernelFetchError
from vm.index import Offer
from vm.kernels import cached, choose, matches, nothing_fits
from vm.supported import SERIES
from vm.versions import order, series

Say = Callable[[str], None]


def table(offers: list[Offer]) -> list[dict[str, Any]]:
    """One row a kernel, offered or cached, oldest first; the form that ``--json`` prints."""
    here = {kernel.version: kernel for kernel in cached()}
    by_version = {offer.version: offer for offer in offers}
    rows: list[dict[str, Any]] = []
    for version in sorted({*here, *by_version}, key=order):
        offer = by_version.get(version)
        rows.append(
            {
                "version": version,
                "series": series(version),
                "cached": version in here,
                "offered": offer is not None,
                "supported": series(version) in SERIES,
                "download_bytes": offer.download_bytes if offer else None,
                "path": str(here[version].image) if version in here else None,
            }
        )
    return rows


def show(*, as_json: bool, refresh: bool, say: Say) -> None:
    """Print the kernels."""
    try:
        offers = fetching.offered(fresh_s=0 if refresh else fetching.INDEX_FRESH_S)
    except (KernelFetchError, Unsupported) as error:
        if not cached():
            raise
        say(f"{error}. Showing what was known before")
        offers = fetching.stale_offers()
    rows = table(offers)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    newest = rows[-1]["version"] if rows else None
    click.echo(f"{'VERSION':<28}{'DOWNLOAD':>10}  ")
    for row in rows:
        size = f"{row['download_bytes'] / 1e6:.0f} MB" if row["offered"] else "gone"
        marks = [word for word in ("cached",) if row[word]]
        marks += ["newest, the default"] if row["version"] == newest else []
        marks += [] if row["supported"] else ["not among the supported series"]
        click.echo(f"{row['version']:<28}{size:>10}  {', '.join(marks)}".rstrip())
    click.echo(f"\ncache: {cache_root() / 'kernels'}")


def fetch(version: str, *, force: bool, say: Say) -> None:
    """Bring a kernel into the cache and print its path."""
    with progress_bar() as progress:
        if force:
            offers = [offer for offer in fetching.offered() if matches(offer.version, version)]
            if not offers:
                raise KernelFetchError(nothing_fits(version))
            fetching.fetch(offers[-1], progress)
            version = offers[-1].version
        kernel = choose(version, say=say, progress=progress)
    click.echo(kernel.image)


@contextmanager
def progress_bar() -> Generator[fetching.Progress | None]:
    """A bar on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<12}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show_step(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        yield show_step
