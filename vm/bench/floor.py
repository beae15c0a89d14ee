"""The small C programs, floors and workloads: compiled here, spoken to over a pipe."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

from pyloader.closing import Closing
from pyloader.errors import ScxhidError
from vm.c_compiler import STATIC, compile_c

ROOT = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).parent / "floor"
PROGRAMS = Path(__file__).parent / "programs"

#: Headers of all measured programs.
SHARED = Path(__file__).parents[1] / "workloads" / "programs"

#: Where compiled programs and the private installation lie.
BUILD = ROOT / "build" / "bench"


def compile_floor(name: str) -> Path:
    """The program from ``floor/NAME.c``, with libbpf linked in as it is into pyloader.

    Raises what ``compile_c`` raises.
    """
    return _compile(SOURCES / f"{name}.c", "-l:libbpf.a", "-lelf", "-lz")


def compile_program(name: str, into: Path = BUILD) -> Path:
    """The workload from ``programs/NAME.c``, linked statically: it runs from a bare initramfs too.

    Raises what ``compile_c`` raises.
    """
    return _compile(PROGRAMS / f"{name}.c", *STATIC, into=into)


def _compile(source: Path, *options: str, into: Path = BUILD) -> Path:
    headers = [header for folder in (PROGRAMS, SHARED) for header in folder.glob("*.h")]
    return compile_c([source], into / source.stem, *options, f"-I{SHARED}", headers=headers)


def compile_object(source: Path) -> None:
    """The BPF object of ``source`` in ``BUILD``, where the guest finds it."""
    from pyloader import compile_object as compile_bpf

    BUILD.mkdir(parents=True, exist_ok=True)
    compile_bpf(source, BUILD / source.with_suffix(".o").name)


class Floor(Closing):
    """A running floor program, which does its work once for each line it is sent."""

    def __init__(self, program: Path | str, *arguments: str) -> None:
        self._name = Path(program).name
        self._process = subprocess.Popen(
            [str(program), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, line: str) -> list[int]:
        """Send ``line``; the numbers that come back.

        Raises ScxhidError if the program has ended; it has said why on stderr.
        """
        assert self._process.stdin
        assert self._process.stdout
        with suppress(BrokenPipeError):
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        answer = self._process.stdout.readline().split()
        if not answer:
            raise ScxhidError(
                f"the floor program {self._name} ended with status {self._process.wait()};"
                " what it said stands above"
            )
        return [int(word) for word in answer]

    def close(self) -> None:
        """End the program and wait for it."""
        assert self._process.stdin
        assert self._process.stdout
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
