"""The encoding of rules: every valid file goes into the map and comes back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyloader.catalog import find_scheduler
from pyloader.rules import model, table
from pyloader.rules.cpus import Machine
from pyloader.rules.model import Layer, Rule, RuleSet
from pyloader.rules.patterns import covers, fits
from pyloader.rules.read import read_bytes
from tests import rules_oracle

MACHINE = Machine(frozenset(range(8)), frozenset(range(8)))

names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}", fullmatch=True)
letters = st.sampled_from("ab*?é/")
comms = st.text(letters, min_size=1, max_size=8)
cgroups = st.text(st.sampled_from("ab*?/"), max_size=8).map(lambda text: f"/{text}")


@st.composite
def ranges(draw: st.DrawFn, low: int, high: int) -> Any:
    first, last = sorted((draw(st.integers(low, high)), draw(st.integers(low, high))))
    return first if first == last else [first, last]


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return strategy | st.lists(strategy, min_size=1, max_size=3)


layer_tables = st.fixed_dictionaries(
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
def documents(draw: st.DrawFn) -> dict[str, Any]:
    layers = draw(st.dictionaries(names, layer_tables, min_size=1, max_size=5))
    rules = st.fixed_dictionaries(
        {"layer": st.sampled_from([*layers, "default"])},
        optional={
            "comm": some(comms),
            "cgroup": some(cgroups),
            "uid": ranges(0, model.MAX_UID),
            "nice": ranges(-20, 19),
            "kernel_thread": st.booleans(),
        },
    )
    return {"layer": layers, "rule": draw(st.lists(rules, max_size=8))}


def toml(document: dict[str, Any]) -> str:
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


@settings(max_examples=200, deadline=None)
@given(documents())
def test_every_valid_file_goes_into_the_map_and_comes_back(document: dict[str, Any]) -> None:
    rules = read_bytes(toml(document).encode(), "f.toml", MACHINE).rules
    record = table.encode(rules, source="f.toml", applied_ns=1)
    assert table.decode(record) == rules
    assert record["source"] == b"f.toml"


def test_the_c_program_has_the_same_layout() -> None:
    from pyloader.dtypes import dtype_of

    theirs = dtype_of(find_scheduler("layers").open().maps["rule_tables"].value_type)
    assert _flat(theirs) == _flat(table.TABLE)


def _flat(dtype: Any) -> Any:
    """Names, offsets and formats all the way down; shapes with them."""
    if dtype.subdtype:
        return _flat(dtype.subdtype[0]), dtype.subdtype[1]
    if dtype.names is None:
        return dtype.str
    members = {name: (dtype.fields[name][1], _flat(dtype.fields[name][0])) for name in dtype.names}
    return members, dtype.itemsize


def test_a_layer_keeps_its_place_and_a_new_one_takes_one_that_was_never_used() -> None:
    before = {"default": 0, "a": 1, "b": 2}
    assert table.slots(["default", "b", "c"], before) == {"default": 0, "b": 2, "c": 3}


def test_all_places_can_be_taken_and_taken_over() -> None:
    first = {f"a{n}": n for n in range(1, model.MAX_LAYERS)} | {"default": 0}
    wanted = ["default", *(f"b{n}" for n in range(1, model.MAX_LAYERS))]
    places = table.slots(wanted, first)
    assert sorted(places.values()) == list(range(model.MAX_LAYERS))


def test_a_table_of_zeros_is_no_rules() -> None:
    import numpy as np

    assert table.decode(np.zeros((), table.TABLE)) == RuleSet({}, ())


def test_the_largest_set_of_cpus_fits() -> None:
    cpus = frozenset(range(model.MAX_CPUS))
    rules = RuleSet({"default": Layer("default"), "x": Layer("x", cpus=cpus)}, (Rule("x"),))
    assert table.decode(table.encode(rules)) == rules


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.sampled_from("ab*?"), min_size=1, max_size=6),
    st.text(st.sampled_from("ab"), max_size=6),
)
def test_patterns_fit_what_they_say(pattern: str, name: str) -> None:
    assert fits(pattern, name) == rules_oracle.glob(pattern.encode(), name.encode())


@settings(max_examples=300, deadline=None)
@given(
    *[st.text(st.sampled_from("ab*?"), min_size=1, max_size=4)] * 2,
    st.text(st.sampled_from("ab"), max_size=6),
)
def test_a_pattern_that_covers_another_fits_what_the_other_fits(
    wide: str, narrow: str, name: str
) -> None:
    if covers(wide, narrow) and fits(narrow, name):
        assert fits(wide, name)


@pytest.mark.parametrize(
    ("path", "pattern", "is_in"),
    [
        ("/a/b", "/a", True),
        ("/ab", "/a", False),
        ("/a/b", "/", True),
        ("/", "/", True),
        ("/a/b/c", "/a/*", True),
        ("/a", "/a/*", False),
        ("/x/app-1/y", "*/app-*", True),
    ],
)
def test_a_cgroup_pattern_fits_all_that_is_below(path: str, pattern: str, is_in: bool) -> None:
    task = rules_oracle.Task("x", path, 0, 0)
    text = f'[layer.y]\n[[rule]]\nlayer = "y"\ncgroup = "{pattern}"'
    assert (rules_oracle.layer_of(task, text) == "y") is is_in
