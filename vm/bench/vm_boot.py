"""From the call to the command in the guest, against a bare initramfs boot of the same kernel.

Bare is the shortest way to a program of ours in a guest: QEMU, the kernel, one program in memory.
What comes on top is the host's file system, streams, modules and mounts.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from vm import accel, kernels, machine
from vm.bench.result import Result, compare
from vm.bench.turns import in_turns
from vm.initramfs import bare_boot

SUITE = "vm_boot"
CPUS = 2
_ROUNDS = 5


def measure(tell: Callable[[str], None]) -> tuple[list[Result], dict[str, object]]:
    """The figures, and what the boot was spent on (medians, seconds)."""
    kernel = kernels.choose()
    mode = accel.resolve("auto", kernel)
    boots: list[machine.Boot] = []

    def ours() -> float:
        result = machine.run(["true"], kernel=kernel, cpus=CPUS, accel=mode, capture=True)
        boots.append(result.boot)
        return result.boot_to_command_s * 1e9

    def bare() -> float:
        return bare_boot(kernel, accel=mode, cpus=CPUS).init_s * 1e9

    samples = in_turns(
        {"ours": ours, "bare": bare},
        _ROUNDS,
        lambda number: tell(f"booting, {number} of {_ROUNDS} pairs"),
    )
    words = "bare initramfs boot to its first program"
    result = compare(SUITE, samples, "ours", "bare", words=words, unit="s", limit=2.5)
    spent = {
        part: round(median(getattr(boot, part) for boot in boots[1:]), 3)
        for part in ("compose_s", "firmware_s", "kernel_s", "init_s")
    }
    return [result], {"vm_boot_spent": spent, "guest_kernel": kernel.version, "accel": mode}
