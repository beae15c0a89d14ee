"""The life of struct_ops on the host, with TCP congestion control in a scheduler's place."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyloader import bpffs, foreign, libbpf
from pyloader.bpffs import Place
from pyloader.errors import AttachError, BadObject
from pyloader.object import BpfObject
from pyloader.spec import ObjectSpec

pytestmark = pytest.mark.host

Load = Callable[..., BpfObject]
SpecOf = Callable[[str], ObjectSpec]


def _running() -> set[str]:
    """The congestion controls that the kernel has now, by name."""
    return set(Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text().split())


def _ends(name: str) -> bool:
    """Whether it goes off: a link is let go of a moment after its last pin or descriptor."""
    deadline = time.monotonic() + 5
    while name in _running() and time.monotonic() < deadline:
        time.sleep(0.01)
    return name not in _running()


@pytest.fixture
def name() -> str:
    """A name that no other run of these tests has."""
    return f"t{os.getpid()}"


@pytest.fixture
def standby(load: Load, name: str) -> BpfObject:
    """Loaded, and named by a field that was set before load."""
    return load("host_struct_ops", fields={"first": {"name": name}, "second": {"name": name + "b"}})


def test_object_with_two_ops_says_which(spec_of: SpecOf) -> None:
    spec = spec_of("host_struct_ops")
    assert list(spec.ops) == ["first", "second"]
    assert spec.ops["second"].callbacks["undo_cwnd"] == "undo_cwnd"
    with pytest.raises(BadObject, match=r"has 2 tcp_congestion_ops \(first, second\)"):
        spec.sole_ops("tcp_congestion_ops")


def test_loaded_ops_are_on_standby_until_they_are_attached(standby: BpfObject, name: str) -> None:
    assert not {name, name + "b"} & _running()
    standby.attach("first")
    assert name in _running()
    assert name + "b" not in _running()


def test_close_takes_ops_off(standby: BpfObject, name: str) -> None:
    standby.attach("first")
    standby.attach("second")
    assert {name, name + "b"} <= _running()
    standby.close()
    assert not {name, name + "b"} & _running()


def test_ops_that_are_attached_already_are_refused(standby: BpfObject, name: str) -> None:
    standby.attach("first")
    with pytest.raises(AttachError, match="the kernel refused to attach first"):
        standby.attach("first")
    assert name in _running()


HOLD = """
import sys
import time
from pyloader.spec import ObjectSpec
loaded = ObjectSpec.open(sys.argv[1]).load(fields={"first": {"name": sys.argv[2]}})
loaded.attach("first")
print("attached", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder(spec_of: SpecOf, tmp_path: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that has attached ``first`` and pinned nothing."""
    path = tmp_path / "it.bpf.o"
    path.write_bytes(spec_of("host_struct_ops").data)
    command = [sys.executable, "-c", HOLD, path, name]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "attached\n"
        yield process
        process.kill()


def test_process_that_is_killed_takes_unpinned_ops_along(
    holder: subprocess.Popen[str], name: str
) -> None:
    assert name in _running()
    holder.kill()
    holder.wait()
    assert _ends(name)


@pytest.fixture
def as_schedulers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take congestion controls for schedulers where foreign ones are looked for."""
    monkeypatch.setattr(foreign, "_VALUE_TYPES", ("bpf_struct_ops_tcp_congestion_ops",))


@pytest.mark.usefixtures("as_schedulers")
def test_process_that_holds_foreign_ops_is_named(holder: subprocess.Popen[str]) -> None:
    found = foreign.holder_of_scheduler()
    assert found is not None
    assert [pid for pid, _ in found.processes] == [holder.pid]
    assert found.pins == ()
    assert f"process python ({holder.pid})" in found.in_words()


@pytest.mark.usefixtures("as_schedulers")
def test_pin_that_holds_foreign_ops_is_named(
    standby: BpfObject, bpffs_mount: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bpffs, "MOUNT", str(bpffs_mount))
    libbpf.pin(standby.attach("first").fd, f"{bpffs_mount}/theirs")
    standby.close()
    found = foreign.holder_of_scheduler()
    assert found is not None
    assert found.in_words() == f"the pin {bpffs_mount}/theirs"


@pytest.mark.usefixtures("as_schedulers")
def test_nobody_holds_what_is_only_loaded(standby: BpfObject) -> None:
    assert standby.map_fds()
    assert foreign.holder_of_scheduler() is None


def test_pinned_ops_outlive_what_attached_them(
    standby: BpfObject, name: str, bpffs_mount: Path
) -> None:
    place = Place(f"{bpffs_mount}/current")
    place.fill({"ops": {"first": standby.map_fds()["first"]}})
    place.pin_link(standby.attach("first").fd)
    standby.close()
    assert name in _running()
    assert place.is_attached()
    place.clear()
    assert _ends(name)


def test_another_process_detaches_by_the_pin_and_attaches_again(
    standby: BpfObject, name: str, bpffs_mount: Path
) -> None:
    place = Place(f"{bpffs_mount}/current")
    place.fill({"ops": {"first": standby.map_fds()["first"]}})
    place.pin_link(standby.attach("first").fd)
    standby.close()
    link = place.open(place.link)
    ops = place.open(place.pins("ops")["first"])
    try:
        assert libbpf.link_info(link).map_id == libbpf.map_info(ops).id
        libbpf.detach_link(link)
        assert name not in _running()
        assert libbpf.link_info(link).map_id == 0
        again = libbpf.link_struct_ops(ops)
        assert name in _running()
        os.close(again)
        assert _ends(name)
    finally:
        os.close(link)
        os.close(ops)


def test_links_of_the_kernel_are_listed(standby: BpfObject) -> None:
    standby.attach("first")
    wanted = libbpf.map_info(standby.map_fds()["first"]).id
    assert wanted in {link.map_id for link in libbpf.links()}
