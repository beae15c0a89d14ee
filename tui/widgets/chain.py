"""The way of one event under input first: whom it woke, whom they woke, who waited and who ran."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment

from pyloader.input_first.chains import Chain, Hop
from pyloader.probes.histogram import NR_BUCKETS, PERCENTILES, percentiles
from pyloader.view.input_first import worth
from tui.draw import words
from tui.draw.waterfall import TimeScale
from tui.widgets.drawn import Drawn, Line

#: How far back an event may lie that has more to tell than the last one, and the waits, s.
_HELD_S, _WAITS_S = 3.0, 10.0
_ENTRIES = 100
_LONG_NS = 1_000_000
_FIGURES = f"{'wait':>7}{'ran':>7}{'CPU':>5}"
_BESIDE = 30


class Waterfall(Drawn):
    """A line a task, below the one that woke it. It shows the longest chain of the last seconds,
    of several the newest: the last event of all may have woken nobody but its reader."""

    LEAST_S = 0.9  # what changes faster is not read
    BORDER_TITLE = "the way of an event"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._device = ""

    def follow(self, device: str) -> None:
        """Show only events of this one, by its name in sysfs; else it is of all."""
        self._device = device
        self._shown_at = -1e9
        if self.timeline:
            self.show(self.timeline)

    def title(self) -> str:
        chain = self._chain()
        if chain is None:
            return self.BORDER_TITLE
        took = words.short(_reached_ns(chain))
        tasks = len(chain.hops) + chain.left_out
        said = f"{words.printable(chain.name)}: {tasks} task{'s' * (tasks != 1)} in {took}"
        long = f"{self.BORDER_TITLE} of {said}"
        return long if len(long) + 4 <= self.size.width else said

    def caption(self) -> str:
        return "░ waits for a CPU  █ runs" if self.size.width >= 40 else ""

    def draw(self, width: int, height: int) -> Sequence[Line]:
        chain = self._chain()
        if chain is None:
            return [[Segment("no report has woken anybody yet", self.palette.muted)]]
        beside = self._beside(height) if width >= 100 else []
        room = width - (_BESIDE + 2 if beside else 0)
        lines = self._chain_lines(chain, room, height)
        if not beside:
            return lines
        lines += [[Segment(" " * room)] for _ in range(len(beside) - len(lines))]
        beside += [[] for _ in range(len(lines) - len(beside))]
        return [[*line, Segment("  "), *other] for line, other in zip(lines, beside, strict=True)]

    # --- which event ---

    def _chain(self) -> Chain | None:
        """The longest of the last seconds; if there was none, the last one before."""
        found: Chain | None = None
        entries = self.timeline.up_to_shown(_ENTRIES) if self.timeline else []
        for entry in reversed(entries):
            state = entry.snapshot.input_first
            if state is None or not state.is_on:
                break
            if found and entries[-1].snapshot.at - entry.snapshot.at > _HELD_S:
                break
            for each in state.chains:
                is_wanted = not self._device or self._device.startswith(each.device)
                if each.hops and is_wanted and (found is None or worth(each) > worth(found)):
                    found = each
        return found

    def _waits(self) -> NDArray[np.uint64]:
        """By depth, of the last seconds."""
        entries = self.timeline.up_to_shown(_ENTRIES) if self.timeline else []
        since = entries[-1].snapshot.at - _WAITS_S if entries else 0.0
        states = [each.snapshot.input_first for each in entries if each.snapshot.at > since]
        told = [each.waits for each in states if each and each.waits is not None]
        sums = np.zeros((max(map(len, told), default=0), NR_BUCKETS), np.uint64)
        for each in told:
            sums[: len(each)] += each
        return sums

    # --- the chain ---

    def _chain_lines(self, chain: Chain, width: int, height: int) -> list[Line]:
        pal = self.palette
        label = 24 if width >= 80 else min(18, width // 3)
        figures = len(_FIGURES) if width >= 60 else 7 if width >= 40 else 0
        scale = TimeScale.over(width - label - figures - 1, _drawn_ns(chain))
        lines: list[Line] = []
        if height > len(chain.hops):
            head = f"{'':{label}}{scale.axis()} {_FIGURES[:figures]}"
            lines.append([Segment(head, pal.muted)])
        rows = in_order(chain.hops, "  " if width >= 60 else " ")
        room = height - len(lines)
        fits = len(rows) + (chain.left_out > 0) <= room
        shown = rows if fits else rows[: max(0, room - 1)]
        for branch, hop in shown:
            lines.append(self._hop_line(chain, branch, hop, scale, label, figures))
        rest = len(rows) - len(shown) + chain.left_out
        if rest and len(lines) < height:
            more = f"… and {rest} more"
            lines.append([Segment(words.fit(more, width), pal.muted)])
        return lines

    def _hop_line(
        self, chain: Chain, branch: str, hop: Hop, scale: TimeScale, label: int, figures: int
    ) -> Line:
        pal = self.palette
        waited = hop.waited_ns
        woken = hop.woken_ns - chain.began_ns
        ran = None if waited is None else woken + waited
        gap, waits, runs = scale.span(woken, ran, (ran or 0) + hop.used_ns)
        rest = " " * (scale.width - len(gap) - len(waits) - len(runs))
        used = None if waited is None else hop.used_ns
        said = f"{words.short(waited):>7}{words.short(used):>7}{hop.cpu:>5}"[:figures]
        branch = branch[: label - 2]
        name = words.fit(words.printable(hop.comm), label - len(branch) - 1)
        graded = pal.graded(scale.until if waited is None else waited)
        return [
            Segment(branch, pal.muted),
            Segment(f"{name} ", pal.text if hop.depth else pal.strong),
            Segment(gap),
            Segment(waits, graded),
            Segment(runs, pal.kinds[1]),
            Segment(f"{rest} "),
            Segment(said[:7], graded),
            Segment(said[7:], pal.muted),
        ]

    # --- waits by hop ---

    def _beside(self, height: int) -> list[Line]:
        pal, waits = self.palette, self._waits()
        if not waits.any():
            return []
        lines: list[Line] = [
            [Segment(f"{f'waits, {_WAITS_S:g} s':<14}{'p50':>8}{'p99':>8}", pal.muted)]
        ]
        for hop, counts in enumerate(waits):
            samples = int(counts.sum())
            if not samples:
                continue
            name = "readers" if not hop else f"hop {hop}"
            line: list[Segment] = [Segment(f"{name:<14}", pal.text if hop else pal.strong)]
            for share, ns in zip((50.0, 99.0), percentiles(counts, (50, 99)) or (), strict=True):
                known = samples >= PERCENTILES[share]
                figure = words.short(ns if known else None)
                line.append(Segment(f"{figure:>8}", pal.graded(ns) if known else pal.muted))
            lines.append(line)
        return lines[:height]


def in_order(hops: Sequence[Hop], indent: str = "  ") -> list[tuple[str, Hop]]:
    """Each task below the one that woke it, with the branch of a tree that leads to it."""
    ordered = sorted(hops, key=lambda hop: hop.woken_ns)
    woken: dict[int, list[int]] = {}
    last: dict[int, int] = {}  # a task may have been woken more than once: the last time counts
    for n, hop in enumerate(ordered):
        woken.setdefault(last.get(hop.waker, -1), []).append(n)
        last[hop.pid] = n
    rows: list[tuple[str, Hop]] = []

    def add(number: int, before: str, branch: str, following: str) -> None:
        rows.append((before + branch, ordered[number]))
        below = woken.get(number, [])
        for each in below:
            is_last = each == below[-1]
            twig = ("└" if is_last else "├") + indent[1:]
            add(each, before + following, twig, (" " if is_last else "│") + indent[1:])

    for each in woken.get(-1, []):
        add(each, "", "", "")
    return rows


def _reached_ns(chain: Chain) -> int:
    """From the event until the last of them had a CPU, or was woken if it waits still."""
    return max((hop.ran_ns or hop.woken_ns) - chain.began_ns for hop in chain.hops)


def _drawn_ns(chain: Chain) -> int:
    """As much of the time as is worth drawing: until the last of them has run, but of one that
    computes on and on not much more than the way took."""
    reached = _reached_ns(chain)
    if any(hop.waited_ns is None for hop in chain.hops):
        return reached * 5 // 4  # room for waiting that has no end yet
    ended = max(hop.ran_ns + hop.used_ns - chain.began_ns for hop in chain.hops)
    return min(ended, max(2 * reached, reached + _LONG_NS))
