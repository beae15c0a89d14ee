"""What workloads' programs print: read back whole, or refused in one sentence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.probes.histogram import NR_BUCKETS
from vm.workloads.figures import quantile_metrics, quantiles
from vm.workloads.model import Case, Metric
from vm.workloads.protocol import parse, reader

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
LATENCY = st.integers(0, 10**13)
CASE = Case(cpus=1)
KINDS = ("metric", "samples", "counts")


@given(
    st.dictionaries(NAMES, st.floats(allow_nan=False, allow_infinity=False)),
    st.dictionaries(NAMES, st.lists(LATENCY, min_size=1)),
    st.dictionaries(
        NAMES, st.dictionaries(st.integers(0, NR_BUCKETS - 1), st.integers(0, 2**62), min_size=1)
    ),
    st.integers(1, 50),
)
def test_what_is_printed_is_read_back_however_the_lines_are_cut(
    metrics: dict[str, float],
    samples: dict[str, list[int]],
    counts: dict[str, dict[int, int]],
    a_line: int,
) -> None:
    lines = [f"metric {name} {value!r}" for name, value in metrics.items()]
    for name, values in samples.items():
        parts = [values[at : at + a_line] for at in range(0, len(values), a_line)]
        lines += [" ".join(("samples", name, *map(str, part))) for part in parts]
    for name, buckets in counts.items():
        lines += [f"counts {name} {bucket}:{count}" for bucket, count in buckets.items()]
    said = parse("\n".join(lines) + "\n")
    assert said.metrics == metrics
    assert {name: values.tolist() for name, values in said.samples.items()} == samples
    assert set(said.counts) == set(counts)
    for name, buckets in counts.items():
        assert {n: int(said.counts[name][n]) for n in buckets} == buckets
        assert int(said.counts[name].astype(object).sum()) == sum(buckets.values())


def refused(text: str) -> str:
    """The sentence, or nothing if the text can be read."""
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return ""


@given(st.text())
def test_nonsense_is_refused_in_one_sentence(text: str) -> None:
    said = refused(text)
    assert len(said.splitlines()) <= 1
    if said:
        assert said.startswith("line ")
    else:
        assert all(line.split()[0] in KINDS for line in text.split("\n") if line.strip())


@given(st.text(), st.integers(0, 4))
def test_a_good_line_does_not_excuse_a_bad_one(text: str, at: int) -> None:
    good = ["metric a 1", "samples b 1 2", "counts c 3:4", "metric d -1.5e-3"]
    lines = [*good[:at], text.replace("\n", " "), *good[at:]]
    if refused(text.replace("\n", " ")):
        assert refused("\n".join(lines)).startswith(f"line {at + 1} ")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("hello", "it is no metric, samples or counts"),
        ("Running with 40 tasks", "'with' is|it is no metric"),
        ("metric p50_ns", "a metric is one number"),
        ("metric p50_ns 1 2", "a metric is one number"),
        ("metric p50_ns nan", "a metric is one number"),
        ("metric p50_ns inf", "a metric is one number"),
        ("metric p50_ns 1e999", "that a double can hold"),
        ("metric p50_ns ١", "a metric is one number"),
        ("metric P50 1", "'P50' is no name"),
        ("samples late 1.5", "'1.5' is no whole number of ns"),
        ("samples late -3", "a sample of -3 ns makes no sense"),
        ("samples late 99999999999999999", "makes no sense"),
        ("samples late 99999999999999999999999", "is no whole number of ns"),
        ("counts late 304:1", "buckets from 0 to 303, not 304"),
        ("counts late 3:-1", "is not BUCKET:COUNT"),
        ("counts late 3:9223372036854775808", "more than can be counted"),
        ("counts late 3", "is not BUCKET:COUNT"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_line(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        parse(f"metric good 1\n{line}\n")
    assert str(caught.value).startswith("line 2 of what the program printed, ")


def test_a_metric_stands_once() -> None:
    with pytest.raises(ValueError, match="the metric a stood in a line before"):
        parse("metric a 1\nmetric a 2\n")


@given(st.lists(LATENCY, min_size=1))
def test_a_quantile_is_a_sample_that_so_many_do_not_exceed(values: list[int]) -> None:
    samples = np.array(values, np.int64)
    found = quantiles(samples, "late_")
    assert list(found) == [metric.name for metric in quantile_metrics("late_", "lateness")]
    for name, share in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999), ("max", 1.0)):
        value = found[f"late_{name}_ns"]
        assert value in values
        assert np.count_nonzero(samples <= value) >= share * len(values)
        assert np.count_nonzero(samples < value) < share * len(values)


METRICS = (*quantile_metrics("", "lateness"), Metric("rate", "1/s", "more", "throughput", "speed"))
READ = reader(METRICS, {"late": ""})


def test_metrics_come_in_the_order_in_which_they_are_declared() -> None:
    outcome = READ("metric rate 3\nsamples late 5 4\nsamples late 6\n", CASE)
    assert outcome.metrics == {"p50_ns": 5, "p99_ns": 6, "p999_ns": 6, "max_ns": 6, "rate": 3}
    assert list(outcome.metrics) == [metric.name for metric in METRICS]
    assert outcome.samples["late"].tolist() == [5, 4, 6]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the program printed no samples late"),
        ("metric rate 3\n", "the program printed no samples late"),
        ("samples late\nmetric rate 3\n", "there is not one sample late"),
        ("samples late 1\n", "the program did not print the metric rate"),
        (
            "samples late 1\nmetric rate 3\nmetric size 4\n",
            "a metric size that the workload does not declare",
        ),
        ("samples late 1\nmetric rate 3\nmetric p50_ns 4\n", "p50_ns is printed and follows"),
    ],
)
def test_a_program_that_does_not_say_all_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        READ(text, CASE)
