"""Distributions of latencies: which share of the samples is not later, the tail stretched."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vm.report.blocks import Block, counted_runs, cpus_title, headline, load_title
from vm.report.plots.panels import MOST_PANELS, Entry, Plot, label_outer, log_axis, panels
from vm.report.plots.svg import named
from vm.report.plots.theme import Look, clipped
from vm.report.units import scale_of
from vm.results.model import Cell, Document, Run
from vm.stats import histogram
from vm.stats.compare import Place

Floats = NDArray[np.float64]

#: Points of a curve.
_POINTS = 90

#: Ticks of the share axis.
_SHARES = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)


@dataclass(frozen=True)
class Curve:
    """What each share of the samples stays below, in ns: the median over runs, and the lowest and
    highest run. All of shape ``(points,)``; ``stretched`` is -log10(1 - share)."""

    subject: str
    stretched: Floats
    middle: Floats
    lowest: Floats
    highest: Floats

    def at(self, share: float) -> float:
        """The value of the middle at a share (0..1), in ns."""
        return float(np.interp(-math.log10(1 - share), self.stretched, self.middle))


def curve(subject: str, runs: Sequence[Run], array: str) -> Curve | None:
    """The curve of the samples (or histograms) called ``array``; None if no run has any."""
    found = [samples for run in runs if (samples := _sampled(run, array))]
    if not found:
        return None
    fewest = min(samples.count for samples in found)
    stretched: Floats = np.linspace(0, math.log10(fewest), _POINTS if fewest > 1 else 1)
    shares: Floats = 1 - 10.0**-stretched
    values: Floats = np.stack([samples.below(shares) for samples in found])
    # A log axis has no place for nothing.
    values = np.maximum(values, 1.0)
    return Curve(
        subject,
        stretched,
        np.median(values, axis=0),
        np.min(values, axis=0),
        np.max(values, axis=0),
    )


@dataclass(frozen=True)
class _Sampled:
    """``count`` samples, in order or as a histogram."""

    count: int
    ordered: Floats | None = None
    counts: NDArray[np.uint64] | None = None

    def below(self, shares: Floats) -> Floats:
        """What each of the ``shares`` (0..1) of the samples is not later than, in ns."""
        if self.ordered is not None:
            # The nearest rank; a share that is a rank but for rounding is that rank.
            rank = np.ceil(shares * self.count - 1e-9).astype(np.intp) - 1
            return self.ordered[np.clip(rank, 0, self.count - 1)]
        counts = self.counts if self.counts is not None else np.zeros(0, np.uint64)
        return np.array(histogram.quantiles(counts, [float(share) for share in shares]))


def plots(document: Document, blocks: Sequence[Block], looks: Mapping[str, Look]) -> list[Plot]:
    """A plot for each array of the workload that ``blocks`` are of, with a panel for each place.

    First the array that the headline is of; the others are details.
    """
    wanted = {block.place for block in blocks}
    metric = next((column.metric for block in blocks if (column := headline(block))), "")
    by_place: dict[Place, list[tuple[Cell, list[Run]]]] = {}
    for cell, runs in counted_runs(document).items():
        if cell.place in wanted:
            by_place.setdefault(cell.place, []).append((cell, runs))
    found: list[Plot] = []
    all_runs = [run for cells in by_place.values() for _, runs in cells for run in runs]
    for at, array in enumerate(_arrays(all_runs, metric)):
        curves = {
            place: [one for cell, runs in cells if (one := curve(cell.subject, runs, array))]
            for place, cells in sorted(by_place.items(), key=lambda one: place_order(one[0]))
        }
        drawn = [(place, some) for place, some in curves.items() if some]
        for start in range(0, len(drawn), MOST_PANELS):
            part = drawn[start : start + MOST_PANELS]
            plot = _plot(part[0][0][0], array, part, looks, number=start // MOST_PANELS)
            found.append(dataclasses.replace(plot, is_detail=at > 0))
    return found


def place_order(place: Place) -> tuple[Any, ...]:
    """By kernel, then CPUs, then rising load."""
    _, load, kernel, cpus, topology = place
    known = ("idle", "light", "full", "over")
    return kernel, cpus, topology, known.index(load) if load in known else 9, load


def panel_title(place: Place, places: Iterable[Place]) -> str:
    """What tells a place from the others of a figure; machine and load where nothing does."""
    _, load, kernel, cpus, topology = place
    others = list(places)
    kernels = {one[2] for one in others}
    short = {one.split("+")[0] for one in kernels}
    parts = {
        cpus_title(cpus, topology): len({one[3:] for one in others}) > 1,
        load_title(load): len({one[1] for one in others}) > 1,
        kernel.split("+")[0] if len(short) == len(kernels) else kernel: len(kernels) > 1,
    }
    chosen = [part for part, is_telling in parts.items() if is_telling] or list(parts)[:2]
    return clipped(", ".join(part for part in chosen if part), 40)


def legend(subjects: Iterable[str], looks: Mapping[str, Look]) -> tuple[Entry, ...]:
    """The entries of those subjects, in the order of ``looks``."""
    wanted = set(subjects)
    return tuple(
        Entry(subject, look.role, look.dashes, look.marker)
        for subject, look in looks.items()
        if subject in wanted
    )


def _plot(
    workload: str,
    array: str,
    drawn: Sequence[tuple[Place, Sequence[Curve]]],
    looks: Mapping[str, Look],
    number: int,
) -> Plot:
    places = [place for place, _ in drawn]
    name = array.replace("_", " ")

    def draw(is_wide: bool) -> Any:
        figure, axes = panels(
            [panel_title(place, places) for place in places], is_wide, left=72, between=30
        )
        for one, (_, curves) in zip(axes, drawn, strict=True):
            for curve in curves:
                _draw_curve(one, curve, looks[curve.subject])
        highest = max(curve.stretched[-1] for _, curves in drawn for curve in curves)
        _share_axis(axes, highest)
        for one in axes:
            most = 4 if is_wide and len(places) > 2 else 6
            log_axis(one.xaxis, lambda value: scale_of("ns", [value]), most)
        label_outer(axes, is_wide, "latency (log)", "samples not later")
        return figure

    subjects = [curve.subject for _, curves in drawn for curve in curves]
    part = f", part {number + 1}" if number else ""
    return Plot(
        key=f"cdf-{workload}-{array}-{number}",
        title=f"How latencies are distributed: {name}{part}",
        caption="Each line is the median over runs of what that share of a run's samples is not"
        " later than; the band reaches from the lowest run to the highest. Further left is better,"
        " and the upper half is the tail.",
        alt=" ".join(_told(panel_title(place, places), curves) for place, curves in drawn),
        legend=legend(subjects, looks),
        draw=draw,
    )


def _draw_curve(axes: Any, curve: Curve, look: Look) -> None:
    axes.fill_betweenx(
        curve.stretched, curve.lowest, curve.highest, color=look.colour, alpha=0.13, linewidth=0
    )
    (line,) = axes.plot(
        curve.middle,
        curve.stretched,
        color=look.colour,
        linestyle=look.line_style,
        linewidth=1.8,
        marker=look.marker,
        markevery=(_POINTS // 6, _POINTS // 3),
        markersize=4,
    )
    named(line, curve.subject)


def _share_axis(axes: Sequence[Any], highest: float) -> None:
    ticks = [share for share in _SHARES if -math.log10(1 - share) <= highest + 0.05]
    for one in axes:
        one.set_xscale("log")
        one.set_yticks(
            [-math.log10(1 - share) for share in ticks], [f"{share * 100:g} %" for share in ticks]
        )
        one.set_ylim(0, max(highest, 0.31))


def _told(title: str, curves: Sequence[Curve]) -> str:
    """The panel in one sentence."""
    share = 0.99 if all(curve.stretched[-1] >= 2 for curve in curves) else 0.5
    ordered = sorted(curves, key=lambda curve: curve.at(share))
    first, last = ordered[0], ordered[-1]
    at = [scale_of("ns", [c.at(share)]).with_unit(c.at(share)) for c in (first, last)]
    if len(ordered) == 1:
        return f"{title}: {share * 100:g} % of {first.subject} are not later than {at[0]}."
    return (
        f"{title}: {share * 100:g} % are not later than {at[0]} with {first.subject}, the earliest,"
        f" and {at[1]} with {last.subject}, the latest of {len(ordered)}."
    )


def _arrays(runs: Sequence[Run], metric: str) -> list[str]:
    """Names of arrays of samples or counts, in the order in which they stand, but the one that the
    ``metric`` is the 99th percentile of before all others."""
    names = dict.fromkeys(
        name.split("/", 1)[1] for run in runs for name in run.arrays if "/" in name
    )
    example = next((run for run in runs if run.metrics.get(metric, 0) > 0), None)
    if example is None or "p99" not in metric:
        return list(names)

    def distance(name: str) -> float:
        sampled = _sampled(example, name)
        value = float(sampled.below(np.array([0.99]))[0]) if sampled else 0.0
        return abs(math.log(value / example.metrics[metric])) if value > 0 else math.inf

    nearest = min(names, key=distance, default="")
    return sorted(names, key=lambda name: name != nearest)


def _sampled(run: Run, array: str) -> _Sampled | None:
    """The samples of that name, or else their histogram; None if the run has neither, or empty."""
    samples = run.arrays.get(f"samples/{array}")
    if samples is not None and len(samples):
        return _Sampled(len(samples), ordered=np.sort(np.asarray(samples, np.float64)))
    counts = run.arrays.get(f"counts/{array}")
    if counts is not None and counts.sum():
        return _Sampled(int(counts.sum()), counts=np.asarray(counts, np.uint64))
    return None
