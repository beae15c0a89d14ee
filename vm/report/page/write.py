"""A whole report: the page, the summary, and the data beside them."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from pathlib import Path

from pyloader.errors import ScxhidError
from vm.report.files import File
from vm.report.markdown import markdown
from vm.report.page.folder import PAGE, write
from vm.report.page.html import Data, page
from vm.report.told import Telling
from vm.results.file import arrays_path

SUMMARY = "summary.md"

#: Names that a copy of a result may not have.
_TAKEN = (PAGE, SUMMARY)


def write_report(
    folder: Path, telling: Telling, files: Sequence[File], *, force: bool = False
) -> Path:
    """Write the report into ``folder`` and return the page's path.

    Raises what ``page.folder.write`` raises, and Unsupported without matplotlib.
    """
    copies = _copies(files)
    data = [
        Data(name, len(content), hashlib.sha256(content).hexdigest())
        for name, content in copies.items()
    ]
    words = ["scxhid", "bench", "report", *(file.path.name for file in files), "-o", folder.name]
    text = page(telling, files, data, shlex.join(words))
    contents = {
        **copies,
        SUMMARY: markdown(telling, files).encode(),
        PAGE: text.encode(),
    }
    write(folder, contents, force=force)
    return folder / PAGE


def _copies(files: Sequence[File]) -> dict[str, bytes]:
    """The results and their arrays, byte for byte, under names that differ."""
    found: dict[str, bytes] = {}
    for file in files:
        stem = file.path.stem
        number = 1
        while f"{stem}.json" in found or f"{stem}.json" in _TAKEN:
            number += 1
            stem = f"{file.path.stem}-{number}"
        try:
            found[f"{stem}.json"] = file.path.read_bytes()
            beside = arrays_path(file.path)
            if beside.is_file() and any(run.arrays for run in file.document.runs):
                found[f"{stem}.npz"] = beside.read_bytes()
        except OSError as error:
            raise ScxhidError(f"{file.path} cannot be copied: {error.strerror}") from None
    return found
