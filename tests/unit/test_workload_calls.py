"""What comes of workloads whose own functions go wrong: one sentence, whatever they raise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from vm.workloads.calls import Nonsense, checked, command, plan, read
from vm.workloads.model import Case, Metric, Outcome, Workload

WORKLOAD = Workload(
    "one",
    "one of a test",
    (Metric("p50_ns", "ns", "less", "latency", "x"), Metric("n", "1", "more", "count", "x")),
    command=lambda case: ["/files/one", str(case.seed)],
    read=lambda text, case: Outcome({"n": float(text)}),
)
CASE = Case(cpus=1, seed=3)


def fails(*_: object) -> Any:
    raise LookupError("no such\nline")


def test_what_goes_well_is_handed_on() -> None:
    assert command(WORKLOAD, CASE) == ["/files/one", "3"]
    assert plan(WORKLOAD, CASE) == ["run /files/one 3"]
    assert read(WORKLOAD, "7", CASE).metrics == {"n": 7.0}


def test_a_plan_of_its_own_is_taken() -> None:
    def lines(case: Case) -> Sequence[str]:
        return ["first", f"then {case.seed}"]

    assert plan(replace(WORKLOAD, plan=lines), CASE) == ["first", "then 3"]


@pytest.mark.parametrize(
    ("change", "call", "text"),
    [
        ("command", lambda w: command(w, CASE), "one has no command for this case"),
        ("command", lambda w: plan(w, CASE), "one has no command for this case"),
        ("plan", lambda w: plan(w, CASE), "one has no plan for this case"),
        ("read", lambda w: read(w, "7", CASE), "one printed what makes no sense"),
    ],
)
def test_whatever_a_function_raises_is_one_sentence(change: str, call: Any, text: str) -> None:
    with pytest.raises(Nonsense) as caught:
        call(replace(WORKLOAD, **{change: fails}))
    assert str(caught.value) == f"{text}: LookupError: no such line"


def test_a_value_error_speaks_for_itself() -> None:
    with pytest.raises(Nonsense, match=r"^one printed what makes no sense: could not convert"):
        read(WORKLOAD, "seven", CASE)


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Outcome({"n": 1.0, "bogus": 1.0}), "one measured bogus, which it does not declare"),
        (Outcome({}), "one measured nothing"),
        (Outcome({"n": float("nan")}), "one measured nan as n, which is no number"),
        (Outcome({"n": "7"}), "one measured '7' as n, which is no number"),  # type: ignore[dict-item]
        (None, "one gave a NoneType in place of an Outcome"),
    ],
)
def test_only_declared_figures_count(outcome: Any, text: str) -> None:
    with pytest.raises(Nonsense, match=text):
        checked(WORKLOAD, outcome)


def test_a_good_outcome_is_left_as_it_is() -> None:
    outcome = Outcome({"n": 3})
    assert checked(WORKLOAD, outcome) is outcome
