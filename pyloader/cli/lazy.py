"""Command groups that import a command when it is called, not when it could be."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pyloader.errors import Unsupported

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Target(NamedTuple):
    """Where a command lives (``module:attribute``) and its line in the list of commands."""

    where: str
    short_help: str


class LazyGroup(click.Group):
    """A group of ``targets``; commands of other packages join through ``entry_points``.

    Entry points are scanned only for a name that is not in the table, for help and
    for completion: a scan costs more than all else at start-up.
    """

    def __init__(
        self, *args: Any, targets: Mapping[str, Target], entry_points: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._targets = targets
        self._entry_points = entry_points

    def _others(self) -> dict[str, Target]:
        if not self._entry_points:
            return {}
        from importlib.metadata import entry_points

        return {
            point.name: Target(point.value, f"from {point.dist.name if point.dist else '?'}")
            for point in entry_points(group=self._entry_points)
            if point.name not in self._targets
        }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self._targets, *sorted(self._others())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = self._targets.get(cmd_name) or self._others().get(cmd_name)
        return _load(cmd_name, target) if target else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            from pyloader.names import nearest

            meant = nearest(name, self.list_commands(ctx))
            hint = f" Did you mean {' or '.join(meant)}?" if meant else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The names from the table: none is imported, so one that is broken hides no other."""
        from click.shell_completion import CompletionItem

        rows = {**self._targets, **self._others()}
        found = [
            CompletionItem(name, help=target.short_help)
            for name, target in rows.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, t.short_help) for name, t in {**self._targets, **self._others()}.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _load(name: str, target: Target) -> click.Command:
    module, _, attribute = target.where.partition(":")
    try:
        command = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise Unsupported(
            f"the command {name} needs the Python package {error.name}, which is not installed; "
            f"`pip install 'scxhid[{module.partition('.')[0]}]'` brings it"
        ) from None
    assert isinstance(command, click.Command)
    return command
