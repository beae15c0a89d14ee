"""What each CPU does: bars as long as there is room for them, else towers of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from tui.draw import bars, blocks, words
from tui.timeline import WAITED, Entry
from tui.widgets.drawn import Drawn, Line, runs_of, styled

_NARROWEST = 17
_WIDEST = 90
_TAIL, _QUEUE = 5, 6  # characters of the percentage and of how many tasks wait
_WAITED, _WAITED_FROM = 12, 44  # of "p90 1.2ms", and from which width on
_MORE, _MORE_FROM = 17, 70  # of "1.2k/s 3.4GHz", the same
_TALLEST = 7  # lines of history below a bar
_NAMES = ("fair", "sched_ext", "real-time", "interrupts")


class Cpu(NamedTuple):
    """A record of ``snapshot.CPU``, which numpy would give out value by value, slowly; and how long
    woken tasks waited at most, but for one in ten, ns; NaN if there were too few."""

    cpu: int
    cache: int
    node: int
    mhz: int
    busy: float
    fair: float
    ext: float
    rt: float
    irq: float
    steal: float
    waiting: float
    switches: float
    migrations: float
    waited: float

    @property
    def kinds(self) -> tuple[float, float, float]:
        return self.fair, self.ext, self.rt


class Group(NamedTuple):
    """CPUs that share a last-level cache."""

    title: str
    records: Sequence[Cpu]


def groups(entry: Entry) -> list[Group]:
    """The CPUs by node and cache, in their order."""
    found: list[Group] = []
    pairs = zip(entry.snapshot.cpus.tolist(), entry.waited.tolist(), strict=True)
    records = (Cpu._make((*each, ns)) for each, ns in pairs)
    order = sorted(records, key=lambda c: (c.node, c.cache, c.cpu))
    several_nodes = len({cpu.node for cpu in order}) > 1
    for (node, cache), members in groupby(order, lambda c: (c.node, c.cache)):
        title = f"cache of {cache}" if cache >= 0 else "all"
        found.append(Group(f"node {node} · {title}" if several_nodes else title, list(members)))
    return found


class Cpus(Drawn):
    """One widget for all CPUs, on the fixed scale 0 to 100 %."""

    BORDER_TITLE = "CPUs"

    def draw(self, width: int, height: int) -> Sequence[Line]:
        entry = self.timeline.shown if self.timeline else None
        if entry is None or not width or not height:
            return []
        found = groups(entry)
        many = len(found) > 1
        rows = len(entry.snapshot.cpus) + (len(found) if many else 0)
        columns = -(-rows // height)
        cell = (width + 1) // columns - 1
        if cell >= _NARROWEST:
            return self._bars(found, many, columns, min(cell, _WIDEST), height)
        if len(self._bands(found, width)) <= height:
            return self._towers(found, width, height)
        return self._dots(found, width, height)

    def title(self) -> str | Text:
        """What all CPUs did together."""
        entry = self.timeline.shown if self.timeline else None
        if entry is None or not len(entry.snapshot.cpus):
            return super().title()
        cpus = entry.snapshot.cpus
        told = [f"CPUs {words.percent(entry.load)}"]
        for name, what in (("switches", "switches/s"), ("migrations", "moves/s")):
            total = float(cpus[name].sum())
            if total == total:
                told.append(f"{words.count(total)} {what}")
        mhz = cpus["mhz"][cpus["mhz"] > 0]
        if len(mhz):
            told.append(f"{mhz.mean() / 1e3:.1f} GHz")
        while len(said := " · ".join(told)) > self.size.width - 4 and len(told) > 1:
            told.pop()
        return said

    def caption(self) -> Text:
        """Which colour is which kind of task."""
        said = Text()
        for number, name in enumerate(_NAMES):
            glyph = "━" if self.palette.has_colours else bars.GLYPHS[number]
            said.append(f"{glyph} ", self.palette.kinds[number])
            said.append(f"{name}  ", self.palette.muted)
        said.rstrip()
        return said if len(said) + 4 <= self.size.width else Text()

    # --- bars ---

    def _bars(
        self, found: list[Group], many: bool, columns: int, cell: int, height: int
    ) -> list[Line]:
        cells: list[Line] = []
        digits = len(str(max(cpu.cpu for group in found for cpu in group.records)))
        rows = sum(len(group.records) for group in found) + (len(found) if many else 0)
        # Where there is room below each bar, its history goes there.
        below = min(height // rows - 1, _TALLEST) if columns == 1 else 0
        for group in found:
            if many:
                cells.append([Segment(words.fit(group.title, cell), self.palette.muted)])
            for cpu in group.records:
                cells.append(self._bar(cpu, digits, cell))
                if below >= 2:
                    cells += self._history(cpu.cpu, digits, cell, below)
        rows = -(-len(cells) // columns)
        gap = Segment(" ", self.palette.text)
        lines: list[Line] = []
        for row in range(rows):
            line: list[Segment] = []
            for each in cells[row::rows]:
                line += [*each, gap]
            lines.append(line)
        return lines

    def _history(self, cpu: int, digits: int, cell: int, tall: int) -> list[Line]:
        """How busy it was, a column a snapshot, below its bar; the last line is left empty."""
        width = cell - digits - 1 - _TAIL - _QUEUE - _told(cell)
        entries = self.timeline.up_to_shown(width) if self.timeline else []
        shares: list[float] = []
        for each in entries:
            cpus = each.snapshot.cpus
            at = int(np.searchsorted(cpus["cpu"], cpu))
            told = at < len(cpus) and int(cpus["cpu"][at]) == cpu
            busy = float(cpus["busy"][at]) if told else 0.0
            shares.append(busy if busy == busy else 0.0)
        pad = Segment(" " * (digits + 1 + width - len(shares)), self.palette.text)
        style = self.palette.kinds[0] + Style(dim=True)
        drawn = blocks.columns(shares, tall - 1)
        return [*([pad, Segment(line, style)] for line in drawn), []]

    def _bar(self, cpu: Cpu, digits: int, cell: int) -> Line:
        pal = self.palette
        busy, waiting = cpu.busy, cpu.waiting
        if all(share != share for share in cpu.kinds):
            shares = [busy, 0.0, 0.0, 0.0]  # nobody may tell which kind of task
        else:  # /proc/stat counts interrupts within the time of the task that they came in
            irq = min(cpu.irq if cpu.irq == cpu.irq else 0.0, busy)
            shares = [*_less(cpu.kinds, irq), irq]
        tail = f" {words.percent(busy):>4}"
        queue = f" +{waiting:.1f}" if waiting >= 0.05 else ""
        room = _QUEUE if cell >= 24 else 0
        bar = cell - digits - 1 - len(tail) - room - _told(cell)
        ends = bars.ends_of(shares, bar)
        if pal.has_colours:
            drawn = bars.lined(ends, bar, pal.kinds)
        else:
            drawn = bars.lettered(ends, bar, pal.text)
        segments = [Segment(f"{cpu.cpu:>{digits}} ", pal.muted), *drawn]
        segments.append(Segment(tail, pal.strong if busy > 0.9 else pal.text))
        if room:
            segments.append(Segment(words.fit(queue, room), pal.middling))
        if cell >= _WAITED_FROM:
            known = cpu.waited == cpu.waited
            said = words.fit(words.short(cpu.waited if known else None), _WAITED - 5)
            segments.append(Segment(f" p{WAITED:g} ", pal.muted))
            segments.append(Segment(said, pal.graded(cpu.waited) if known else pal.muted))
        if cell >= _MORE_FROM:
            rate = f"{words.count(cpu.switches)}/s"
            mhz = f"{cpu.mhz / 1e3:.1f}GHz" if cpu.mhz > 0 else ""
            segments.append(Segment(words.fit(f" {rate:>7} {mhz:>7}", _MORE), pal.muted))
        return segments

    # --- towers ---

    def _towers(self, found: list[Group], width: int, height: int) -> list[Line]:
        """A column a CPU, and a gap between caches, in as many bands as it takes."""
        bands = self._bands(found, width)
        each = max(1, height // len(bands))
        has_numbers, has_waits = each > 2, each > 4 and self.palette.has_colours
        tall = each - has_numbers - has_waits
        are_shaded = len(bands) == 1 and None not in bands[0]
        lines: list[Line] = []
        for band in bands:
            shares = [cpu.busy if cpu and cpu.busy == cpu.busy else 0.0 for cpu in band]
            runs = runs_of(self._tower_styles(band, are_shaded))
            rows = blocks.columns(shares, tall)
            lines += [styled(row, runs) for row in rows]
            if has_waits:
                lines.append(self._waits_line(band, width - len(band)))
            if has_numbers:
                lines.append([Segment(_numbers(band), self.palette.muted)])
        return lines[:height]

    def _waits_line(self, band: Sequence[Cpu | None], left: int) -> Line:
        """How long woken tasks waited on each, as a colour; with a word where it fits."""
        pal = self.palette
        styles = [
            pal.graded(cpu.waited) if cpu and cpu.waited == cpu.waited else pal.muted
            for cpu in band
        ]
        line = styled(["─" if cpu else " " for cpu in band], runs_of(styles))
        label = f" p{WAITED:g}"
        return [*line, Segment(label, pal.muted)] if left >= len(label) else line

    # --- dots ---

    def _dots(self, found: list[Group], width: int, height: int) -> list[Line]:
        """Two CPUs a character, one above the other, as bright as they are busy.

        Where even that is too little room, several CPUs share a dot, which shows their mean.
        """
        busy = np.array([cpu.busy for group in found for cpu in group.records])
        busy = np.nan_to_num(busy)
        each = -(-len(busy) // (2 * width * height))
        padded = np.append(busy, np.full(-len(busy) % each, np.nan)).reshape(-1, each)
        dots = np.nanmean(padded, axis=1)
        rows = -(-len(dots) // width)
        field = np.full((rows + rows % 2, width), np.nan)
        field.flat[: len(dots)] = dots
        return [self._dot_line(field[n], field[n + 1]) for n in range(0, len(field), 2)]

    def _dot_line(self, upper: Sequence[float], lower: Sequence[float]) -> Line:
        pal = self.palette
        if not pal.has_colours:
            means = np.nan_to_num(np.nanmean(np.array([upper, np.nan_to_num(lower)]), axis=0))
            return [Segment("".join(map(blocks.block, means.tolist())), pal.text)]
        top = len(pal.heat) - 1
        line: list[Segment] = []
        for one, other in zip(upper, lower, strict=True):
            if one != one:
                line.append(Segment(" ", pal.text))
                continue
            first = pal.heat[1 + round(one * (top - 1))]
            second = pal.heat[1 + round(other * (top - 1))].color if other == other else None
            line.append(Segment("▀", Style(color=first.color, bgcolor=second)))
        return line

    def _bands(self, found: list[Group], width: int) -> list[list[Cpu | None]]:
        """The CPUs of each line, None where there is a gap.

        Caches stay together where one fits into a line, and the lines are about as long as each
        other. Where only the gaps are too much for one line, shades tell the caches.
        """
        cpus = sum(len(group.records) for group in found)
        gap = 0 if cpus <= width < cpus + len(found) - 1 else 1
        fewest = _wrapped(found, width, gap)
        caches = -(-len(found) // len(fewest))  # as many in each line
        even = max(
            sum(len(group.records) + gap for group in found[at : at + caches]) - gap
            for at in range(0, len(found), caches)
        )
        return _wrapped(found, even, gap) if even < width else fewest

    def _tower_styles(self, band: Sequence[Cpu | None], are_shaded: bool) -> list[Style]:
        """The colour of what each does most; every other cache is shaded if there are no gaps."""
        pal = self.palette
        styles: list[Style] = []
        number, cache = 0, None
        for cpu in band:
            if cpu is None:
                styles.append(pal.text)
                continue
            if cache is not None and (cpu.node, cpu.cache) != cache:
                number += 1
            cache = (cpu.node, cpu.cache)
            most = max(range(len(cpu.kinds)), key=cpu.kinds.__getitem__)
            shade = pal.shaded if are_shaded and number % 2 else pal.towers
            styles.append(shade[most])
        return styles


def _told(cell: int) -> int:
    """Characters of the figures behind a bar that there is room for."""
    return (_WAITED if cell >= _WAITED_FROM else 0) + (_MORE if cell >= _MORE_FROM else 0)


def _wrapped(found: Sequence[Group], width: int, gap: int) -> list[list[Cpu | None]]:
    """Cache after cache, a new line where the next one does not fit into what is left."""
    bands: list[list[Cpu | None]] = [[]]
    for group in found:
        records: list[Cpu | None] = [*group.records]
        if bands[-1] and len(bands[-1]) + gap + len(records) > width:
            bands.append([])
        if bands[-1]:
            bands[-1] += [None] * gap
        while len(bands[-1]) + len(records) > width:
            room = width - len(bands[-1])
            bands[-1] += records[:room]
            records = records[room:]
            bands.append([])
        bands[-1] += records
    return [band for band in bands if band]


def _less(shares: Sequence[float], take: float) -> list[float]:
    """The shares with ``take`` taken from all of them, in proportion."""
    total = sum(share for share in shares if share == share)
    left = max(0.0, total - take) / total if total else 0.0
    return [share * left if share == share else 0.0 for share in shares]


def _numbers(band: Sequence[Cpu | None]) -> str:
    """The number of a CPU below it wherever it does not run into the next."""
    line = ""
    for place, cpu in enumerate(band):
        if cpu is None or (cpu.cpu % 8 and place):
            continue
        number = str(cpu.cpu)
        if place >= len(line) + (1 if line else 0):
            line = line.ljust(place) + number
    return line[: len(band)]
