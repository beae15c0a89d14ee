"""A refusal is laid out like a compiler's: place, snippet, facts, advice."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyloader.verifier import parse, render

LOGS = Path(__file__).resolve().parent / "verifier_logs"


def stored(name: str, kernel: str = "7.3.4") -> str:
    return (LOGS / f"{name}-{kernel}.log").read_text()


HEADLINE = (
    "error: the verifier refused program no_null_check: "
    "a map lookup's result is used without a NULL check\n"
)
SHOWN = """\
  --> refusals.bpf.c:77
   |
75 |         struct value *v = bpf_map_lookup_elem(&values, &key);
76 |
77 |         v->slots[0]++;
   |         ^^^^^^^^^^^^^^ R0 invalid mem access 'map_value_or_null'
78 |         return 0;
79 | }
   |
   = r0 is a pointer to a value of map values (80 bytes) that may be NULL; since line 75: struct
           value *v = bpf_map_lookup_elem(&values, &key);
           [map_value_or_null(id=1,map=values,ks=4,vs=80)]
   = instruction: 8: (61) r1 = *(u32 *)(r0 +16)
   = try: A lookup gives NULL when the key is not there, and the verifier never takes a key for
          granted: test r0 (from line 75) before using it. In C: `if (!p) return 0;` before the
          first use, in the same function.
   = whole log: scxhid check --log refusals.bpf.c
"""


def test_a_refusal_is_shown_like_a_compilers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(LOGS)
    assert render(parse(stored("no_null_check", "6.16.12")), "refusals.bpf.c") == HEADLINE + SHOWN


def test_a_report_of_7_3_is_shown_with_its_path_and_suggestion() -> None:
    text = render(parse(stored("sleeps_under_rcu")), LOGS)
    assert "|         ^~~~~~~~~~" in text
    assert "= how it came to that:\n" in text
    assert "line 272: bpf_rcu_read_lock();\n" in text
    assert "context: entered RCU read lock region; depth is now 1" in text
    assert "= why: The operation sleepable helper bpf_copy_from_user#148 cannot be used" in text
    assert "= kernel suggests: Move the helper call outside the critical section" in text
    assert "= try: Close the section first" in text


def test_without_the_source_the_line_of_the_log_is_shown() -> None:
    text = render(parse(stored("no_null_check")))
    assert "77 | v->slots[0]++;\n" in text
    assert "78 |" not in text


def test_a_source_that_has_changed_since_is_not_shown(tmp_path: Path) -> None:
    changed = tmp_path / "refusals.bpf.c"
    changed.write_text("another line\n" * 100)
    text = render(parse(stored("no_null_check")), changed)
    assert "77 | v->slots[0]++;\n" in text
    assert "another line" not in text


def test_a_refusal_by_libbpf_is_shown_without_a_snippet() -> None:
    text = render(parse(stored("kfunc_missing")))
    assert text.startswith("error: libbpf refused the program: this kernel does not have the kfunc")
    assert "= kernel: extern (func ksym) 'scxhid_no_such_kfunc': not found" in text
    assert "bpf_ksym_exists(scxhid_no_such_kfunc)" in text


def test_colours_come_only_on_request_and_never_from_the_log() -> None:
    refusal = parse("0: (95) exit\nthe \33[31mmoon\33[0m\a\n")
    assert "\33" not in render(refusal)
    assert "\33[31mmoon" not in render(refusal, color=True)
    assert "\33[1;31merror" in render(refusal, color=True)


# Up to 6.8 the kernel gives the text of a source line and not its number.
UNNUMBERED = """\
; return v->index + v->count;
7: (61) r1 = *(u32 *)(r0 +8)
R0 invalid mem access 'map_value_or_null'
"""


def test_a_line_without_a_number_is_found_in_the_source_if_it_is_the_only_one(
    tmp_path: Path,
) -> None:
    source = tmp_path / "old.bpf.c"
    source.write_text("int f(void)\n{\n\treturn v->index + v->count;\n}\n")
    assert f"{source}:3" in render(parse(UNNUMBERED), source)
    source.write_text("\treturn v->index + v->count;\n\treturn v->index + v->count;\n")
    assert f"--> {source}" not in render(parse(UNNUMBERED), source)
