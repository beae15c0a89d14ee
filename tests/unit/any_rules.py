"""Any files of rules, and any tasks that they are about: strategies of hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pyloader.rules import model
from pyloader.rules.cpus import Machine
from tests import rules_oracle

MACHINE = Machine(frozenset(range(8)), frozenset(range(8)))

_names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}", fullmatch=True)
_comms = st.text(st.sampled_from("ab*?é/"), min_size=1, max_size=8)
_cgroups = st.text(st.sampled_from("ab*?/"), max_size=8).map(lambda text: f"/{text}")
_layers = st.fixed_dictionaries(
    {},
    optional={
        "weight": st.integers(1, 10_000),
        "slice_us": st.integers(100, 50_000),
        "cpus": st.lists(st.integers(0, 7), min_size=1, max_size=8) | st.just("0-2, 5"),
        "latency": st.sampled_from(model.LATENCIES),
        "preempt": st.booleans(),
    },
)


@st.composite
def _ranges(draw: st.DrawFn, low: int, high: int) -> Any:
    first, last = sorted((draw(st.integers(low, high)), draw(st.integers(low, high))))
    return first if first == last else [first, last]


def _some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return strategy | st.lists(strategy, min_size=1, max_size=3)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A valid file of rules, as tomllib gives it."""
    layers = draw(st.dictionaries(_names, _layers, min_size=1, max_size=5))
    rules = st.fixed_dictionaries(
        {"layer": st.sampled_from([*layers, "default"])},
        optional={
            "comm": _some(_comms),
            "cgroup": _some(_cgroups),
            "uid": _ranges(0, model.MAX_UID) | _ranges(0, 3),
            "nice": _ranges(-20, 19),
            "kernel_thread": st.booleans(),
            "input": st.booleans(),
        },
    )
    return {"layer": layers, "rule": draw(st.lists(rules, max_size=8))}


def toml(document: dict[str, Any]) -> str:
    """The same as text."""
    lines: list[str] = []
    for name, values in document["layer"].items():
        lines += [f'[layer."{name}"]', *(f"{k} = {_value(v)}" for k, v in values.items())]
    for values in document["rule"]:
        lines += ["[[rule]]", *(f"{k} = {_value(v)}" for k, v in values.items())]
    return "\n".join(lines)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


tasks = st.builds(
    rules_oracle.Task,
    comm=st.text(st.sampled_from("abé/"), min_size=1, max_size=7),
    cgroup=st.lists(st.text(st.sampled_from("ab"), min_size=1, max_size=3), max_size=3).map(
        lambda parts: f"/{'/'.join(parts)}"
    ),
    uid=st.integers(0, 4) | st.integers(0, model.MAX_UID),
    nice=st.integers(-20, 19),
    kernel_thread=st.booleans(),
)
"""None of them runs for an input event."""
