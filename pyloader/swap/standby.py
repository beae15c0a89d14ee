"""Loading and pinning what will be attached: nothing that runs is touched yet."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from pyloader import bpffs, hosted, keep
from pyloader.attached import Attached
from pyloader.bpffs import Place
from pyloader.catalog import find_host
from pyloader.errors import ScxhidError
from pyloader.object import BpfObject
from pyloader.spec import ObjectSpec, OpsSpec, data_section

OPS = "sched_ext_ops"
_CALLED_BY_LOADER = ("policy_init", "policy_fini", "host_switch", "host_drain", "host_retire")

Fields = Mapping[str, Mapping[str, Any]]


@contextmanager
def loaded_next(
    spec: ObjectSpec, values: Mapping[str, Any], to_be_hosted: bool, fields: Fields | None = None
) -> Generator[BpfObject]:
    """``spec`` loaded and pinned as the place ``next``; the pins outlive the context."""
    ops = spec.sole_ops(OPS)
    if to_be_hosted:
        between = {"policy_generation": hosted.new_generation(), "policy_active": False}
        values = {**values, **between}
    with spec.load(values, fields) as standby:
        place = bpffs.upcoming()
        place.fill(pins(standby, ops, with_programs=to_be_hosted))
        keep.keep(place.ops_id(), spec)
        yield standby


def load_host() -> BpfObject:
    """A fresh host, pinned at its place, with no policy yet; the caller closes it."""
    spec = find_host().open()
    host = spec.load()
    try:
        place: Place = bpffs.host()
        place.fill(pins(host, spec.sole_ops(OPS), with_programs=True))
    except BaseException:
        host.close()
        raise
    return host


def fresh_copy(place: Place) -> tuple[ObjectSpec, dict[str, Any], bool] | None:
    """The object at a place and the values of its settings; None if no copy was kept."""
    try:
        attached = Attached(place)
        spec = keep.get(place.ops_id(), attached.name)
        return spec, {**attached.constants(), **attached.knob_values()}, attached.is_hosted
    except (ScxhidError, OSError):
        return None


def pins(standby: BpfObject, ops: OpsSpec, with_programs: bool) -> dict[str, dict[str, int]]:
    """What to pin, by folder and name: the ops, the data sections, the other maps.

    Programs by the callback that they are, or by the name under which the loader runs them.
    """
    folders: dict[str, dict[str, int]] = {"ops": {}, "sections": {}, "maps": {}}
    for name, fd in standby.map_fds().items():
        section = data_section(name)
        if name == ops.name:
            folders["ops"][ops.kernel_name] = fd
        elif section.startswith("."):
            folders["sections"][section[1:]] = fd
        else:
            folders["maps"][name] = fd
    if with_programs:
        fds = standby.program_fds()
        wanted = {**ops.callbacks, **{name: name for name in _CALLED_BY_LOADER}}
        # A callback that the running kernel lacks was not loaded.
        folders["progs"] = {name: fds[prog] for name, prog in wanted.items() if prog in fds}
    return folders
