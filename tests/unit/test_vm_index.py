"""Kernels in a package index: both package shapes, other flavours, broken stanzas."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from vm.apt import reason, site_from_targets, site_from_uris
from vm.index import Offer, newest, offers, stanzas


def stanza(name: str, size: int = 100_000_000, version: str = "1-1~bpo13+1") -> str:
    return (
        f"Package: {name}\nSource: linux\nVersion: {version}\nInstalled-Size: 2000\n"
        f"Depends: kmod,\n linux-base\nDescription: Linux kernel\n with a second line\n"
        f"Size: {size}\n"
    )


OLD = "6.18.15+deb13-amd64"
NEW = "7.3.4+deb13-amd64"
INDEX = "\n".join(
    [
        stanza(f"linux-image-{OLD}"),
        stanza("linux-image-6.18.15+deb13-cloud-amd64"),
        stanza("linux-image-6.18.15+deb13-rt-amd64"),
        stanza(f"linux-image-{OLD}-dbg"),
        stanza(f"linux-image-{NEW}", size=1200),
        stanza(f"linux-binary-{NEW}", size=14_000_000),
        stanza(f"linux-modules-{NEW}"),
        stanza(f"linux-base-{NEW}", size=1_000_000),
        stanza("linux-image-6.18.9+deb13-amd64"),
        stanza("linux-image-amd64", size=1500),
        stanza("linux-headers-7.3.4+deb13-amd64"),
        stanza("zsh"),
    ]
)


def test_both_package_shapes_are_found_oldest_first() -> None:
    assert [offer.version for offer in offers(INDEX)] == ["6.18.9+deb13-amd64", OLD, NEW]


def test_the_old_shape_is_one_package() -> None:
    found = {offer.version: offer for offer in offers(INDEX)}
    assert [package.name for package in found[OLD].packages] == [f"linux-image-{OLD}"]
    assert found[OLD].download_bytes == 100_000_000
    assert found[OLD].unpacked_bytes == 2000 * 1024


def test_the_new_shape_is_taken_without_its_empty_shell() -> None:
    found = {offer.version: offer for offer in offers(INDEX)}
    assert [package.name for package in found[NEW].packages] == [
        f"linux-binary-{NEW}",
        f"linux-modules-{NEW}",
        f"linux-base-{NEW}",
    ]


def test_a_shell_whose_parts_are_missing_is_not_offered() -> None:
    assert offers(stanza(f"linux-image-{NEW}", size=1200)) == []
    assert offers(stanza(f"linux-modules-{NEW}")) == []


def test_the_newest_of_each_series() -> None:
    assert [offer.version for offer in newest(offers(INDEX))] == [OLD, NEW]


def test_an_offer_survives_the_memory() -> None:
    for offer in offers(INDEX):
        assert Offer.from_json(json.loads(json.dumps(offer.to_json()))) == offer


FIELD = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":"))


@given(
    st.lists(
        st.dictionaries(
            FIELD.filter(bool), FIELD.map(lambda text: text.strip()), min_size=1, max_size=4
        )
    )
)
def test_stanzas_read_back_what_was_written(tables: list[dict[str, str]]) -> None:
    text = "\n\n".join(
        "\n".join(f"{name}: {value}" for name, value in table.items()) for table in tables
    )
    assert list(stanzas(text)) == tables


@given(st.text())
def test_no_text_is_too_odd_for_the_index(text: str) -> None:
    assert isinstance(offers(text), list)


def test_the_archive_is_the_debian_site_and_not_its_security_one() -> None:
    text = "\n".join(
        [
            "Node Source|nodistro|https://packages.example.org/node/",
            "Debian|bookworm-security|http://mirror.example.org/debian-security/",
            "Debian|bookworm|http://mirror.example.org/debian/",
        ]
    )
    assert site_from_targets(text) == "http://mirror.example.org/debian"
    assert site_from_targets("Ubuntu|noble|http://mirror.example.org/ubuntu/") is None


def test_the_reason_of_apts_failure_is_one_clause() -> None:
    assert "corrupt" in reason("E: Failed to fetch x.deb  Hash Sum mismatch\n   Hashes of it:\n")
    assert "corrupt" in reason("E: Failed to fetch x.deb  File has unexpected size (5 != 9).")
    assert reason("dpkg-deb: error: cannot write: No space left on device") == "the disk is full"
    assert reason("W: a warning\nE: Failed to fetch x  Could not resolve 'example.org'") == (
        "Could not resolve 'example.org'"
    )


def test_a_machine_that_has_read_no_list_yet_names_its_archive_by_its_sources() -> None:
    said = """\
'http://mirror.example/debian-security/dists/bookworm-security/InRelease' a 0
'http://packages.example/tools/dists/stable/InRelease' b 0
'http://mirror.example/debian/dists/bookworm/InRelease' c 0
'http://mirror.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' d 0
"""
    assert site_from_uris(said) == "http://mirror.example/debian"
    assert site_from_uris("E: no sources") is None
