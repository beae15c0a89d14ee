"""The encoding of rules: every valid file goes into the map and comes back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyloader.catalog import find_scheduler
from pyloader.rules import model, table
from pyloader.rules.model import Layer, Rule, RuleSet
from pyloader.rules.patterns import covers, fits
from pyloader.rules.read import read_bytes
from tests import rules_oracle
from tests.unit.any_rules import MACHINE, documents, toml


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
