"""Files of rules: what is said of a bad one, and what is only warned of."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyloader.errors import BadRules, NotPermitted, ScxhidError
from pyloader.input_first import state
from pyloader.rules import cpus
from pyloader.rules.cpus import Machine
from pyloader.rules.hints import hint
from pyloader.rules.model import Layer, Rule, RuleSet
from pyloader.rules.read import LARGEST_FILE, find_file, read_bytes, read_file
from tests.guest.command import Outcome, scxhid

MACHINE = Machine(frozenset(range(8)), frozenset(range(6)))

GAMES = '[layer.games]\n[[rule]]\nlayer = "games"\n'


def read(text: str) -> tuple[dict[str, Layer], tuple[Rule, ...], tuple[str, ...]]:
    found = read_bytes(text.encode(), "f.toml", MACHINE)
    return dict(found.rules.layers), found.rules.rules, found.warnings


def refusal(text: str | bytes) -> str:
    raw = text.encode() if isinstance(text, str) else text
    with pytest.raises(BadRules) as caught:
        read_bytes(raw, "f.toml", MACHINE)
    sentence = str(caught.value)
    assert sentence.startswith("f.toml")
    assert "\n" not in sentence
    return sentence


def test_everything_that_a_file_can_say() -> None:
    layers, rules, warnings = read(
        """
        [layer.games]
        weight = 400
        slice_us = 3000
        cpus = "2-3,5"
        latency = "interactive"
        preempt = true

        [[rule]]
        layer = "games"
        comm = ["factorio*", "doom"]
        cgroup = "/user.slice/"
        uid = [1000, 1999]
        nice = -5
        kernel_thread = false
        input = true
        """
    )
    assert layers == {
        "default": Layer("default"),
        "games": Layer("games", 400, 3000, frozenset({2, 3, 5}), "interactive", preempt=True),
    }
    both = {"cgroup": "/user.slice", "uid": (1000, 1999), "nice": (-5, -5)}
    both |= {"kernel_thread": False, "input": True}
    assert rules == (Rule("games", "factorio*", **both), Rule("games", "doom", **both))
    assert warnings == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "f.toml is empty: it has no layers and no rules"),
        ("# nothing\n", "is empty"),
        ("layers = 1", "has no key 'layers'; did you mean layer?"),
        ("layer = 1", "layer is not a table"),
        ("rule = {}", "rule is not a list of tables; write [[rule]]"),
        ("rule = [1]", "[[rule]] 1 is not a table"),
        ("[layer]\nx = 1", "[layer.x] is not a table"),
        ("[layer.games]\nwieght = 1", "[layer.games] has no key 'wieght'; did you mean weight?"),
        ("[layer.games]\nzzz = 1", "it takes weight, slice_us, cpus, latency, preempt"),
        ('[layer.games]\nweight = "much"', "[layer.games] weight is 'much'; it takes a whole"),
        ("[layer.games]\nweight = true", "weight is true; it takes a whole number"),
        ("[layer.games]\nweight = 0", "weight is 0; it takes 1 to 10000"),
        ("[layer.games]\nweight = 10001", "weight is 10001; it takes 1 to 10000"),
        ("[layer.games]\nslice_us = 99", "slice_us is 99; it takes 100 to 50000 us"),
        ("[layer.games]\npreempt = 1", "preempt is 1; it takes true or false"),
        ('[layer.games]\nlatency = "batsh"', "normal, interactive or batch; did you mean batch?"),
        ('[layer.games]\ncpus = "0-"', "cpus is '0-', which is no list of CPUs"),
        ('[layer.games]\ncpus = ""', "cpus is '', which is no list of CPUs"),
        ("[layer.games]\ncpus = []", "cpus is []; it takes"),
        ("[layer.games]\ncpus = [1.5]", "cpus is [1.5]; it takes"),
        ('[layer.games]\ncpus = "3-1"', "has the range 3-1, which ends before it begins"),
        ('[layer.games]\ncpus = "6-8"', "cpus has CPU 8, which this machine has not: it has 0-7"),
        ("[layer.games]\ncpus = [-1]", "cpus has CPU -1, which this machine has not"),
        ("[layer.games]\n[layer.games]", "[layer.games] stands there twice"),
        ('[layer."a b"]', "[layer.a b] is no name for a layer"),
        ('[layer."a\\nb"]', "is no name for a layer"),
        (f"[layer.{'x' * 32}]", "is no name for a layer"),
        ("[[rule]]", "[[rule]] 1 names no layer; add layer = NAME"),
        ('[[rule]]\nlayer = "x"', "layer is 'x', and there is no such layer; add [layer.x]"),
        ('[layer.games]\n[[rule]]\nlayer = "gmaes"', "no such layer; did you mean games?"),
        (f"{GAMES}com = 1", "[[rule]] 1 has no key 'com'; did you mean comm?"),
        (f"{GAMES}comm = 1", "comm is 1; it takes text, or a list of texts"),
        (f'{GAMES}comm = [1, "x"]', "comm is [1, 'x']; it takes text, or a list of texts"),
        (f"{GAMES}comm = []", "comm is an empty list, which fits nothing"),
        (f'{GAMES}comm = ""', "comm has an empty pattern, which fits nothing"),
        (f'{GAMES}comm = "a\\u0000b"', "comm has a NUL, which no name has"),
        (f'{GAMES}comm = "chromium-browser"', "the kernel keeps 15 bytes of a name ('chromium-bro"),
        (f'{GAMES}comm = "{"*" * 32}"', "comm has a pattern longer than 31 bytes"),
        (f'{GAMES}cgroup = "user.slice"', "paths of cgroups begin with / (or write *)"),
        (f'{GAMES}cgroup = "/{"a" * 127}"', "cgroup has a pattern longer than 127 bytes"),
        (f"{GAMES}uid = -1", "uid is -1; it takes 0 to 4294967295"),
        (f"{GAMES}uid = 1.5", "uid is 1.5; it takes a number or [FIRST, LAST]"),
        (f"{GAMES}uid = [1, 2, 3]", "uid is [1, 2, 3]; it takes a number or [FIRST, LAST]"),
        (f'{GAMES}uid = "nobodyatall"', "uid is 'nobodyatall', and there is no such user"),
        (f"{GAMES}nice = 20", "nice is 20; it takes -20 to 19"),
        (f"{GAMES}nice = [5, 1]", "nice is [5, 1], a range that ends before it begins"),
        (f"{GAMES}nice = true", "nice is true; it takes a number or [FIRST, LAST]"),
        (f"{GAMES}kernel_thread = 1", "kernel_thread is 1; it takes true or false"),
        (f"{GAMES}imput = true", "[[rule]] 1 has no key 'imput'; did you mean input?"),
        (f'{GAMES}input = "yes"', "input is 'yes'; it takes true or false"),
        ("[layer.games", "f.toml is not TOML: "),
        (b"\xff\xfe", "f.toml is not UTF-8 text: byte 0 is 0xff"),
        ("x = " + "[" * 20_000, "f.toml nests too deep to be rules"),
        (f"[layer.games]\nweight = {'9' * 5000}", "f.toml"),
        (
            GAMES * 1 + "[[rule]]\nlayer = 'games'\n" * 9_999,
            "has 10,000 rules; the scheduler takes",
        ),
        ("".join(f"[layer.l{n}]\n" for n in range(32)), "has 33 layers (the default one counted)"),
        (
            f"{GAMES}comm = [{', '.join(repr(f'n{n}') for n in range(300))}]",
            "has 300 rules (each pattern of a list counted); the scheduler takes at most 256",
        ),
        (
            f"{GAMES}cgroup = [{', '.join(repr(f'/n{n}') for n in range(65))}]",
            "has 65 patterns of cgroups; the scheduler takes at most 64",
        ),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(text: str | bytes, said: str) -> None:
    assert said in refusal(text)


def test_ten_thousand_rules_are_refused_soon() -> None:
    started = time.monotonic()
    refusal(GAMES + '[[rule]]\nlayer = "games"\ncomm = "x"\n' * 9_999)
    assert time.monotonic() - started < 5


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(BadRules, match="is longer than 4 MiB"):
        read_file("/dev/zero", MACHINE)
    assert LARGEST_FILE == 4 << 20


def test_a_directory_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(ScxhidError, match="is a directory, not a file"):
        read_file(str(tmp_path), MACHINE)
    with pytest.raises(ScxhidError, match="cannot be read: No such file"):
        read_file(str(tmp_path / "none"), MACHINE)
    with pytest.raises(ScxhidError, match="cannot be read"):
        read_file("a\0b", MACHINE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[layer.games]\ncpus = "5-6"', "cpus: CPU 6 is offline"),
        ('[layer.games]\ncpus = "6-7"', "cpus: all are offline; its tasks run anywhere"),
        ("[layer.games]", "[layer.games] gets no tasks: no rule names it"),
        (
            f'{GAMES}[[rule]]\nlayer = "default"\ncomm = "x"',
            "[[rule]] 2 never decides for x: rule 1",
        ),
        (f'{GAMES}comm = ["a*", "ab"]', "[[rule]] 1 has ab, which another pattern of the same"),
        (
            f'{GAMES}cgroup = "/a"\n[[rule]]\nlayer = "default"\ncgroup = "/a/b*"',
            "[[rule]] 2 never decides for /a/b*: rule 1 comes before it",
        ),
        (
            f'{GAMES}nice = [0, 19]\n[[rule]]\nlayer = "default"\nnice = 5\nuid = 0',
            "[[rule]] 2 never decides: rule 1 comes before it",
        ),
        (
            f'{GAMES}comm = "*"\n[[rule]]\nlayer = "default"\ninput = true',
            "[[rule]] 2 never decides: rule 1 comes before it",
        ),
    ],
)
def test_what_is_odd_is_warned_of(text: str, said: str) -> None:
    warnings = read(text)[2]
    assert any(said in warning for warning in warnings), warnings


@pytest.mark.parametrize(
    "text",
    [
        f'{GAMES}comm = "b*"\n[[rule]]\nlayer = "default"\ncomm = "ab"',
        f'{GAMES}comm = "*b"\n[[rule]]\nlayer = "default"\ncomm = "*"',
        f'{GAMES}cgroup = "/a"\n[[rule]]\nlayer = "default"\ncgroup = "/ab"',
        f'{GAMES}nice = [0, 4]\n[[rule]]\nlayer = "default"\nnice = [0, 5]',
        f'{GAMES}kernel_thread = true\n[[rule]]\nlayer = "default"\nnice = 0',
        f'{GAMES}comm = "*"\nuid = 0\n[[rule]]\nlayer = "default"\ncomm = "x"',
        f'{GAMES}input = true\n[[rule]]\nlayer = "default"\ncomm = "x"',
        f'{GAMES}input = false\n[[rule]]\nlayer = "default"\ninput = true',
        f'{GAMES}kernel_thread = false\n[[rule]]\nlayer = "default"\ninput = true',
    ],
)
def test_a_rule_that_may_decide_is_not_warned_of(text: str) -> None:
    assert read(text)[2] == ()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(str.encode),
        st.lists(
            st.sampled_from(
                [
                    "[layer.a]",
                    "[layer.default]",
                    "[[rule]]",
                    "[rule]",
                    'layer = "a"',
                    "weight = 9",
                    "weight = 1e9",
                    "cpus = [[1]]",
                    'cpus = "1,,2"',
                    "cpus = [9223372036854775807]",
                    "comm = {}",
                    'comm = [["x"]]',
                    'uid = ["root", 5]',
                    'uid = [5, "root"]',
                    "nice = [true, false]",
                    "nice = 1979-05-27",
                    "kernel_thread = nan",
                    "input = []",
                    'cgroup = "/\\u00e9*?"',
                ]
            ),
            max_size=12,
        ).map(lambda lines: "\n".join(lines).encode()),
    )
)
def test_no_file_makes_a_traceback(raw: bytes) -> None:
    said = ""
    try:
        read_bytes(raw, "f.toml", MACHINE)
    except BadRules as error:
        said = str(error)
    assert "\n" not in said


@given(st.frozensets(st.integers(0, 1023), min_size=1))
def test_a_set_of_cpus_reads_as_it_is_written(found: frozenset[int]) -> None:
    assert cpus.parse(cpus.text(found)) == found


def check(tmp_path: Path, text: str, *more: str) -> Outcome:
    path = tmp_path / "f.toml"
    path.write_text(text)
    return scxhid("sched", "rules", str(path), "--check", *more)


def test_check_counts_and_changes_nothing(tmp_path: Path) -> None:
    outcome = check(tmp_path, f'{GAMES}comm = ["a*", "ab"]')
    assert outcome.status == 0
    assert outcome.out.endswith(
        "1 layer beside the default one, 1 rule (2 with each pattern by itself), "
        "1 warned of above; nothing was changed\n"
    )
    assert "warning: " in outcome.err


def test_a_rule_for_input_says_how_to_make_it_fit(tmp_path: Path) -> None:
    text = f"{GAMES}comm = 'x'\n[[rule]]\nlayer = 'games'\ninput = true\ncomm = ['y', 'z']"
    outcome = check(tmp_path, text)
    assert outcome.status == 0
    assert outcome.err == (
        f"hint: {tmp_path}/f.toml: rule 2 fits nothing as long as input first is off; "
        "`scxhid input on` switches it on\n"
    )
    assert "warned" not in outcome.out
    told = check(tmp_path, text, "--json").json
    assert told["hint"].startswith("rule 2 fits nothing")
    assert [rule["input"] for rule in told["rules"]] == [None, True, True]
    assert check(tmp_path, f"{GAMES}input = false", "--json").json["hint"] is None


@pytest.mark.parametrize(
    ("is_on", "said"),
    [
        (True, None),
        (False, "rules 1, 2 fit nothing as long as input first is off"),
        (None, "rules 1, 2 fit only while input first is on, which only root can see"),
    ],
)
def test_the_hint_is_true(
    is_on: bool | None, said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tell() -> bool:
        if is_on is None:
            raise NotPermitted("x")
        return is_on

    monkeypatch.setattr(state, "is_on", tell)
    rules = RuleSet({}, (Rule("x", input=True, number=1), Rule("x", input=True, number=2)))
    found = hint(rules)
    assert found is None if said is None else found and found.startswith(f"{said}; ")


def test_check_prints_json(tmp_path: Path) -> None:
    told = check(tmp_path, f'{GAMES}comm = "x"\nnice = 5', "--json").json
    assert told["applied"] is False
    assert told["warnings"] == []
    assert [layer["name"] for layer in told["layers"]] == ["default", "games"]
    assert told["rules"] == json.loads(
        '[{"layer": "games", "comm": "x", "cgroup": null, "uid": null, "nice": [5, 5], '
        '"kernel_thread": null, "input": null}]'
    )


def test_a_bad_file_ends_the_command(tmp_path: Path) -> None:
    outcome = check(tmp_path, "[layer.games]\nwieght = 1")
    assert outcome.status == 1
    assert outcome.err.startswith("scxhid: ")
    assert len(outcome.err.splitlines()) == 1


def test_check_without_a_file_is_wrong_use() -> None:
    outcome = scxhid("sched", "rules", "--check")
    assert (outcome.status, outcome.out) == (2, "")


def test_the_rules_that_come_with_it_are_right_and_found_by_name() -> None:
    machine = Machine(frozenset({0}), frozenset({0}))
    found = read_file(find_file("desktop"), machine)
    assert found.warnings == ()
    names = ["default", "input", "desktop", "games", "kernel", "background"]
    assert list(found.rules.layers) == names
    assert find_file("./desktop") == "./desktop"
    with pytest.raises(ScxhidError, match="no file 'desktp' and no rules of that name; did"):
        find_file("desktp")


def test_the_reference_shows_the_rules_that_come_with_it() -> None:
    root = Path(__file__).resolve().parents[2]
    shipped = (root / "schedulers" / "rules" / "desktop.toml").read_text().strip()
    assert f"```toml\n{shipped}\n```" in (root / "docs" / "reference" / "rules.md").read_text()
