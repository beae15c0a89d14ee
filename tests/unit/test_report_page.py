"""The page of `bench report`: well-formed, closed to the world, and to what files try to say."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import itertools
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.unit import made_results as made
from vm.report.files import File
from vm.report.page.html import Data, page, plots
from vm.report.plots.svg import svg
from vm.report.told import tell
from vm.results.model import Document, Run

VOID = {"meta", "wbr", "br", "link", "img", "input"}

HOSTILE = "<script>alert('x')</script>\"&$\\alpha$'--><!--\x00\n\u202e.bpf.c"


class Page(HTMLParser):
    """Checks the nesting while it reads, and keeps what tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.children: dict[int, list[str]] = {}
        self.text: list[tuple[str, str]] = []
        self._stack: list[int] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in {tag}"
        if self._stack:
            self.children.setdefault(self._stack[-1], []).append(tag)
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)
            self._stack.append(len(self.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another"
        self._stack.pop()

    def handle_data(self, data: str) -> None:
        self.text.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def written(document: Document, **options: str) -> str:
    file = File(Path("night.json"), "night.json", document)
    data = [Data("night.json", 1000, "ab" * 32)]
    return page(tell([file], **options), [file], data, "scxhid bench report night.json -o DIR")


@pytest.fixture(scope="module")
def text() -> str:
    return written(made.everything(7, 4))


@pytest.fixture(scope="module")
def read(text: str) -> Page:
    return Page(text)


def test_it_is_well_formed_and_each_id_is_once(read: Page) -> None:
    ids = [a["id"] for _, a in read.elements if "id" in a]
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    refers = [a["href"][1:] for _, a in read.elements if a.get("href", "").startswith("#")]
    refers += [word for _, a in read.elements for word in a.get("aria-labelledby", "").split()]
    refers += re.findall(r"url\(#([^)]+)\)", " ".join(str(a) for _, a in read.elements))
    assert refers
    assert set(refers) <= set(ids)


def test_it_asks_nobody_for_anything(text: str, read: Page) -> None:
    assert not re.search(r"(https?:)?//[a-z0-9]", text.replace("-Policy", ""))
    sources = [a[name] for _, a in read.elements for name in ("src", "srcset") if name in a]
    assert not sources
    assert not re.search(r"@import|url\((?!#)", text)
    policy = read.all("meta")[1]["content"]
    assert policy.startswith("default-src 'none'")
    links = [a["href"] for a in read.all("a") if not a["href"].startswith("#")]
    assert links == ["./night.json"]


def test_it_has_every_kind_of_plot(read: Page) -> None:
    titles = [text for tag, text in read.text if tag == "h3"]
    for words in (
        "p99 against kernel, by load",
        "How latencies are distributed: late",
        "requests against p99",
        "Latency by stages of its path",
        "What slice_us of interactive does",
        "p99, run by run",
    ):
        assert any(title.startswith(words) for title in titles), words


def test_each_plot_says_in_words_what_it_shows(read: Page) -> None:
    drawings = [
        (index, attributes)
        for index, (tag, attributes) in enumerate(read.elements)
        if tag == "svg" and "swatch" not in attributes.get("class", "")
    ]
    assert len(drawings) == 2 * len(read.all("figure")) > 20
    for index, attributes in drawings:
        assert attributes["role"] == "img"
        assert len(attributes["aria-labelledby"].split()) == 2
        assert read.children[index][:2] == ["title", "desc"]
    described = [text for tag, text in read.text if tag == "desc"]
    assert len(described) == len(drawings)
    assert all(len(text) > 40 for text in described)
    assert all("nan" not in text for text in described)


def test_swatches_are_not_read_out(read: Page) -> None:
    swatches = [a for a in read.all("svg") if "swatch" in a.get("class", "")]
    assert swatches
    assert all(a["aria-hidden"] == "true" for a in swatches)


def test_colours_of_plots_are_those_of_the_page(text: str) -> None:
    drawings = "".join(re.findall(r"<svg.*?</svg>", text, re.S))
    assert not re.search(r"#[0-9a-f]{6}", drawings)
    assert "var(--series-0)" in drawings
    used = set(re.findall(r"var\(--([\w-]+)\)", text))
    declared = set(re.findall(r"--([\w-]+):", text))
    assert used <= declared


def test_fonts_of_plots_are_those_of_the_page(text: str) -> None:
    assert "DejaVu Sans'" not in text
    assert "font-size: 12px" in text


def test_each_plot_is_drawn_for_a_desk_and_for_a_telephone(text: str) -> None:
    widths = [float(w) for w in re.findall(r'<svg viewBox="0 0 ([\d.]+)', text)]
    assert max(widths) > 600
    assert any(w == 350 for w in widths)
    assert text.count('class="drawing wide"') == text.count('class="drawing narrow"')


def hostile_runs() -> list[Run]:
    cells = [
        dataclasses.replace(
            made.cell(),
            scheduler=name,
            mode="direct",
            kernel=HOSTILE,
            topology=HOSTILE,
            load=HOSTILE,
            knobs=(("k" + HOSTILE, HOSTILE),),
        )
        for name in (HOSTILE, "_hidden", "x" * 300, "日本", "")
    ]
    runs = [made.run(cell, n) for cell in cells for n in range(1, 6)]
    odd = {"qemu": HOSTILE, HOSTILE: HOSTILE, "command": [HOSTILE], "object_sha256": HOSTILE}
    return [
        *(dataclasses.replace(run, conditions=odd) for run in runs),
        made.lost(cells[0], 9, "failed", HOSTILE),
    ]


def test_what_a_file_says_is_shown_and_does_nothing() -> None:
    workloads = {"wakeup": {**made.WORKLOADS["wakeup"], "about": HOSTILE}}
    text = written(
        made.document(
            hostile_runs(),
            workloads=workloads,
            host={HOSTILE: HOSTILE},
            command=("scxhid", HOSTILE),
            created=HOSTILE,
        )
    )
    read = Page(text)
    assert len(read.all("script")) == 1
    assert "alert('x')" not in "".join(text for tag, text in read.text if tag == "script")
    assert "<script>alert" not in text
    assert "<!--" not in text
    assert "\x00" not in text
    assert "\u202e" not in text
    assert any("<script>alert('x')</script>" in text for _, text in read.text)


def test_the_script_is_the_one_that_the_page_allows(text: str) -> None:
    script = re.search(r"<script>(.*?)</script>", text, re.S)
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text


def test_tables_have_heads_and_captions(read: Page) -> None:
    for index, (tag, _) in enumerate(read.elements):
        if tag == "table":
            assert "thead" in read.children[index]
    scopes = [a.get("scope") for a in read.all("th")]
    assert set(scopes) == {"col", "row"}


def test_colours_follow_the_reader_and_paper_is_light(text: str) -> None:
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert "@media screen { :root[data-theme=dark]" in text


def test_it_is_the_same_text_for_the_same_result() -> None:
    document = made.document(made.runs_of(repetitions=5))
    assert written(document) == written(document)


def test_it_tells_the_conditions_and_how_to_repeat_it(text: str) -> None:
    for words in (
        "QEMU emulator version 10.0.2",
        "Test CPU 3000",
        f"{'simple':0<64}",
        "scxhid bench run --sched kernel,simple -o &#x27;a file.json&#x27;",
        "qemu-system-x86_64 -smp 2",
        "the machine hung after 30 s",
    ):
        assert words in text


def test_many_places_are_shown_in_several_plots() -> None:
    runs = made.runs_of(("kernel", "simple"), loads=("idle", "full", "over"), repetitions=2)
    more = [
        dataclasses.replace(run, cell=dataclasses.replace(run.cell, topology=f"1s{n}c"))
        for n in range(1, 6)
        for run in runs
    ]
    document = made.document(more)
    told = tell([File(Path("a.json"), "a.json", document)]).told[0]
    found = [p for p in plots(told, told.blocks, "wakeup") if p.title.startswith("How")]
    assert len(found) == 2
    assert "part 2" in found[1].title


def test_a_drawing_is_one_svg_that_needs_no_other() -> None:
    told = tell([File(Path("a.json"), "a.json", made.document(made.runs_of()))]).told[0]
    for plot in plots(told, told.blocks, "wakeup"):
        text = svg(plot.draw(True), "key", "A & B", "<C>")
        assert text.startswith("<svg viewBox=")
        assert '<title id="key-title">A &amp; B</title><desc id="key-desc">&lt;C&gt;</desc>' in text
        assert "xmlns" not in text


def test_no_level_of_headings_is_skipped(read: Page) -> None:
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_lines_and_points_say_whose_they_are(text: str) -> None:
    named = Counter(re.findall(r"<g><title>([^<]+)</title>", text))
    assert named["simple"] > 10
    assert any(name.startswith("queue: ") for name in named)
    assert 'id="named' not in text
