"""The palette: told apart by people who see fewer colours, on light and on dark."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from vm.report.plots.theme import COLOURS, HUES, Look, drawn, looks, roles

Floats = NDArray[np.float64]

#: What is left of colours without one kind of cones, on linear RGB: Machado, Oliveira, Fernandes,
#: "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, severity 1.
SEEN = {
    "all": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
SERIES = [f"series-{n}" for n in range(HUES + 1)]


def linear(colour: str) -> Floats:
    value = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb: Floats) -> Floats:
    xyz = _TO_XYZ @ np.clip(rgb, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    light, dark = sorted((float((_TO_XYZ @ linear(c))[1]) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("at", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("eyes", SEEN)
def test_series_are_told_apart(at: int, eyes: str) -> None:
    seen = [lab(SEEN[eyes] @ linear(COLOURS[role][at])) for role in SERIES]
    distances = [float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2)]
    assert min(distances) > 20


@pytest.mark.parametrize("at", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("eyes", SEEN)
def test_better_is_told_from_worse(at: int, eyes: str) -> None:
    for step in (1, 2, 3):
        better, worse = (
            lab(SEEN[eyes] @ linear(COLOURS[f"{side}-{step}"][at])) for side in ("better", "worse")
        )
        assert float(np.linalg.norm(better - worse)) > 12


@pytest.mark.parametrize("at", [0, 1], ids=["light", "dark"])
def test_contrasts_are_enough(at: int) -> None:
    colours = {role: pair[at] for role, pair in COLOURS.items()}
    assert all(contrast(colours[role], colours["page"]) >= 3 for role in SERIES)
    assert contrast(colours["ink"], colours["page"]) >= 12
    for back in ("page", "panel", "same"):
        assert contrast(colours["muted"], colours[back]) >= 4.5
    assert contrast(colours["accent"], colours["page"]) >= 4.5
    for side, step in itertools.product(("better", "worse"), (1, 2, 3)):
        assert contrast(colours[f"on-{step}"], colours[f"{side}-{step}"]) >= 4.5


def test_each_role_is_drawn_in_a_colour_of_its_own() -> None:
    assert len({drawn(role) for role in COLOURS}) == len(COLOURS)
    assert all(roles()[drawn(role)] == role for role in COLOURS)


def test_many_subjects_differ_by_colour_dashes_or_marker() -> None:
    found = looks([f"s{n}" for n in range(4 * HUES)], "s3")
    assert found["s3"] == Look("series-0", (), "o")
    assert len({(look.role, look.dashes) for look in found.values()}) == 4 * HUES


def test_what_was_before_has_the_colour_of_what_is_now() -> None:
    found = looks(["kernel", "a", "a (before)", "b", "kernel (before)", "alone (before)"], "kernel")
    assert found["a"].role == found["a (before)"].role != found["b"].role
    assert found["a"].dashes != found["a (before)"].dashes
    assert found["kernel (before)"].role == "series-0"
    assert list(found)[2] == "a (before)"
