"""Pins: a loaded program set that another process opens again, with all that it says of itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyloader import libbpf
from pyloader.attached import Attached
from pyloader.bpffs import Place
from pyloader.errors import Gone, NotPermitted, ScxhidError, UnknownName
from pyloader.object import BpfObject
from pyloader.spec import data_section

pytestmark = pytest.mark.host

Load = Callable[..., BpfObject]
FillArgs = Callable[[int], bytearray]


def _pins(loaded: BpfObject) -> dict[str, dict[str, int]]:
    """As a scheduler is pinned; a plain map stands for its struct_ops, which this kernel lacks."""
    fds = loaded.map_fds()
    sections = {data_section(n)[1:]: fd for n, fd in fds.items() if data_section(n)[0] == "."}
    maps = {n: fd for n, fd in fds.items() if data_section(n)[0] != "."}
    return {"ops": {"globals_1.0": fds["by_pair"]}, "sections": sections, "maps": maps}


@pytest.fixture
def loaded(load: Load, fill_args: FillArgs) -> BpfObject:
    made = load("globals", values={"nr_rounds": 7})
    made.run("fill", fill_args(5))
    return made


@pytest.fixture
def place(bpffs_mount: Path, loaded: BpfObject) -> Place:
    made = Place(f"{bpffs_mount}/current")
    made.fill(_pins(loaded))
    return made


@pytest.fixture
def attached(place: Place, loaded: BpfObject) -> Attached:
    """Opened from the pins alone: what loaded it is closed."""
    loaded.close()
    return Attached(place)


def test_place_is_filled_for_root_only(place: Place) -> None:
    assert place.exists()
    assert not place.is_attached()
    assert place.ops_name() == "globals_1.0"
    assert set(place.pins("sections")) == {"data", "rodata", "bss"}
    assert {"samples", "counters", "stats"} <= set(place.pins("maps"))
    for folder in ("", "ops", "sections", "maps"):
        assert os.stat(f"{place.path}/{folder}").st_mode & 0o777 == 0o700


def test_place_that_fails_half_way_leaves_nothing(bpffs_mount: Path, loaded: BpfObject) -> None:
    place = Place(f"{bpffs_mount}/next")
    pins = _pins(loaded)
    pins["maps"]["no descriptor"] = 9999
    with pytest.raises(ScxhidError, match="the BPF file system did not take the pins"):
        place.fill(pins)
    assert not place.exists()


def test_filling_again_replaces_what_was_there(place: Place, loaded: BpfObject) -> None:
    place.fill({"ops": {"other": loaded.map_fds()["samples"]}})
    assert place.ops_name() == "other"
    assert place.pins("maps") == {}


def test_place_takes_the_name_of_another(place: Place, bpffs_mount: Path) -> None:
    other = Place(f"{bpffs_mount}/previous")
    place.move_to(other)
    assert not place.exists()
    assert other.ops_name() == "globals_1.0"
    other.clear()
    other.clear()
    assert not other.exists()


def test_link_in_a_place_makes_it_attached(place: Place, load: Load) -> None:
    watcher = load("globals")
    link = watcher.attach("count_syscalls")
    # A raw tracepoint has no link to pin on older kernels; a map's pin stands for it.
    assert link.fd >= 0
    place.pin_link(watcher.map_fds()["stats"])
    assert place.is_attached()
    assert place.since_ns() > 0
    place.unpin_link()
    place.unpin_link()
    assert not place.is_attached()


def test_pinned_set_says_what_the_object_said(attached: Attached, loaded: BpfObject) -> None:
    spec = loaded.spec
    assert attached.name == "globals_1.0"
    assert attached.about == spec.about
    assert attached.knobs == spec.knobs
    assert attached.stats == spec.stats
    assert set(attached.variables) == set(spec.variables)


def test_values_that_were_fixed_at_load_are_read_from_the_kernel(attached: Attached) -> None:
    assert attached.knob_values()["nr_rounds"] == 7
    assert attached.changed_knobs() == {"nr_rounds": 7}
    assert attached.constants()["ro_u64"] == 18_000_000_000_000_000_000
    assert "data_u8" not in attached.constants()


def test_knob_turned_by_another_process_is_seen_here(attached: Attached, place: Place) -> None:
    script = (
        "import sys; from pyloader.attached import Attached; from pyloader.bpffs import Place\n"
        "Attached(Place(sys.argv[1])).variables['period_us'].value = 1234"
    )
    subprocess.run([sys.executable, "-c", script, place.path], check=True)
    assert attached.variables["period_us"].value == 1234
    assert attached.changed_knobs() == {"nr_rounds": 7, "period_us": 1234}


def test_statistics_are_one_row_a_counter(attached: Attached) -> None:
    stats = attached.read_stats()
    assert stats.shape == (2, libbpf.possible_cpus())
    assert stats.sum(axis=1).tolist() == [1, 0]  # fills, syscalls


def test_maps_have_their_types_from_the_kernel(attached: Attached, loaded: BpfObject) -> None:
    samples = attached.maps["samples"].read()
    assert samples["delta"][3] == -8
    for name, spec in loaded.spec.maps.items():
        if name in attached.maps:
            assert attached.maps[name].type == spec.type
            assert attached.maps[name].value_dtype.itemsize == spec.value_size


def test_unknown_variable_names_the_nearest(attached: Attached) -> None:
    with pytest.raises(UnknownName, match="no knob is called 'bia'; did you mean bias"):
        attached.variable("bia")


def test_empty_place_is_gone(bpffs_mount: Path) -> None:
    with pytest.raises(Gone, match="nothing is pinned at"):
        Attached(Place(f"{bpffs_mount}/none"))


def test_pin_that_vanishes_is_gone(place: Place) -> None:
    running = Attached(place)
    place.clear()
    # Looked at only now: the place has been emptied by somebody else meanwhile.
    assert running.knobs == {}


def test_opening_a_place_leaves_no_descriptor(place: Place) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        opened = Attached(place)
        assert opened.knob_values()["nr_rounds"] == 7
        opened.read_stats()
        opened.close()
    del opened
    assert len(os.listdir("/proc/self/fd")) == before


AS_NOBODY = """
import os, sys
from pyloader.attached import Attached
from pyloader.bpffs import Place
from pyloader.errors import NotPermitted
os.setresuid(65534, 65534, 65534)
for look in (lambda p: p.pins("maps"), lambda p: p.fill({}), Attached):
    try:
        look(Place(sys.argv[1]))
    except NotPermitted as error:
        print(error)
"""


def test_other_users_are_told_to_be_root(place: Place) -> None:
    command = [sys.executable, "-c", AS_NOBODY, place.path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.count("run scxhid as root") == 3, done
    assert NotPermitted.exit_status == 4
