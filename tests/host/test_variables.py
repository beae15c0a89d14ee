"""Global variables: set before load, live afterwards by mapping, constant where they are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pyloader.errors import BadValue, Gone, UnknownName
from pyloader.object import BpfObject

pytestmark = pytest.mark.host

Load = Callable[..., BpfObject]
FillArgs = Callable[[int], bytearray]


def _sum_live(loaded: BpfObject) -> int:
    """What the program itself sees: the sum of settings and variables."""
    args = bytearray(8)
    loaded.run("sum_live", args)
    return int.from_bytes(args[4:], "little", signed=True)


def test_variables_have_their_compiled_values_after_load(load: Load) -> None:
    loaded = load("globals")
    for name, spec in loaded.spec.variables.items():
        assert loaded.variables[name].value == spec.initial, name


def test_values_set_before_load_are_seen_by_the_program(load: Load) -> None:
    plain = _sum_live(load("globals"))
    given = {"nr_rounds": 16, "quick": True, "data_u8": 101, "data_s32": -10, "ro_array": [0] * 4}
    changed = load("globals", values=given)
    assert {name: changed.variables[name].value for name in given} == given
    # rounds 4 → 16, quick 0 → 1, data_u8 1 → 101, data_s32 -3 → -10, ro_array[3] 4 → 0
    assert _sum_live(changed) - plain == 12 + 1 + 100 - 7 - 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ro_u8", 255),
        ("ro_s8", -128),
        ("ro_u64", 2**64 - 1),
        ("ro_s64", -(2**63)),
        ("ro_bool", False),
        ("ro_enum", 0),
        ("ro_text", "fifteen letters"),
        ("data_array", [[6, 5, 4], [3, 2, -1]]),
        ("bss_array", list(range(8))),
        ("bss_bool", True),
    ],
)
def test_every_type_and_section_can_be_set_before_load(name: str, value: Any, load: Load) -> None:
    assert load("globals", values={name: value}).variables[name].value == value


def test_value_written_live_is_seen_by_the_program_at_once(load: Load) -> None:
    loaded = load("globals")
    before = _sum_live(loaded)
    loaded.variables["period_us"].value = 1000
    assert _sum_live(loaded) - before == 1000
    loaded.variables["bias"].value = -10
    assert _sum_live(loaded) - before == 1000 - 5
    loaded.variables["enabled"].value = False
    assert _sum_live(loaded) - before == 1000 - 5 - 1
    loaded.variables["data_array"].value = [[0, 0, 0], [0, 0, 106]]
    assert _sum_live(loaded) - before == 1000 - 5 - 1 + 100


def test_what_the_program_writes_is_read_without_asking_it(load: Load, fill_args: FillArgs) -> None:
    loaded = load("globals")
    bss = loaded.variables
    assert loaded.run("fill", fill_args(7)) == 0
    assert bss["bss_s32"].value == -7
    assert bss["bss_bool"].value is True
    assert bss["bss_array"].value == [7 * i for i in range(8)]
    shape = bss["bss_shape"].value
    assert (shape["inner"]["area"], shape["name"]) == (7, "triangle")
    assert shape["points"][2] == {"x": 3, "y": -3}


def test_program_that_is_attached_counts_into_the_mapping(load: Load) -> None:
    loaded = load("globals", values={"target_tgid": os.getpid()})
    calls = loaded.variables["nr_calls"]
    loaded.attach("count_syscalls")
    before = calls.value
    for _ in range(1000):
        os.getppid()
    assert calls.value - before == 1000  # reading it costs no system call


def test_array_view_is_the_same_memory(load: Load, fill_args: FillArgs) -> None:
    loaded = load("globals")
    view = loaded.variables["bss_array"].as_array()
    assert (view.dtype, view.shape) == (np.dtype("u8"), (8,))
    loaded.run("fill", fill_args(3))
    assert view.tolist() == [3 * i for i in range(8)]
    matrix = loaded.variables["data_array"].as_array()
    assert matrix.shape == (2, 3)
    matrix[1, 2] = 1006
    assert loaded.variables["data_array"].value == [[1, 2, 3], [4, 5, 1006]]


def test_struct_view_has_the_fields_of_the_struct(load: Load, fill_args: FillArgs) -> None:
    loaded = load("globals")
    view = loaded.variables["bss_shape"].as_array()
    assert view.shape == ()
    loaded.run("fill", fill_args(3))
    assert view["points"]["y"].tolist() == [-1, -2, -3]
    assert view["inner"]["area"] == 3


def test_constants_are_read_only_in_every_way(load: Load) -> None:
    loaded = load("globals")
    constant = loaded.variables["ro_u32"]
    with pytest.raises(BadValue, match="ro_u32 is constant once loaded; it can be set before"):
        constant.value = 1
    view = loaded.variables["ro_array"].as_array()
    assert not view.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 9
    with pytest.raises(ValueError, match="WRITEABLE"):
        view.flags.writeable = True
    assert (constant.value, view.tolist()) == (4_000_000_000, [1, 2, 3, 4])


def test_bad_values_change_nothing(load: Load) -> None:
    variables = load("globals").variables
    wrong = {"data_u8": 256, "data_s8": "1", "data_u64": -1, "data_array": [1], "data_s32": 1.5}
    for name, value in {**wrong, "data_bool": "off", "enabled": 2}.items():
        before = variables[name].value
        with pytest.raises(BadValue, match=name):
            variables[name].value = value
        assert variables[name].value == before


def test_values_are_checked_before_the_kernel_is_asked(load: Load) -> None:
    with pytest.raises(BadValue, match="nr_rounds=17 is out of range: it takes 1 to 16"):
        load("globals", values={"nr_rounds": 17})
    with pytest.raises(UnknownName, match="did you mean nr_rounds"):
        load("globals", values={"nr_round": 1})
    with pytest.raises(UnknownName, match="no map is called 'sample'; did you mean samples"):
        load("globals", entries={"sample": 1})


def test_static_variables_can_be_mapped_too(load: Load) -> None:
    loaded = load("host_layout")
    assert loaded.variables["nr_copies"].value == 0
    loaded.run("copy")
    assert loaded.variables["nr_copies"].value == 1


def test_program_and_reader_agree_about_the_layout(load: Load) -> None:
    loaded = load("host_layout")
    assert loaded.variables["bits"].value["wide"] == 0xABCDEF0123
    loaded.run("copy")
    after = loaded.variables
    assert after["bits"].value["last"] == 21
    assert after["packed"].value["first"] == 0xAA
    assert after["nested"].value["raw"] == [7, 20, 30]


def test_closed_object_gives_no_new_access(load: Load) -> None:
    loaded = load("globals")
    loaded.close()
    loaded.close()
    for use in (
        lambda: loaded.variables,
        lambda: loaded.maps,
        lambda: loaded.map_fds(),
        lambda: loaded.run("fill"),
        lambda: loaded.attach("count_syscalls"),
    ):
        with pytest.raises(Gone, match="globals is closed"):
            use()


OUTLIVE = """
import gc, sys
from pyloader.spec import ObjectSpec
loaded = ObjectSpec.open(sys.argv[1]).load()
cell = loaded.variables["data_u64"]
array = loaded.variables["bss_array"].as_array()
constants = loaded.variables["ro_array"].as_array()
samples = loaded.maps["samples"].view()
counters = loaded.maps["counters"].read()
loaded.close()
del loaded
gc.collect()
array[:] = 5
samples["count"] = 6
cell.value = 7
assert (array.sum(), samples["count"].sum(), cell.value) == (40, 96, 7)
assert constants.tolist() == [1, 2, 3, 4]
assert counters.shape[0] == 32
print("alive")
"""


def test_views_outlive_the_object_without_a_crash(load: Load, tmp_path: Any) -> None:
    path = tmp_path / "globals.bpf.o"
    path.write_bytes(load("globals").spec.data)
    done = subprocess.run(
        [sys.executable, "-c", OUTLIVE, path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")
