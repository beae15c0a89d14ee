"""Files that are no good object: each is one clear sentence, and none ends the interpreter."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyloader.errors import BadObject
from pyloader.spec import ObjectSpec

ObjectOf = Callable[[str], Path]

# Opens what it reads and answers in a line; a crash ends it and so the answers.
OPENER = """
import resource, sys
from pyloader.errors import BadObject
from pyloader.spec import ObjectSpec
resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31))
read = sys.stdin.buffer.read
while size := read(4):
    data = read(int.from_bytes(size, "little"))
    try:
        for variable in ObjectSpec.from_bytes(data, "damaged").variables.values():
            variable.initial
        answer = "opened"
    except BadObject as error:
        answer = f"refused {error}"
    except BaseException as error:
        answer = f"raised {error!r}"
    print(answer.replace(chr(10), " "), flush=True)
"""


class Opener:
    """Opens objects in a process of its own, which is started again when it has crashed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def open(self, data: bytes) -> str:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", OPENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(len(data).to_bytes(4, "little") + data)
        self._process.stdin.flush()
        answer = self._process.stdout.readline().decode()
        return answer or f"crashed with status {self.close()}"

    def close(self) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.communicate()
        return process.returncode


@pytest.fixture(scope="module")
def opener() -> Iterator[Opener]:
    made = Opener()
    yield made
    made.close()


def _sections(data: bytes) -> dict[str, tuple[int, int]]:
    """Offset and size of every section by name, the headers among them."""
    table, *_, count, names = struct.unpack_from("<Q4xHHHHHH", data, 40)
    headers = [struct.unpack_from("<IIQQQQ", data, table + 64 * i) for i in range(count)]
    strings = headers[names][4]

    def text(at: int) -> str:
        return data[strings + at : data.index(b"\0", strings + at)].decode()

    found = {text(h[0]): (h[4], h[5]) for h in headers if h[1] != 8 and h[5]}
    return {**found, "ELF header": (0, 64), "section table": (table, 64 * count)}


def test_sections_are_found_where_they_are(object_of: ObjectOf) -> None:
    data = object_of("simple").read_bytes()
    start, size = _sections(data)["license"]
    assert data[start : start + size] == b"GPL\0"


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_object_cut_off_anywhere_is_refused(
    data: st.DataObject, opener: Opener, object_of: ObjectOf
) -> None:
    whole = object_of("globals").read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert opener.open(whole[:cut]).startswith("refused damaged is "), cut


_STT_OBJECT = 1  # the type of a symbol that is a variable: <elf.h>
WORDS = [b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\xff" * 8]
DAMAGED = [".BTF", ".BTF", ".BTF.ext", ".symtab", ".strtab", "section table", "ELF header"]


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_object_opens_or_is_refused_and_never_crashes(
    data: st.DataObject, opener: Opener, object_of: ObjectOf
) -> None:
    damaged = bytearray(object_of(data.draw(st.sampled_from(["simple", "no_tags"]))).read_bytes())
    sections = _sections(damaged)
    for _ in range(data.draw(st.integers(1, 6))):
        start, size = sections[data.draw(st.sampled_from([*DAMAGED, *sections]))]
        at = start + data.draw(st.integers(0, size - 1))
        patch = data.draw(st.binary(min_size=1, max_size=4) | st.sampled_from(WORDS))
        damaged[at : at + len(patch)] = patch[: len(damaged) - at]
    answer = opener.open(bytes(damaged))
    assert answer.startswith(("opened", "refused ")), answer


@pytest.mark.parametrize("value", [0xFFFFFFFF, 1 << 63, (1 << 64) - 1, 1 << 20])
def test_symbol_outside_its_section_is_refused(
    value: int, opener: Opener, object_of: ObjectOf
) -> None:
    data = bytearray(object_of("no_tags").read_bytes())
    start, size = _sections(data)[".symtab"]
    ops_size = ObjectSpec.from_bytes(bytes(data), "no_tags").maps["foreign_ops"].value_size
    moved = 0
    for at in range(start, start + size, 24):
        kind, symbol_size = data[at + 4] & 15, struct.unpack_from("<Q", data, at + 16)[0]
        if kind == _STT_OBJECT and symbol_size == ops_size:
            struct.pack_into("<Q", data, at + 8, value)
            moved += 1
    assert moved == 1
    assert "a symbol lies outside its section" in opener.open(bytes(data))


def _refusal(data: bytes, name: str = "it.bpf.o") -> str:
    with pytest.raises(BadObject) as caught:
        ObjectSpec.from_bytes(data, "it", name)
    assert caught.value.exit_status == 1
    return str(caught.value)


def test_empty_file_is_no_object() -> None:
    assert _refusal(b"") == "it.bpf.o is not an ELF file"


def test_c_source_given_as_an_object_is_pointed_to_build() -> None:
    said = _refusal(b"int main(void) { return 0; }\n", "it.bpf.c")
    assert said == "it.bpf.c is not an ELF file; compile C source with `scxhid build`"


def test_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(BadObject, match=r"none\.bpf\.o does not exist"):
        ObjectSpec.open(tmp_path / "none.bpf.o")


def test_directory_cannot_be_read_as_an_object(tmp_path: Path) -> None:
    with pytest.raises(BadObject, match="cannot be read: Is a directory"):
        ObjectSpec.open(tmp_path)


def test_header_alone_is_truncated(object_of: ObjectOf) -> None:
    data = object_of("simple").read_bytes()
    assert "is truncated: 20 bytes do not hold an ELF header" in _refusal(data[:20])
    assert "is truncated: its section table lies past its end" in _refusal(data[:64])


def test_section_outside_the_file_is_refused(object_of: ObjectOf) -> None:
    data = bytearray(object_of("simple").read_bytes())
    table, _ = _sections(data)["section table"]
    struct.pack_into("<Q", data, table + 3 * 64 + 32, len(data))  # the size of one of them
    assert _refusal(bytes(data)) == "it.bpf.o is truncated or damaged: a section lies past its end"


def test_object_for_this_machines_cpu_is_not_bpf(tmp_path: Path) -> None:
    source = tmp_path / "native.c"
    source.write_text("int x;\n")
    subprocess.run(["gcc", "-c", source.name], cwd=tmp_path, check=True)
    said = _refusal((tmp_path / "native.o").read_bytes())
    assert "is for another machine (ELF machine 62), not BPF" in said


def test_program_of_this_machine_is_not_bpf() -> None:
    assert "is for another machine" in _refusal(Path(sys.executable).read_bytes())


def test_other_byte_order_is_named(object_of: ObjectOf) -> None:
    data = bytearray(object_of("simple").read_bytes())
    data[5] = 2
    assert "is not a 64-bit little-endian object" in _refusal(bytes(data))


def test_linked_bpf_file_is_refused(object_of: ObjectOf) -> None:
    data = bytearray(object_of("simple").read_bytes())
    struct.pack_into("<H", data, 16, 2)  # ET_EXEC, as a linker leaves it
    assert "is a linked ELF file, not a BPF object" in _refusal(bytes(data))


@pytest.mark.parametrize("name", ["simple", "globals"])
def test_object_without_btf_says_how_to_get_it(
    name: str, object_of: ObjectOf, tmp_path: Path
) -> None:
    objcopy = shutil.which("llvm-objcopy") or "llvm-objcopy-14"
    bare = tmp_path / "bare.bpf.o"
    parts = [".BTF", ".BTF.ext", ".rel.BTF", ".rel.BTF.ext"]
    removed = [f"--remove-section={part}" for part in parts]
    subprocess.run([objcopy, *removed, object_of(name), bare], check=True)
    with pytest.raises(BadObject, match=r"bare\.bpf\.o has no type information \(BTF\); compile"):
        ObjectSpec.open(bare)


def test_what_libbpf_says_of_an_object_is_passed_on(object_of: ObjectOf) -> None:
    data = bytearray(object_of("simple").read_bytes())
    start, _ = _sections(data)[".BTF"]
    data[start : start + 2] = b"\0\0"  # the magic number
    said = _refusal(bytes(data))
    assert said == (
        "it.bpf.o is not an object that libbpf can open: "
        "BTF is required, but is missing or corrupted."
    )
