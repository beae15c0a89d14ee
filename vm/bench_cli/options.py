"""Options that several of the commands of ``scxhid bench`` take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Option = Callable[[Callable[..., Any]], Callable[..., Any]]

KERNEL: Option = click.option(
    "--kernel", default="", metavar="V", help="A version or its beginning (7.3)."
)


def output(what: str) -> Option:
    """``-o FILE.json``: where ``what`` goes."""
    return click.option(
        "-o", "--output", type=click.Path(path_type=Path), metavar="FILE.json", help=what
    )


def as_json(what: str) -> Option:
    """``--json``: print ``what``."""
    return click.option("--json", "as_json", is_flag=True, help=what)
