"""scxhid's core: compile, open, configure, load, attach, pin, swap.

The names below are imported on first use, because starting fast is part of the
product and most commands need few of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyloader.catalog import find_scheduler as find_scheduler
    from pyloader.compile import compile_object as compile_object
    from pyloader.errors import ScxhidError as ScxhidError
    from pyloader.object import BpfObject as BpfObject
    from pyloader.spec import ObjectSpec as ObjectSpec

__version__ = "0.1.0"

_HOMES = {
    "BpfObject": "pyloader.object",
    "ObjectSpec": "pyloader.spec",
    "ScxhidError": "pyloader.errors",
    "compile_object": "pyloader.compile",
    "find_scheduler": "pyloader.catalog",
}
__all__ = ["BpfObject", "ObjectSpec", "ScxhidError", "compile_object", "find_scheduler"]


def __getattr__(name: str) -> object:
    import importlib

    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
