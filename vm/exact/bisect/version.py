"""The versions that are compared: files, schedulers by name, or revisions of a file in git."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyloader.catalog import find_scheduler, looks_like_file
from pyloader.compile import compile_object
from pyloader.errors import ScxhidError, WrongUse
from pyloader.spec import ObjectSpec
from vm.cache import cache_root, replacing_directory
from vm.exact.subject import Subject, of_spec


@dataclass(frozen=True)
class Version:
    """One of the two: ``label`` as it was asked for, ``commit`` where it is one (all 40 digits)."""

    label: str
    subject: Subject
    commit: str = ""


def version(text: str, file: Path | None = None) -> Version:
    """What ``text`` means: a file, a scheduler's name, ``REVISION:PATH``, or with ``file`` a
    revision of that file; each with ``:KNOB=VALUE …``.

    Raises:
        WrongUse: an unknown name, revision or knob, or a value out of range.
        CompileError, BadObject: it does not compile, or is no scheduler.
    """
    words = text.split(":")
    what = [word for word in words if "=" not in word]
    knobs = [word for word in words if "=" in word]
    if file is not None:
        if len(what) != 1:
            raise WrongUse(f"with --file, {text!r} must be a revision alone")
        return _revision(text, what[0], *_place(file), knobs)
    if len(what) == 2:
        return _revision(text, what[0], Path.cwd(), what[1], knobs)
    if len(what) != 1:
        raise WrongUse(f"{text!r} is not FILE, NAME or REVISION:PATH, each with :KNOB=VALUE")
    return Version(text, of_spec(_open(what[0]), knobs, direct=True))


def present(file: Path) -> Version:
    """The file as it lies there."""
    return Version(str(file), of_spec(_compiled(file), direct=True))


def revisions(file: Path, good: str, bad: str) -> list[str]:
    """The commits after ``good`` up to ``bad`` that changed anything in the file's directory,
    oldest first, along first parents; the last has what ``bad`` has."""
    repository, path = _place(file)
    for revision in (good, bad):
        _commit(repository, revision)
    if subprocess.run(
        ["git", "-C", str(repository), "merge-base", "--is-ancestor", good, bad], check=False
    ).returncode:
        raise WrongUse(f"{good} is no ancestor of {bad}; name the older one first")
    command = ("rev-list", "--reverse", "--first-parent", f"{good}..{bad}", "--")
    return _git(repository, *command, str(Path(path).parent)).split()


def subject_line(file: Path, commit: str) -> str:
    """A commit's short name and first line."""
    return _git(_place(file)[0], "show", "-s", "--format=%h %s", commit)


def _open(name: str) -> ObjectSpec:
    if looks_like_file(name) and name.endswith(".c"):
        return _compiled(Path(name))
    return find_scheduler(name).open()


def _compiled(file: Path) -> ObjectSpec:
    """The headers that lie beside the source belong to it, not those that are installed."""
    return ObjectSpec.open(compile_object(file, include=[file.absolute().parent / "include"]))


def _place(file: Path) -> tuple[Path, str]:
    """The top of the repository that a file is in, and its path there."""
    directory = file.absolute().parent
    while not directory.is_dir():
        directory = directory.parent
    top = Path(_git(directory, "rev-parse", "--show-toplevel"))
    return top, str(file.absolute().resolve().relative_to(top.resolve()))


def _revision(
    label: str, revision: str, repository: Path, path: str, knobs: Sequence[str]
) -> Version:
    commit = _commit(repository, revision)
    top = Path(_git(repository, "rev-parse", "--show-toplevel"))
    spec = _compiled(_exported(top, commit, revision, path))
    return Version(label, of_spec(spec, knobs, direct=True), commit)


def _commit(repository: Path, revision: str) -> str:
    try:
        return _git(repository, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    except _GitFailed:
        raise WrongUse(
            f"{revision!r} is no revision of {repository}; a file is given as ./FILE or"
            " REVISION:PATH"
        ) from None


def _exported(top: Path, commit: str, revision: str, path: str) -> Path:
    """The file with all of its directory as it was, kept in the cache by the directory's id."""
    parent = str(Path(path).parent)
    tree = f"{commit}:{'' if parent == '.' else parent}"
    try:
        _git(top, "cat-file", "-e", f"{commit}:{path}")
        identity = _git(top, "rev-parse", "--verify", "--quiet", tree)
    except _GitFailed:
        raise WrongUse(f"{revision} has no {path}") from None
    kept = cache_root() / "revisions" / identity
    if not kept.is_dir():
        archive = _run(top, "archive", "--format=tar", tree)
        with replacing_directory(kept) as new, tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(new, filter="data")
    return kept / Path(path).name


class _GitFailed(ScxhidError):
    """git said no."""


def _git(repository: Path, *words: str) -> str:
    return _run(repository, *words).decode(errors="replace").strip()


def _run(repository: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", str(repository), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise ScxhidError(f"git cannot be run ({error.strerror}); install it") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise _GitFailed(f"git says of {repository}: {said[0] if said else 'no'}")
    return done.stdout
