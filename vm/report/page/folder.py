"""The directory of a report: made, or filled anew, without losing what is not ours."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import NoReturn, cast

from pyloader.errors import NotPermitted, ScxhidError

#: What we wrote there and the SHA-256 of each, so that we know it again.
MANIFEST = ".scxhid-report.json"

#: The last to be moved in place: while it is the old one, all it links to is still there.
PAGE = "index.html"


def write(folder: Path, contents: Mapping[str, bytes], *, force: bool = False) -> None:
    """Put files of these names and ``contents`` into ``folder``, each whole, the page last.

    What an earlier report wrote there is replaced, or removed if there is no such file any more.
    Everything is written beside its place first: if that fails, nothing has changed.

    Raises:
        ScxhidError: a file there is not ours, or was changed since, and ``force`` is not given; the
            place is a file; the disk is full.
        NotPermitted: it may not be written.
    """
    made = _digests(contents)
    with _errors(folder):
        if folder.exists() and not folder.is_dir():
            raise ScxhidError(f"{folder} is a file; name a directory for the report")
        ours = _ours(folder)
        foreign = [
            name
            for name in made
            if _digest_of(folder / name) not in (None, made[name], ours.get(name))
        ]
        if foreign and not force:
            raise ScxhidError(
                f"{folder} has {', '.join(foreign)} that no report wrote, or that was changed"
                " since; name another directory, or --force to overwrite"
            )
        for name in made:
            if (folder / name).is_dir():
                raise ScxhidError(f"{folder / name} is a directory, where a file should be written")
        new = _written(folder, {**contents, MANIFEST: json.dumps(made, indent=1).encode()})
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in sorted(os.listdir(new), key=lambda one: (one == PAGE, one)):
                os.replace(new / name, folder / name)
        finally:
            shutil.rmtree(new, ignore_errors=True)
        for name in ours.keys() - made.keys():
            if _digest_of(folder / name) == ours[name]:
                (folder / name).unlink(missing_ok=True)


def _written(folder: Path, contents: Mapping[str, bytes]) -> Path:
    """A new directory on the same file system with all of ``contents``."""
    parent = folder if folder.is_dir() else _existing(folder)
    new = Path(tempfile.mkdtemp(prefix=".scxhid-report-", dir=parent))
    try:
        for name, data in contents.items():
            (new / name).write_bytes(data)
            (new / name).chmod(0o644)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return new


def _existing(folder: Path) -> Path:
    """The nearest directory above that is there."""
    return next((one for one in folder.absolute().parents if one.is_dir()), Path("/"))


def _digests(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}


def _digest_of(path: Path) -> str | None:
    """None if there is no such file."""
    if not path.is_file():
        return None
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _ours(folder: Path) -> dict[str, str]:
    """What the report that is there says that it wrote."""
    try:
        found: object = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    pairs = cast("dict[object, object]", found).items()
    # A name with a slash would be none of ours, and would lead elsewhere.
    return {str(k): str(v) for k, v in pairs if "/" not in str(k) and str(k) not in (".", "..")}


@contextlib.contextmanager
def _errors(folder: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        _refuse(folder, error)


def _refuse(folder: Path, error: OSError) -> NoReturn:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise ScxhidError(
            f"the disk is full: the report in {folder} could not be written"
        ) from None
    kind = NotPermitted if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) else ScxhidError
    raise kind(f"the report in {folder} could not be written: {error.strerror}") from None
