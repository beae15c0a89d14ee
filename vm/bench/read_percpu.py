"""Reading 32 counters of 64 possible CPUs as one numpy array.

Twice: as a map of 32 counters, and as one entry of 32 (the layout of ``STAT``). Beside it a
lookup for each key through the same libbpf, and from C one system call of the same kind and a
copy of the same size.
"""

from __future__ import annotations

from vm.bench.floor import BUILD, Floor
from vm.bench.result import Result, Samples, compare
from vm.bench.turns import in_turns, repeated

SUITE = "read_percpu_64x32"
COUNTERS = 32
POSSIBLE_CPUS = 64
_ROUNDS, _TIMES = 75, 10


def sample() -> dict[str, list[float]]:
    """In the guest: ns for one reading, of each way."""
    import numpy as np

    from pyloader import ObjectSpec, libbpf

    cpus = libbpf.possible_cpus()
    assert cpus == POSSIBLE_CPUS, f"{cpus} possible CPUs"
    with ObjectSpec.open(BUILD / "counters.bpf.o").load() as loaded:
        entries, row = loaded.maps["entries"], loaded.maps["row"]
        written = np.arange(COUNTERS * cpus, dtype="u8").reshape(COUNTERS, cpus)
        keys = [np.array([key], "u4") for key in range(COUNTERS)]
        for key, values in zip(keys, written, strict=True):
            libbpf.update(entries.fd, key, values)
        libbpf.update(row.fd, keys[0], np.ascontiguousarray(written.T))
        looked_up = np.zeros((COUNTERS, cpus), "u8")
        pairs = list(zip(keys, looked_up, strict=True))

        def loop() -> None:
            for key, values in pairs:
                libbpf.lookup(entries.fd, key, values)

        loop()
        assert (entries.read() == written).all()
        assert (row.read()["v"][0] == written.T).all()
        assert (looked_up == written).all()
        program = BUILD / "read_map"
        with (
            Floor(program, str(entries.id), str(cpus)) as entries_floor,
            Floor(program, str(row.id), str(cpus)) as row_floor,
        ):
            return in_turns(
                {
                    "entries": repeated(entries.read, _TIMES),
                    "entries_floor": lambda: entries_floor.ask(f"batch {_TIMES}")[0],
                    "loop": repeated(loop, _TIMES),
                    "row": repeated(row.read, _TIMES),
                    "row_floor": lambda: row_floor.ask(f"lookup {_TIMES}")[0],
                    "copy": lambda: row_floor.ask(f"copy {_TIMES * 10}")[0],
                },
                _ROUNDS,
            )


def results(samples: Samples) -> list[Result]:
    """The figures: each way against its floor, then against the other baselines."""
    one_call = "one system call from C"
    loop = f"{COUNTERS} lookups through the same libbpf"
    copy = "memcpy of the same 16 kB"
    return [
        compare(SUITE, samples, "entries", "entries_floor", words=one_call, unit="us", limit=1.5),
        compare(f"{SUITE}_vs_loop", samples, "entries", "loop", words=loop, unit="us", limit=1),
        compare(
            f"{SUITE}_vs_memcpy", samples, "entries", "copy", words=copy, unit="us", limit=None
        ),
        compare(f"{SUITE}_row", samples, "row", "row_floor", words=one_call, unit="us", limit=1.5),
        compare(f"{SUITE}_row_vs_loop", samples, "row", "loop", words=loop, unit="us", limit=1),
    ]
