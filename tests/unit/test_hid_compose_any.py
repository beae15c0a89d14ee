"""Remap files that include others: whatever they say, they are followed or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyloader.errors import BadRules
from pyloader.hid.remap.compose import Composed, compose_bytes, read_compose
from pyloader.hid.remap.read import read_file
from tests.unit.test_hid_compose import written

_KEYS = st.sampled_from(["a", "b", "esc", "escape", "f1", "capslock"])
_ACTIONS = st.sampled_from(['"a"', '"none"', '"pass"', '"x+y"', '{ macro = ["a"] }', "3"])
_RULES = st.dictionaries(_KEYS, _ACTIONS, min_size=1, max_size=4)


def keys_of(table: str, rules: dict[str, str]) -> str:
    return f"[{table}]\n" + "".join(f"{key} = {value}\n" for key, value in rules.items())


@settings(max_examples=200, deadline=None)
@given(_RULES, _RULES)
def test_the_including_file_wins_key_by_key(
    tmp_path_factory: pytest.TempPathFactory, own: dict[str, str], below: dict[str, str]
) -> None:
    folder = tmp_path_factory.mktemp("two")
    texts = {"own": keys_of("keys", own), "below": keys_of("keys", below)}
    path = written(folder, **texts)
    try:
        alone = [read_file(str(folder / f"{name}.toml")).layers["keys"] for name in texts]
    except BadRules:
        return
    Path(path).write_text('include = ["below.toml"]\n' + texts["own"])
    (both,) = read_compose(path).sections
    assert both.layers["keys"] == {**alone[1], **alone[0]}


@settings(max_examples=200, deadline=None)
@given(_RULES, _RULES, st.booleans())
def test_a_plain_file_reads_the_same_alone_and_as_one_that_might_be_composed(
    tmp_path_factory: pytest.TempPathFactory,
    keys: dict[str, str],
    nav: dict[str, str],
    matched: bool,
) -> None:
    device = "[device]\nvid = 1\n" if matched else ""
    text = device + keys_of("keys", keys) + keys_of("layer.nav", nav)
    path = written(tmp_path_factory.mktemp("plain"), plain=text)
    assert outcome(lambda: read_compose(path)) == outcome(
        lambda: Composed(path, (read_file(path),), files={path: text.encode()})
    )


def outcome(read: Callable[[], Composed]) -> Composed | str:
    """What is read, or the sentence that refuses it."""
    try:
        return read()
    except BadRules as error:
        return str(error)


_SCALARS = st.one_of(
    st.sampled_from(["a", "esc", "nav", "btn_left", "x", "j+k", "", "usb", "*", "space-fn", "\0"]),
    *(st.integers(), st.floats(), st.booleans()),
)
_NAMES = st.sampled_from(
    [
        *("include", "device", "default", "keys", "buttons", "combo", "axes", "layer", "name"),
        *("vid", "pid", "bus", "a", "nav", "j+k", "x", "tap", "hold", "to", "scale", "toggle"),
    ]
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=3)
    ),
    max_leaves=20,
)


def toml(value: object) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f'"{k}" = {toml(v)}' for k, v in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return '"' + value.replace("\0", "\\u0000") + '"' if isinstance(value, str) else str(value)


@settings(max_examples=1000, deadline=None)
@given(st.dictionaries(_NAMES, _VALUES, max_size=6))
def test_every_document_is_followed_or_refused_in_words(document: dict[str, object]) -> None:
    text = "\n".join(f"{name} = {toml(value)}" for name, value in document.items())
    found = outcome(lambda: compose_bytes(text.encode(), "/nowhere/my.toml"))
    assert found.count("\n") == 0 if isinstance(found, str) else found.sections or found.default


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(raw: bytes) -> None:
    outcome(lambda: compose_bytes(raw, "my.toml"))
