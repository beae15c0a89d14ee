"""Build ``pyloader._libbpf``: the cffi module with libbpf linked into it.

libbpf is linked statically, because distributions ship none or one that is too
old. libelf stays dynamic: its static archive is not built for shared objects
(thread-local data), and every distribution with iproute2 has it. zlib likewise.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import cffi

HERE = Path(__file__).parent
MODULE = "pyloader._libbpf"
INPUTS = ("cdef.h", "shim.c", "kernel_btf.h", "kernel_btf.c", "builder.py")

# Functions of libbpf whose callers inside libbpf get ours (kernel_btf.c).
WRAPPED = (
    "btf__load_vmlinux_btf",
    "btf__free",
    "btf__find_by_name_kind",
    "bpf_btf_get_next_id",
)


def fingerprint() -> str:
    """Digest of everything that the built module depends on, as 64 hex digits."""
    digest = hashlib.sha256(f"{sys.version}{sysconfig.get_platform()}".encode())
    for name in INPUTS:
        digest.update((HERE / name).read_bytes())
    libbpf = static_libbpf()
    digest.update(f"{libbpf}{libbpf.stat().st_size}{libbpf.stat().st_mtime_ns}".encode())
    return digest.hexdigest()


def static_libbpf() -> Path:
    """Path of ``libbpf.a``; the compiler knows where this machine keeps it."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    found = subprocess.run(
        [*compiler, "-print-file-name=libbpf.a"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if not os.path.isabs(found):
        raise SystemExit("libbpf.a is not installed; `make setup` installs it")
    return Path(found).resolve()


def build(target_dir: Path, verbose: bool = False) -> Path:
    """Compile the module into ``target_dir`` and return the path of the shared object."""
    builder = cffi.FFI()
    builder.cdef((HERE / "cdef.h").read_text())
    with tempfile.TemporaryDirectory() as scratch:
        # The archive is built for programs, not for shared objects. What keeps it out of one is
        # its direct use of stderr, a variable of libc: let it use one of ours (shim.c) instead.
        libbpf = f"{scratch}/libbpf.a"
        subprocess.run(
            ["objcopy", "--redefine-sym", "stderr=shim_stderr", str(static_libbpf()), libbpf],
            check=True,
        )
        builder.set_source(
            MODULE,
            (HERE / "shim.c").read_text(),
            sources=[str(HERE / "kernel_btf.c")],
            include_dirs=[str(HERE)],
            extra_objects=[libbpf],
            libraries=["elf", "z"],
            extra_compile_args=["-O2", "-std=gnu11", "-Wall", "-Wno-unused-function"],
            extra_link_args=[
                *("-Wl,-Bsymbolic", "-Wl,--exclude-libs,ALL"),
                *(f"-Wl,--wrap={name}" for name in WRAPPED),
            ],
            py_limited_api=True,
        )
        built = Path(builder.compile(tmpdir=scratch, verbose=verbose))
        target = target_dir / built.name
        partial = target.with_suffix(".partial")
        partial.write_bytes(built.read_bytes())
        partial.chmod(0o755)
        partial.rename(target)
    return target


if __name__ == "__main__":
    print(build(Path(sys.argv[1])))
