"""Damaged objects that still open: the kernel takes or refuses them, and nothing crashes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyloader.spec import ObjectSpec

pytestmark = pytest.mark.host

# Only sections whose damage cannot make a map larger: the kernel would take all memory for it.
LOADER = """
import random, struct, sys
from pyloader.errors import ScxhidError
from pyloader.spec import ObjectSpec

whole = open(sys.argv[1], "rb").read()
table, *_, count, names = struct.unpack_from("<Q4xHHHHHH", whole, 40)
headers = [struct.unpack_from("<IIQQQQ", whole, table + 64 * i) for i in range(count)]
text = whole[headers[names][4]:]
spans = [
    (header[4], header[5])
    for header in headers
    if header[5] and text[header[0]:].startswith((b"syscall", b"raw_tp", b"struct_ops", b".rel",
                                                  b".symtab", b".strtab", b".BTF.ext"))
]
outcomes = set()
for seed in range(int(sys.argv[2])):
    chance = random.Random(seed)
    damaged = bytearray(whole)
    for _ in range(chance.randint(1, 3)):
        start, size = chance.choice(spans)
        damaged[start + chance.randrange(size)] = chance.choice((0, 255, chance.randrange(256)))
    print(seed, flush=True)
    try:
        ObjectSpec.from_bytes(bytes(damaged), "damaged").load().close()
        outcomes.add("loaded")
    except ScxhidError as error:
        outcomes.add("refused")
        assert "\\n" not in str(error), error
print(*sorted(outcomes))
"""


@pytest.mark.parametrize("name", ["globals", "host_struct_ops"])
def test_damaged_object_loads_or_is_refused_and_never_crashes(
    name: str, spec_of: Callable[[str], ObjectSpec], tmp_path: Path
) -> None:
    path = tmp_path / "whole.bpf.o"
    path.write_bytes(spec_of(name).data)
    command = [sys.executable, "-c", LOADER, path, "150"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    last = done.stdout.splitlines()[-1]
    assert (done.returncode, last) == (0, "loaded refused"), f"seed {last}: {done.stderr}"
