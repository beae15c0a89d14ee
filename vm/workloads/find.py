"""Workloads by name or by file, and what has to be there before one can run."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import get_args

from pyloader.errors import ScxhidError, UnknownName, Unsupported
from vm.c_compiler import STATIC, compile_c
from vm.cache import cache_root
from vm.programs import PACKAGES, find_program
from vm.workloads.model import LOADS, Better, Kind, Metric, Workload

HERE = Path(__file__).parent

#: Programs of the workloads here, and headers that any workload's may include.
PROGRAMS = HERE / "programs"

_DECLARES = re.compile(r"^WORKLOAD\b", re.MULTILINE)
_NAME = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)
_METRIC = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


class BadWorkload(ScxhidError):
    """A file that declares no workload, or none that can be used."""

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path} is not a workload: {why}")


@cache
def workloads() -> dict[str, Workload]:
    """All that are in this folder, by name, in the order of their names.

    Raises:
        BadWorkload: one of the files is broken.
    """
    found = [
        _declared(path)
        for path in HERE.glob("*.py")
        if _DECLARES.search(path.read_text(errors="replace"))
    ]
    return {workload.name: workload for workload in sorted(found, key=lambda one: one.name)}


def find(text: str) -> Workload:
    """The workload of that name, or that of a file ``FILE.py``.

    Raises:
        UnknownName: there is none such; with the nearest.
        BadWorkload: the file cannot be read, or declares none.
    """
    if text.endswith(".py") or "/" in text:
        return _declared(Path(text).absolute())
    known = workloads()
    if text not in known:
        near = get_close_matches(text, known, n=2)
        hint = f"there are {', '.join(known)}, and any file FILE.py that declares one"
        raise UnknownName("workload", text, near, "" if near else hint)
    return known[text]


def names() -> tuple[str, ...]:
    """Those of ``workloads()``."""
    return tuple(workloads())


def missing(workload: Workload) -> list[str]:
    """The tools that it needs and this machine has not, each with the package that brings it."""
    return [
        f"{tool} (package {PACKAGES.get(tool, (tool,))[0]})"
        for tool in workload.tools
        if find_program(tool) is None
    ]


def prepare(workload: Workload, into: Path | None = None) -> Path:
    """Compile the workload's programs; the folder that they are in, for ``Case.programs``.

    The folder is in the cache and of these sources alone, unless it is given; what is compiled
    already stays as it is. Workloads of the same sources share it: two copies of one program are
    not equals, since an emulator translates each apart, and the cache may like one more.

    Raises:
        Unsupported: a tool is not installed, or there is no C compiler.
        BadSource: a program does not compile.
        BadWorkload: there is no such C file.
    """
    lacking = missing(workload)
    if lacking:
        raise Unsupported(
            f"the workload {workload.name} needs {' and '.join(lacking)}, which this machine does"
            " not have; `make setup` installs what the shipped workloads need"
        )
    sources = [_c_file(workload, name) for name in workload.programs]
    folders = dict.fromkeys((*(source.parent for source in sources), PROGRAMS))
    headers = [header for folder in folders for header in sorted(folder.glob("*.h"))]
    digest = hashlib.sha256()
    for path in (*sources, *headers):
        digest.update(path.name.encode() + path.read_bytes())
    names = "-".join((*workload.programs, digest.hexdigest()[:16]))
    into = into or cache_root() / "workloads" / names
    for source in sources:
        compile_c(
            [source],
            into / source.stem,
            *STATIC,
            "-D_GNU_SOURCE=",
            f"-I{PROGRAMS}",
            headers=headers,
        )
    return into


def _c_file(workload: Workload, name: str) -> Path:
    beside = workload.source.parent if workload.source else HERE
    places = (beside / f"{name}.c", beside / "programs" / f"{name}.c", PROGRAMS / f"{name}.c")
    for path in places:
        if path.is_file():
            return path
    raise BadWorkload(
        workload.source or HERE, f"it needs a program {name}, and there is no {places[0]}"
    )


def _declared(path: Path) -> Workload:
    workload = getattr(_module(path), "WORKLOAD", None)
    if not isinstance(workload, Workload):
        raise BadWorkload(path, "its WORKLOAD is missing, or not a vm.workloads.model.Workload")
    workload = replace(workload, source=path)
    why = _complaint(workload)
    if why:
        raise BadWorkload(path, why)
    return workload


def _module(path: Path) -> ModuleType:
    """The file as a module. Whatever goes wrong in it is told in one sentence."""
    if not path.is_file():
        raise BadWorkload(path, "there is no such file")
    try:
        if path.parent == HERE:
            return importlib.import_module(f"{__package__}.{path.stem}")
        name = f"scxhid_workload_{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError("it cannot be imported")
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        said = " ".join(str(error).split()) or "no word why"
        raise BadWorkload(path, f"{type(error).__name__}: {said}") from error
    return module


def _complaint(workload: Workload) -> str:
    """What is wrong with a declaration, or an empty string."""
    reads = workload.command is not None and workload.read is not None
    rules = (
        (_NAME.fullmatch(workload.name), f"{workload.name!r} is no name (a-z, 0-9, -)"),
        (
            workload.run is not None if workload.command is workload.read is None else reads,
            "it needs command and read, or run",
        ),
        (workload.run is None or not reads, "it has run as well as command and read"),
        (not (workload.exact and workload.run), "run cannot be called in an exact run"),
        (not (workload.exact and workload.tools), "an exact run has no tools of packages"),
        (workload.seconds > 0, "its seconds are not above 0"),
        (workload.loads, "it has no load; use 'idle' if there is nothing beside it"),
        (
            set(workload.loads) <= set(LOADS) and len(set(workload.loads)) == len(workload.loads),
            f"its loads are not different ones of {', '.join(LOADS)}",
        ),
        (workload.metrics, "it declares no metric"),
    )
    return next((why for holds, why in rules if not holds), "") or _complaint_of(workload.metrics)


def _complaint_of(metrics: Sequence[Metric]) -> str:
    seen: set[str] = set()
    for metric in metrics:
        if not _METRIC.fullmatch(metric.name):
            return f"{metric.name!r} is no name of a metric (a-z, 0-9, _)"
        if metric.name in seen:
            return f"it declares the metric {metric.name} twice"
        seen.add(metric.name)
        for what, value, known in (
            ("better", metric.better, get_args(Better)),
            ("kind", metric.kind, get_args(Kind)),
        ):
            if value not in known:
                return f"{what} of the metric {metric.name} is {value!r}, not {' or '.join(known)}"
        if not metric.unit or not metric.about:
            return f"the metric {metric.name} has no unit or does not say what it is about"
    return ""
