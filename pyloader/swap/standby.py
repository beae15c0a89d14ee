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
from pyloader.input_first import marks
from pyloader.object import BpfObject
from pyloader.pinning import pins
from pyloader.spec import ObjectSpec

OPS = "sched_ext_ops"

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
    with marks.shared(spec) as maps, spec.load(values, fields, shared=maps) as standby:
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
