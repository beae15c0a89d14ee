"""matplotlib, where it is installed: it comes with the extra ``report``."""

from __future__ import annotations

import importlib
from typing import Any

from pyloader.errors import Unsupported


def matplotlib(module: str = "") -> Any:
    """matplotlib, or a ``module`` of it.

    Unsupported if it is not installed.
    """
    name = f"matplotlib.{module}" if module else "matplotlib"
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Unsupported(
            "plots need matplotlib, which is not installed; install scxhid with the extra 'report'"
            " (pipx install 'scxhid[report]', or pipx inject scxhid matplotlib)"
        ) from None
