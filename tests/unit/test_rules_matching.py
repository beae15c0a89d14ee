"""Which layer a task is in: the BPF program's matching, compiled as C, against the oracle."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyloader.rules import table
from pyloader.rules.read import read_bytes
from pyloader.rules.shadow import shadowed
from tests.rules_oracle import Task, layer_of
from tests.unit.any_rules import MACHINE, documents, tasks, toml
from tests.unit.virtual_time import NATIVE, SCHEDULERS

_ASKED = struct.Struct("16s224sIiII")

#: The layers of tasks under rules: the one of each, and that while it runs for an input event.
Match = Callable[[str, Sequence[Task]], list[tuple[str, str]]]


@pytest.fixture(scope="module")
def match(tmp_path_factory: pytest.TempPathFactory) -> Match:
    program = tmp_path_factory.mktemp("rules") / "rules"
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert compiler, "no C compiler"
    command = [compiler, "-O1", "-w", "-o", str(program), "-include", str(NATIVE / "standin.h")]
    command += ["-I", str(SCHEDULERS / "include"), str(NATIVE / "rules.c")]
    subprocess.run(command, check=True)

    def match_(text: str, those: Sequence[Task]) -> list[tuple[str, str]]:
        record = table.encode(read_bytes(text.encode(), "f.toml", MACHINE).rules)
        names = {place: name for name, place in table.layer_names(record).items()}
        asked = b"".join(
            _ASKED.pack(t.comm.encode()[:15], t.cgroup.encode(), t.uid, t.nice, t.kernel_thread, 0)
            for t in those
        )
        told = subprocess.run(
            [str(program)], input=record.tobytes() + asked, check=True, capture_output=True
        ).stdout.split()
        found = [names[int(place)] for place in told]
        return list(zip(found[::2], found[1::2], strict=True))

    return match_


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(documents(), st.lists(tasks, min_size=1, max_size=20))
def test_a_task_is_where_the_first_rule_that_fits_puts_it(
    match: Match, document: dict[str, Any], those: list[Task]
) -> None:
    text = toml(document)
    wanted = [
        (layer_of(task, text), layer_of(replace(task, is_for_input=True), text)) for task in those
    ]
    assert match(text, those) == wanted


def test_only_an_input_event_makes_a_rule_for_input_fit(match: Match) -> None:
    text = """
        [layer.first]
        [layer.mine]
        [[rule]]
        layer = "first"
        input = true
        uid = 1000
        [[rule]]
        layer = "mine"
        comm = "reader"
    """
    reader = Task("reader", "/", 1000, 0)
    others = [replace(reader, uid=0), Task("x", "/", 1000, 0)]
    assert match(text, [reader, *others]) == [
        ("mine", "first"),
        ("mine", "mine"),
        ("default", "first"),
    ]


@settings(max_examples=300, deadline=None)
@given(documents(), st.lists(tasks, min_size=1, max_size=20), st.booleans())
def test_a_rule_that_is_said_never_to_decide_can_be_left_out(
    document: dict[str, Any], those: list[Task], is_for_input: bool
) -> None:
    single = {**document, "rule": [_first_patterns(rule) for rule in document["rule"]]}
    rules = read_bytes(toml(single).encode(), "f.toml", MACHINE).rules.rules
    dead = {late.number for late, _ in shadowed(rules)}
    alive = [rule for n, rule in enumerate(single["rule"], 1) if n not in dead]
    for task in those:
        asked = replace(task, is_for_input=is_for_input)
        assert layer_of(asked, toml({**single, "rule": alive})) == layer_of(asked, toml(single))


def _first_patterns(rule: dict[str, Any]) -> dict[str, Any]:
    """The rule with one pattern where it lists several."""
    named = {key: rule[key] for key in ("comm", "cgroup") if key in rule}
    return {**rule, **{k: v[0] if isinstance(v, list) else v for k, v in named.items()}}
