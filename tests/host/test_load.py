"""Loading, attaching and letting go: what is refused and why, and that nothing is left behind."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyloader import libbpf
from pyloader.errors import (
    AttachError,
    BadValue,
    LoadError,
    UnknownName,
    Unsupported,
    VerifierError,
)
from pyloader.object import BpfObject
from pyloader.spec import ObjectSpec

pytestmark = pytest.mark.host

Load = Callable[..., BpfObject]
SpecOf = Callable[[str], ObjectSpec]
PROGRAMS = Path(__file__).resolve().parents[1] / "programs"
LAUNCHER = Path(sys.executable).parent / "scxhid"


# --- refused ---


def test_refusal_of_the_verifier_points_to_the_source_line(spec_of: SpecOf) -> None:
    with pytest.raises(VerifierError) as caught:
        spec_of("host_refused").load()
    refusal = caught.value.refusal
    assert refusal.program == "refused"
    assert refusal.source is not None
    assert refusal.source.file.endswith("host_refused.bpf.c")
    lines = (PROGRAMS / "host_refused.bpf.c").read_text().splitlines()
    assert lines[refusal.source.line - 1].strip() == "*count += 1;"
    assert "map_value_or_null" in caught.value.log
    assert caught.value.exit_status == 1
    assert "program refused of host_refused" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_check_shows_the_refusal_beside_the_source() -> None:
    source = PROGRAMS / "host_refused.bpf.c"
    done = subprocess.run([LAUNCHER, "check", source], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "*count += 1;" in done.stderr
    assert "host_refused.bpf.c:" in done.stderr
    assert "NULL" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_gives_the_whole_log_on_request() -> None:
    source = PROGRAMS / "host_refused.bpf.c"
    command = [LAUNCHER, "check", "--log", source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "BEGIN PROG LOAD LOG" in done.stdout


def test_check_of_a_good_object_changes_nothing_and_counts() -> None:
    source = PROGRAMS / "globals.bpf.c"
    done = subprocess.run([LAUNCHER, "check", source], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("globals: 4 programs, ")


def test_kind_of_ops_that_the_kernel_lacks_is_unsupported(spec_of: SpecOf) -> None:
    spec = spec_of("host_unknown_ops")
    assert spec.sole_ops("tide_ops").fields == {"height": 3, "name": "tide"}
    with pytest.raises(Unsupported, match="this kernel has no tide_ops, which host_unknown_ops"):
        spec.load()


def test_fields_of_ops_are_checked_by_name_and_type(spec_of: SpecOf) -> None:
    spec = spec_of("host_unknown_ops")
    with pytest.raises(UnknownName, match="no field is called 'heigth'; did you mean height"):
        spec.load(fields={"tide": {"heigth": 1}})
    with pytest.raises(UnknownName, match="no struct_ops is called 'tid'; did you mean tide"):
        spec.load(fields={"tid": {"height": 1}})
    with pytest.raises(BadValue, match=r"tide\.height=-1 does not fit u32"):
        spec.load(fields={"tide": {"height": -1}})
    with pytest.raises(BadValue, match=r"tide\.name holds at most 15 bytes"):
        spec.load(fields={"tide": {"name": "x" * 16}})


@pytest.mark.parametrize("count", [0, -1, 1 << 32])
def test_impossible_size_of_a_map_is_refused_before_load(count: int, spec_of: SpecOf) -> None:
    with pytest.raises(BadValue, match=f"map counters cannot have {count} entries"):
        spec_of("globals").load(entries={"counters": count})


# A checkout may lie where only root can read: everything is imported before root is given up.
AS_NOBODY = """
import os, sys
import pyloader.catalog, pyloader.cli.build, pyloader.cli.output, pyloader.object, pyloader.verifier
import difflib, pyloader.compile
from pyloader.cli import main
pyloader.compile.flags()
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
sys.argv = ["scxhid", *sys.argv[1:]]
main()
"""


def test_load_without_root_is_not_permitted(spec_of: SpecOf) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        copy = Path(folder) / "globals.bpf.o"
        copy.write_bytes(spec_of("globals").data)
        command = [sys.executable, "-c", AS_NOBODY, "check", copy]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (4, "")
    assert "does not let this user load globals: run it as root" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["build", "check"])
def test_file_that_is_not_ours_to_read_is_one_sentence(command: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        hidden = Path(folder) / "hidden.bpf.c"
        hidden.write_text("")
        hidden.chmod(0o600)
        process = [sys.executable, "-c", AS_NOBODY, command, hidden]
        done = subprocess.run(process, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == f"scxhid: {hidden}: permission denied; root may use it\n"


# --- attach and run ---


def test_program_that_attaches_to_nothing_is_an_attach_error(load: Load) -> None:
    with pytest.raises(AttachError, match="the kernel refused to attach fill"):
        load("globals").attach("fill")


def test_unknown_program_names_the_nearest(load: Load) -> None:
    loaded = load("globals")
    for use in (loaded.attach, loaded.run):
        with pytest.raises(UnknownName, match="no program is called 'fil'; did you mean fill"):
            use("fil")


def test_run_returns_what_the_program_returns(load: Load) -> None:
    loaded = load("globals")
    assert loaded.run("fill", bytearray(8)) == -22  # -EINVAL for the seed 0
    args = bytearray(b"\x01" + bytes(7))
    assert loaded.run("fill", args) == 0
    assert int.from_bytes(args[4:], "little") == 32  # what the program wrote back


def test_run_with_a_context_of_the_wrong_size_is_an_error(load: Load) -> None:
    with pytest.raises(AttachError, match="program fill of globals did not run"):
        load("globals").run("fill")


def test_close_detaches(load: Load) -> None:
    watcher = load("globals", values={"target_tgid": os.getpid()})
    calls = watcher.variables["nr_calls"]
    link = watcher.attach("count_syscalls")
    os.getppid()
    assert calls.value > 0
    watcher.close()
    assert link  # held or not
    after = calls.value
    os.getppid()
    assert calls.value == after


def test_two_copies_of_one_object_do_not_disturb_each_other(load: Load) -> None:
    first, second = load("globals"), load("globals", values={"data_u8": 9})
    first.variables["data_u32"].value = 77
    assert second.variables["data_u32"].value == 3
    assert (first.variables["data_u8"].value, second.variables["data_u8"].value) == (1, 9)


# --- nothing left behind ---


def _fds() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def _exists(map_id: int) -> bool:
    try:
        os.close(libbpf.map_by_id(map_id))
    except OSError:
        return False
    return True


def _left(map_ids: list[int]) -> list[int]:
    """Those that the kernel still has; it lets go of them a moment after the last user."""
    deadline = time.monotonic() + 10
    while (left := [map_id for map_id in map_ids if _exists(map_id)]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.02)
    return left


def test_two_hundred_loads_leave_no_descriptor_and_no_map(spec_of: SpecOf) -> None:
    spec = spec_of("ringbuf")
    ids: list[int] = []
    spec.load().close()
    before = _fds()
    for _ in range(200):
        with spec.load() as loaded:
            loaded.attach("watch_syscalls")
            loaded.maps["stats"].read()
            with loaded.maps["events"].ring(spec.variables["event__type"].type) as ring:
                ring.read()
            _ = loaded.variables["event__type"].value
            ids += [map_.id for map_ in loaded.maps.values()]
    del loaded, ring
    assert _fds() == before
    assert len(ids) == 400
    assert _left(ids) == []


def test_refused_load_leaves_no_descriptor(spec_of: SpecOf) -> None:
    for name in ("host_refused", "host_unknown_ops"):
        with pytest.raises((LoadError, Unsupported)):
            spec_of(name).load()
    before = _fds()
    for _ in range(20):
        for name in ("host_refused", "host_unknown_ops"):
            with pytest.raises((LoadError, Unsupported)):
                spec_of(name).load()
    assert _fds() == before


def test_object_that_is_forgotten_is_let_go(spec_of: SpecOf) -> None:
    before = _fds()
    loaded = spec_of("globals").load()
    map_id = loaded.maps["samples"].id
    loaded.attach("count_syscalls")
    del loaded
    assert _fds() == before
    assert _left([map_id]) == []


def test_reading_a_spec_opens_nothing(spec_of: SpecOf) -> None:
    data = spec_of("globals").data
    before = _fds()
    for _ in range(50):
        ObjectSpec.from_bytes(data, "globals")
    assert _fds() == before


# --- disk full in the cache ---


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", tmp_path], check=True)
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def test_full_cache_is_one_sentence_and_leaves_nothing_half_written(full_disk: Path) -> None:
    done = subprocess.run(
        [LAUNCHER, "build", PROGRAMS / "globals.bpf.c", "-o", "/dev/null"],
        env={**os.environ, "XDG_CACHE_HOME": str(full_disk)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(full_disk) in done.stderr or "No space left on device" in done.stderr
    assert not list(full_disk.rglob("*.bpf.o"))
    assert not list(full_disk.rglob(".compile-*"))
