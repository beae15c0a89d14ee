"""The gap of a plain swap: ours, the least that C can do, and one process after another.

The same scheduler under two names is swapped, so that no policy counts. Ours is `sched use` in a
process that is warm, from the detach until the attach has returned; the one that comes was loaded
and verified before. `sched back` attaches one that was attached before, as the floor does: a C
program that has both loaded all the time. Whatever is taken off has run for a while before, in all
ways alike. The third is what supervisors of loader processes do:
end one, start the next, which opens, loads and attaches; as C programs on libbpf, without any
supervisor's own waits.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from vm.bench.floor import BUILD, ROOT, Floor, compile_floor, compile_object, compile_program
from vm.bench.result import Result, Samples, compare

SUITE = "swap_gap"
CPUS = 2
NAMES = ("simple", "simple_b")
HOGS = CPUS  # with two a CPU a round takes twenty seconds under emulation
_ROUNDS = {"": 8, "_loaded": 3}  # one more before them is thrown away
_SETTLED_S = 0.4  # as long as the C programs wait (floor/swap_gap.c)
_CHEAP = 3  # swaps of a round in the ways that take a fraction of the others' time


def prepare() -> None:
    """Compile what the guest needs."""
    compile_floor("swap_gap")
    compile_program("hogs")
    source = (ROOT / "schedulers" / "simple.bpf.c").read_text()
    BUILD.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        copy = BUILD / f"{name}.bpf.c"
        copy.write_text(source.replace('.name = "simple"', f'.name = "{name}"'))
        compile_object(copy)


def sample() -> dict[str, list[float]]:
    """In the guest: gaps in ns, on an idle machine and beside hogs."""
    samples = _sample("")
    with Floor(BUILD / "hogs", str(HOGS)):
        samples |= _sample("_loaded")
    return samples


def _sample(load: str) -> dict[str, list[float]]:
    from pyloader import ObjectSpec, sched

    # Each read of the host's file system leaves the machine.
    here = Path(tempfile.mkdtemp())
    paths = [shutil.copy(BUILD / f"{name}.bpf.o", here) for name in NAMES]
    first, second = (ObjectSpec.open(path) for path in paths)
    direct = sched.UseOptions(direct=True)
    samples: dict[str, list[float]] = {"use": [], "back": [], "c": [], "respawn": []}
    with (
        Floor(BUILD / "swap_gap", "preloaded", *map(str, paths)) as preloaded,
        Floor(BUILD / "swap_gap", "respawn", *map(str, paths)) as respawn,
    ):
        for number in range(_ROUNDS[load] + 1):
            sched.use(first, None, direct)
            time.sleep(_SETTLED_S)
            taken: dict[str, list[float]] = {
                "use": [sched.use(second, None, direct).gap_ns or 0],
                "back": [_back() for _ in range(_CHEAP)],
            }
            sched.stop()
            taken["c"] = [preloaded.ask("go")[0] for _ in range(_CHEAP)]
            taken["respawn"] = [respawn.ask("go")[0]]
            for way, gaps in taken.items() if number else ():
                samples[way] += gaps
    return {f"{way}{load}": gaps for way, gaps in samples.items()}


def _back() -> float:
    from pyloader import sched

    time.sleep(_SETTLED_S)
    return sched.back().gap_ns or 0


def results(samples: Samples) -> list[Result]:
    """The goals are those of `sched use`; both baselines, idle and loaded."""
    made: list[Result] = []
    for load, when in (("", ""), ("_loaded", f", {HOGS} hogs")):
        floor, respawn = "C program, both loaded", "end one loader process, start another"
        for way, against, id_, limit, words in (
            ("use", "c", "vs_floor", 1.1, floor),
            ("back", "c", "back_vs_floor", 1.1, f"`sched back`; {floor}"),
            ("use", "respawn", "vs_respawn", 0.25, respawn),
        ):
            made.append(
                compare(
                    f"{SUITE}{load}_{id_}",
                    samples,
                    f"{way}{load}",
                    f"{against}{load}",
                    words=words + when,
                    unit="ms",
                    limit=limit,
                )
            )
    return made
