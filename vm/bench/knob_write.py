"""Turning a knob and reading it back by mapping, against the map update system call."""

from __future__ import annotations

from vm.bench.floor import BUILD
from vm.bench.result import Result, Samples, compare
from vm.bench.turns import in_turns, repeated

SUITE = "knob_write"
_KNOB = "slice_us"
_ROUNDS, _TIMES = 25, 400


def sample() -> dict[str, list[float]]:
    """In the guest: ns for one write and reading back of a knob of ``simple``."""
    from pyloader import ObjectSpec, libbpf
    from pyloader.spec import data_section

    with ObjectSpec.open(BUILD / "simple.bpf.o").load() as loaded:
        knob = loaded.variables[_KNOB]
        spec = loaded.spec.variables[_KNOB]
        fd = next(fd for name, fd in loaded.map_fds().items() if data_section(name) == ".data")
        key, section = bytes(4), bytearray(knob.section.memory)
        cell = slice(spec.offset, spec.offset + spec.type.size)
        numbers = iter(range(1000, 1 << 62))

        def by_mapping() -> None:
            value = next(numbers)
            knob.value = value
            assert knob.value == value

        def update() -> None:
            section[cell] = next(numbers).to_bytes(8, "little")
            libbpf.update(fd, key, section)

        def update_and_read_back() -> None:
            libbpf.lookup(fd, key, section)
            value = next(numbers).to_bytes(8, "little")
            section[cell] = value
            libbpf.update(fd, key, section)
            libbpf.lookup(fd, key, section)
            assert section[cell] == value

        update_and_read_back()
        assert knob.value == int.from_bytes(section[cell], "little")
        return in_turns(
            {
                "mapping": repeated(by_mapping, _TIMES),
                "update": repeated(update, _TIMES),
                "update_and_read_back": repeated(update_and_read_back, _TIMES),
            },
            _ROUNDS,
        )


def results(samples: Samples) -> list[Result]:
    update = "map update system call, nothing read back"
    both = "the same by system calls: read, update, read"
    return [
        compare(SUITE, samples, "mapping", "update", words=update, unit="us", limit=0.5),
        compare(
            f"{SUITE}_vs_readback",
            samples,
            "mapping",
            "update_and_read_back",
            words=both,
            unit="us",
            limit=0.25,
        ),
    ]
