"""The initramfs of the bare boot: a cpio archive, the same bytes each time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vm.initramfs import Entry, archive

NAMES = st.text("abcdefghijklmnopqrstuvwxyz/._-", min_size=1, max_size=40)
ENTRIES = st.lists(
    st.builds(Entry, NAMES, st.just(0o100644), st.binary(max_size=300)),
    max_size=8,
    unique_by=lambda entry: entry.path,
)


def unpacked(data: bytes) -> list[Entry]:
    """Read an archive back by the format's own description."""
    found: list[Entry] = []
    at = 0
    while True:
        assert at % 4 == 0
        assert data[at : at + 6] == b"070701"
        fields = [int(data[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        name_at = at + 110
        name = data[name_at : name_at + fields[11] - 1].decode()
        assert data[name_at + fields[11] - 1] == 0
        body_at = (name_at + fields[11] + 3) // 4 * 4
        if name == "TRAILER!!!":
            return found
        body = data[body_at : body_at + fields[6]]
        found.append(Entry(name, fields[1], body, (fields[9], fields[10])))
        at = (body_at + fields[6] + 3) // 4 * 4


@given(ENTRIES)
def test_an_archive_reads_back(entries: list[Entry]) -> None:
    data = archive(entries)
    assert unpacked(data) == entries
    assert len(data) % 512 == 0
    assert archive(entries) == data


def test_a_device_node_keeps_its_numbers() -> None:
    console = Entry("dev/console", 0o020600, device=(5, 1))
    assert unpacked(archive([console])) == [console]
