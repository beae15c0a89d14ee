"""Where the programs lie, and which there are.

In a checkout they lie in ``schedulers/`` and ``hid/`` beside the packages; in an
installation inside the package, each with its compiled object.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyloader.errors import ScxhidError, UnknownName, VerifierError
from pyloader.names import nearest
from pyloader.places import data_root
from pyloader.spec import ObjectSpec

_SUFFIX = ".bpf.c"


@dataclass(frozen=True)
class Source:
    """A program set that can be opened: C source, an object, or both."""

    name: str
    c_file: Path | None
    object_file: Path | None

    def open(self, warn: Callable[[str], None] | None = None) -> ObjectSpec:
        """Its spec, compiled first where there is only source; ``warn`` gets clang's warnings.

        Raises CompileError, BadObject.
        """
        if self.object_file:
            return ObjectSpec.open(self.object_file)
        if self.c_file is None:
            raise ScxhidError(f"{self.name} has neither source nor object")
        from pyloader.compile import compile_object

        return ObjectSpec.open(compile_object(self.c_file, warn=warn))

    @contextmanager
    def blamed(self) -> Generator[None]:
        """Let a refusal by the verifier that is raised inside show lines of this source."""
        try:
            yield
        except VerifierError as error:
            error.source_path = self.c_file
            raise


def schedulers() -> dict[str, Source]:
    """Every scheduler that comes with scxhid, by name."""
    return _all("schedulers")


def hid_programs() -> dict[str, Source]:
    """Every HID program that comes with scxhid, by name."""
    return _all("hid")


def probes() -> dict[str, Source]:
    """Every probe of ``scxhid top`` (pyloader/probes), by name."""
    return _all("probes")


def _all(folder: str) -> dict[str, Source]:
    root = data_root(folder)
    names = sorted(p.name.removesuffix(_SUFFIX) for p in root.glob(f"*{_SUFFIX}"))
    return {name: _in_root(root, name) for name in names}


def find_host() -> Source:
    """The resident host of the schedulers that can be hosted."""
    return _in_root(data_root("schedulers") / "host", "host")


def find_input_mark() -> Source:
    """The program that marks the tasks that input wakes."""
    return _in_root(data_root("schedulers") / "input", "mark")


def find_hid_reader() -> Source:
    """The program that reads a HID device's report descriptor before fixups."""
    return _in_root(data_root("hid") / "original", "original")


def find_hid_names() -> Source:
    """The program that reads what a HID device is called, and gives it its names back."""
    return _in_root(data_root("hid") / "names", "names")


def find_hid_tap() -> Source:
    """The program that copies a HID device's reports before and after all others."""
    return _in_root(data_root("hid") / "tap", "tap")


def find_hid_remapper() -> Source:
    """The program that follows the rules of a remap file."""
    return _in_root(data_root("hid") / "remap", "remap")


def find_hid_extra_keys() -> Source:
    """The program that adds keys to a device's report descriptor."""
    return _in_root(data_root("hid") / "remap", "extra_keys")


def find_probe(name: str) -> Source:
    """The probe called so (pyloader/probes)."""
    return _in_root(data_root("probes"), name)


def _in_root(root: Path, name: str) -> Source:
    built = root / f"{name}.bpf.o"
    return Source(name, root / f"{name}{_SUFFIX}", built if built.is_file() else None)


def looks_like_file(text: str) -> bool:
    """Whether a user who typed ``text`` meant a file rather than a name."""
    return "/" in text or text.endswith((".c", ".o"))


def find_scheduler(text: str) -> Source:
    """The scheduler called ``text``, or the file of that path.

    Raises UnknownName with the nearest names, or ScxhidError for a missing file.
    """
    return _find(text, "scheduler", schedulers, "`scxhid sched list` shows all")


def find_hid_program(text: str) -> Source:
    """The same for a HID program."""
    return _find(text, "HID program", hid_programs, "`scxhid hid list --programs` shows all")


def find_program(text: str) -> Source:
    """The scheduler or HID program called ``text``, or the file of that path."""
    where = "`scxhid sched list` and `scxhid hid list --programs` show all"
    return _find(text, "program", lambda: {**hid_programs(), **schedulers()}, where)


def _find(text: str, kind: str, all_: Callable[[], dict[str, Source]], where: str) -> Source:
    if looks_like_file(text):
        path = Path(text)
        try:
            found = path.is_file()
        except OSError as error:  # a directory above that this user may not enter, say
            raise ScxhidError(f"{text} cannot be read: {error.strerror}") from None
        if not found:
            raise ScxhidError(f"{text} does not exist")
        name = path.name.split(".")[0]
        if path.suffix == ".c":
            return Source(name, path, None)
        return Source(name, None, path)
    known = all_()
    if text not in known:
        hint = f"{where}, a path with a slash names a file"
        raise UnknownName(kind, text, nearest(text, known), hint)
    return known[text]
