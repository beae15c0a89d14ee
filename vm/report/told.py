"""All that is told of some result files, before it is laid out anywhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from pyloader.errors import WrongUse
from vm.report.blocks import (
    Block,
    Choice,
    Unusable,
    arranged,
    blocks,
    main_columns,
    place_title,
    unusable,
)
from vm.report.change import Change, change, is_change
from vm.report.files import File, Together, cells, put_together
from vm.results.model import Document


@dataclass(frozen=True)
class Told:
    """The blocks of one set of runs that can be compared; ``label`` tells sets apart.

    ``drawn`` is what plots of single runs show, with its blocks: the same, or the runs of both
    files where one is compared with the other.
    """

    document: Document
    blocks: tuple[Block, ...]
    unusable: tuple[Unusable, ...]
    drawn: Document
    drawn_blocks: tuple[Block, ...]
    label: str = ""


@dataclass(frozen=True)
class Telling:
    """Everything, and remarks about the whole."""

    told: tuple[Told, ...]
    notes: tuple[str, ...]
    is_change: bool = False


def abridged(telling: Telling, most: int = 4) -> Telling:
    """The same with the main metrics of each block, and a remark on how many others there are."""
    told = [
        dataclasses.replace(
            one,
            blocks=tuple(
                dataclasses.replace(block, columns=tuple(main_columns(block, most)))
                for block in one.blocks
            ),
        )
        for one in telling.told
    ]
    left_out = {
        column.metric
        for one, short in zip(telling.told, told, strict=True)
        for block, kept in zip(one.blocks, short.blocks, strict=True)
        for column in block.columns
        if column not in kept.columns
    }
    if not left_out:
        return telling
    count = len(left_out)
    note = f"{count} more metric{'s' if count > 1 else ''} with --all"
    return dataclasses.replace(telling, told=tuple(told), notes=(*telling.notes, note))


def tell(
    files: Sequence[File],
    baseline: str = "",
    choice: Choice | None = None,
    as_change: bool | None = None,
) -> Telling:
    """What ``files`` say, before and after if they are two of the same cells.

    ``as_change`` decides that in place of the cells. Raises:
        WrongUse: of what it takes to compare before and after, or to put files together.
        UnknownName: the baseline, or a word of ``choice``, names nothing in the files.
    """
    if as_change and len(files) != 2:
        raise WrongUse(f"before and after are two files, and {len(files)} are named")
    if as_change or (as_change is None and is_change(files) and not baseline):
        return _changed(change(files[0], files[1]), choice)
    together, notes = put_together(files)
    if choice:
        choice.check([group.document for group in together])
    told: list[Told] = []
    for group in together:
        found = tuple(blocks(group.document, _known(group, baseline, together), choice))
        left = tuple(_chosen(group.document, choice))
        told.append(Told(group.document, found, left, group.document, found, group.label))
    return Telling(tuple(told), tuple(notes))


def _changed(found: Change, choice: Choice | None) -> Telling:
    if choice:
        choice.check([found.document])
    notes = [*found.notes]
    if found.differing:
        notes.append("the two differ in " + "; ".join(found.differing))
    for alone, where in ((found.only_before, "first"), (found.only_after, "second")):
        if alone:
            names = ", ".join(f"{cell.subject} ({place_title(cell.place)})" for cell in alone)
            notes.append(f"only in the {where}, and not compared: {names}")
    told = Told(
        found.document,
        tuple(arranged(found.document, found.rows, choice)),
        tuple(_chosen(found.both, choice)),
        found.both,
        tuple(blocks(found.both, choice=choice)),
    )
    return Telling((told,), tuple(notes), is_change=True)


def _known(group: Together, baseline: str, together: Sequence[Together]) -> str:
    """The baseline, or nothing where only others of several sets have it."""
    having = [one for one in together if baseline in {c.subject for c in cells(one.document)}]
    return "" if having and group not in having else baseline


def _chosen(document: Document, choice: Choice | None) -> list[Unusable]:
    return [
        one
        for one in unusable(document)
        if choice is None
        or (
            (not choice.workloads or one.cell.workload in choice.workloads)
            and (not choice.loads or one.cell.load in choice.loads)
        )
    ]
