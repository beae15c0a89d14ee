"""Recordings: what comes back is what was seen, and a damaged file says so and nothing else."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyloader.errors import ScxhidError
from pyloader.view.recording import MAGIC, BadRecording, Recorder, Recording, pack, unpack
from pyloader.view.snapshot import Snapshot
from tui.sources import Recorded, Replay
from vm.bench.made_up import MadeUp


def same(one: Any, other: Any) -> bool:
    """Equal in all that it holds, arrays bit by bit with their types."""
    if isinstance(one, np.ndarray):
        return (
            one.dtype == other.dtype
            and one.shape == other.shape
            and one.tobytes() == other.tobytes()
        )
    if is_dataclass(one) and not isinstance(one, type):
        if type(one) is not type(other):
            return False
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def made(number: int, cpus: int = 3) -> list[Snapshot]:
    machine = MadeUp(cpus)
    found: list[Snapshot] = []
    for n in range(number):
        machine.tap(("0003:046D:C08B.0004", "0003:04D9:0169.0005", None)[n % 3], n % 2 == 0)
        machine.choose(n if n % 2 else None)
        machine.input_first = machine.at if n % 4 > 1 else None
        if n == 3:
            machine.scheduler, machine.history = None, machine.history[:1]
        snapshot = machine.take()
        assert snapshot
        found.append(snapshot)
    return found


def recorded(path: Path, snapshots: list[Snapshot]) -> Path:
    with Recorder(path) as recorder:
        for each in snapshots:
            recorder.add(each)
    return path


def test_what_was_seen_comes_back_whole(tmp_path: Path) -> None:
    seen = made(8)
    with Recording(recorded(tmp_path / "r", seen)) as recording:
        assert len(recording) == 8
        for n in (5, 0, 7, 3, 2):  # in any order
            assert same(recording[n], seen[n])


@pytest.mark.parametrize("cpus", [1, 64])
def test_a_snapshot_is_read_by_numpy_alone(cpus: int) -> None:
    import io

    snapshot = made(1, cpus)[0]
    with np.load(io.BytesIO(pack(snapshot)), allow_pickle=False) as archive:
        assert np.array_equal(archive["cpus"]["busy"], snapshot.cpus["busy"])
    assert same(unpack(pack(snapshot)).cpus, snapshot.cpus)


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "r"
    path.write_text("older")
    path.chmod(0o644)
    recorded(path, made(1))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_device_keeps_its_mode() -> None:
    mode = os.stat("/dev/null").st_mode
    recorded(Path("/dev/null"), made(1))
    assert os.stat("/dev/null").st_mode == mode


def test_a_file_that_ends_within_a_frame_is_good_up_to_there(tmp_path: Path) -> None:
    seen = made(4)
    path = recorded(tmp_path / "r", seen)
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    with Recording(path) as recording:
        assert len(recording) == 3
        assert same(recording[2], seen[2])


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_a_sentence(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    path = tmp_path_factory.mktemp("r") / "r"
    whole = bytearray(recorded(path, made(3)).read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(whole)
    # Nothing else is raised; a byte of a moment may be another without anybody's noticing.
    with suppress(BadRecording), Recording(path) as recording:
        for n in range(len(recording)):
            recording[n]


@given(st.binary(max_size=300))
def test_what_is_no_recording_is_refused(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes
) -> None:
    path = tmp_path_factory.mktemp("r") / "r"
    path.write_bytes(noise)
    with pytest.raises(BadRecording):
        Recording(path)


def test_another_version_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r"
    path.write_bytes(MAGIC.replace(b"1", b"9"))
    with pytest.raises(BadRecording, match="of another version"):
        Recording(path)


def test_a_full_disk_ends_the_recording_and_not_the_screen() -> None:
    source = Recorded(MadeUp(2), Recorder(Path("/dev/null")))
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, source._recorder._fd)
    os.close(full)
    assert source.take() is not None
    assert "No space left" in source.failed
    assert source.note == "recording ended"
    assert source.take() is not None
    source.close()


def test_a_place_that_cannot_be_written_is_told_before_anything(tmp_path: Path) -> None:
    with pytest.raises(ScxhidError, match="cannot be written"):
        Recorder(tmp_path / "no" / "r")


def test_bytes_an_hour_are_those_of_an_hour(tmp_path: Path) -> None:
    seen = made(5)
    with Recorder(tmp_path / "r") as recorder:
        assert recorder.bytes_an_hour == 0
        for each in seen:
            recorder.add(each)
        span = seen[-1].at - seen[0].at
        size = os.path.getsize(tmp_path / "r")
        assert recorder.bytes_an_hour == pytest.approx(size * 3600 / span)


def test_recordings_stay_masked(tmp_path: Path) -> None:
    machine = MadeUp(2)
    source = Recorded(machine, Recorder(tmp_path / "r"))
    source.tap("0003:04D9:0169.0005", masked=False)
    assert machine.masked
    source.close()


def test_a_replay_goes_where_it_is_asked_to(tmp_path: Path) -> None:
    seen = made(9)
    with Replay(Recording(recorded(tmp_path / "r", seen))) as replay:
        first = replay.take()
        assert first
        assert first.at == seen[0].at
        found = replay.seek(seen[6].at + 0.4, before=3)
        assert [each.at for each in found] == [each.at for each in seen[3:7]]
        following = replay.take()
        assert following
        assert following.at == seen[7].at
        assert [each.at for each in replay.seek(0, before=3)] == [seen[0].at]
        replay.seek(seen[-1].at + 100, before=0)
        assert replay.take() is None
        assert replay.spacing == pytest.approx(1.0)
