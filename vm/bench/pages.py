"""``python -m vm.bench.pages``: put the figures of ``build/bench.json`` into docs/benchmarks.

Whatever stands between a line ``<!-- bench:NAME -->`` and the next ``<!-- bench:end -->`` is
replaced; the rest is written by hand.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from vm.bench.contest import METRICS, SUITE
from vm.bench.floor import ROOT
from vm.bench.result import rounded

PAGE = ROOT / "docs" / "benchmarks" / "README.md"

Entry = Mapping[str, Any]


def results(entries: Sequence[Entry]) -> str:
    """The table of all that is no line of the schedulers' table."""
    lines = [
        "| id | value | unit | baseline value | ratio | interval | goal | met | runs | baseline |",
        "|---|---:|---|---:|---:|---|---|---|---:|---|",
    ]
    lines += [
        f"| {e['id']} | {e['value']:g} | {e['unit']} | {e['baseline_value']:g} | {e['ratio']:g}×"
        f" | {_span(e)} | {e['goal']} | {'yes' if e['met'] else 'no'} | {e['runs']}"
        f" | {e['baseline']} |"
        for e in entries
        if "/" not in e["id"]
    ]
    return "\n".join(lines)


def schedulers(entries: Sequence[Entry]) -> str:
    """The schedulers side by side, a line each; empty if they were not measured."""
    rows: dict[str, dict[str, str]] = {}
    for entry in entries:
        suite, _, rest = entry["id"].partition("/")
        if suite == SUITE:
            metric, _, name = rest.partition("/")
            rows.setdefault(name, {})[metric] = _cell(entry)
    if not rows:
        return ""
    heads = [f"{heading}, {unit}" for unit, heading in METRICS.values()]
    lines = [f"| scheduler | {' | '.join(heads)} |", "|---|" + "---:|" * len(heads)]
    lines += [
        f"| {name} | {' | '.join(row.get(metric, '') for metric in METRICS)} |"
        for name, row in rows.items()
    ]
    return "\n".join(lines)


def machine(facts: Entry) -> str:
    """What the figures were measured on, in a sentence."""
    host = re.match(r"[\d.]*", str(facts.get("kernel")))  # what follows names somebody's build
    return (
        f"Measured on {facts.get('cpu')}, {facts.get('cores')} cores, host kernel"
        f" {host[0] if host else ''}, guest kernel {facts.get('guest_kernel')}"
        f" ({str(facts.get('accel')).upper()}), QEMU {facts.get('qemu')},"
        f" Python {facts.get('python')}, libbpf {facts.get('libbpf')}."
    )


def filled(page: str, parts: Mapping[str, str]) -> str:
    """``page`` with the text of each marked part replaced; a part that is empty stays as it is."""
    for name, text in parts.items():
        pattern = rf"(<!-- bench:{name} -->\n).*?(<!-- bench:end -->)"
        if text:
            page = re.sub(
                pattern, lambda m, text=text: f"{m[1]}\n{text}\n\n{m[2]}", page, flags=re.S
            )
    return page


def _span(entry: Entry) -> str:
    interval = entry.get("interval")
    return f"{interval[0]:g} to {interval[1]:g}" if interval else ""


def _cell(entry: Entry) -> str:
    value = f"{rounded(entry['value'], 3):g}"
    if entry.get("interval") in (None, [1.0, 1.0]):
        return value
    return f"{value} ({entry['ratio']:.2g}×, {_span(entry)})"


def main() -> None:
    document: Any = json.loads((ROOT / "build" / "bench.json").read_text())
    entries: list[Entry] = document["results"]
    table, facts = results(entries), machine(document["machine"])
    parts = {"results": f"{table}\n\n{facts}", "schedulers": schedulers(entries)}
    PAGE.write_text(filled(PAGE.read_text(), parts))


if __name__ == "__main__":
    sys.exit(main())
