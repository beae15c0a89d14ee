"""What of a loaded program set is pinned, and under which names."""

from __future__ import annotations

from pyloader.object import BpfObject
from pyloader.spec import OpsSpec, data_section

_CALLED_BY_LOADER = ("policy_init", "policy_fini", "host_switch", "host_drain", "host_retire")


def data_pins(loaded: BpfObject) -> dict[str, dict[str, int]]:
    """What to pin of an object without struct_ops: the data sections and the maps."""
    folders: dict[str, dict[str, int]] = {"sections": {}, "maps": {}}
    for name, fd in loaded.map_fds().items():
        section = data_section(name)
        if section.startswith("."):
            folders["sections"][section[1:]] = fd
        else:
            folders["maps"][name] = fd
    return folders


def pins(standby: BpfObject, ops: OpsSpec, with_programs: bool) -> dict[str, dict[str, int]]:
    """What to pin, by folder and name: the ops, the data sections, the other maps.

    Programs by the callback that they are, or by the name under which the loader runs them.
    """
    folders = data_pins(standby)
    folders["ops"] = {ops.kernel_name: folders["maps"].pop(ops.name)}
    if with_programs:
        fds = standby.program_fds()
        wanted = {**ops.callbacks, **{name: name for name in _CALLED_BY_LOADER}}
        # A callback that the running kernel lacks was not loaded.
        folders["progs"] = {name: fds[prog] for name, prog in wanted.items() if prog in fds}
    return folders
