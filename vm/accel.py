"""Which of QEMU's accelerators works here.

``/dev/kvm`` can exist and open on a machine where no stock kernel boots on it (nested
virtualisation, small hypervisors). So a guest of one program is booted, once; what came of it is
remembered for this host kernel, QEMU and processor.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from pyloader.errors import Unsupported, WrongUse
from vm.cache import remember, remembered
from vm.errors import VmError, VmLost
from vm.initramfs import bare_boot
from vm.kernels import Kernel
from vm.qemu import qemu_version

_MEMORY = "kvm.json"

#: A working KVM takes under two seconds for it; a broken one may hang.
_PROBE_TIMEOUT_S = 20.0

#: Overrides ``auto``.
ACCEL_VARIABLE = "SCXHID_ACCEL"


def resolve(wish: str, kernel: Kernel, *, say: Callable[[str], None] | None = None) -> str:
    """``kvm`` or ``tcg`` for ``kvm``, ``tcg`` or ``auto`` (KVM if it works, else emulation).

    Raises:
        Unsupported: KVM is demanded and does not work here.
    """
    if wish == "auto":
        wish = os.environ.get(ACCEL_VARIABLE, "") or "auto"
    if wish not in ("auto", "kvm", "tcg"):
        raise WrongUse(f"{wish!r} is no accelerator; choose auto, kvm or tcg")
    if wish == "tcg":
        return "tcg"
    why_not = kvm_trouble(kernel, say=say)
    if why_not is None:
        return "kvm"
    if wish == "kvm":
        raise Unsupported(f"KVM does not work on this machine: {why_not}; use --accel tcg")
    return "tcg"


def kvm_trouble(kernel: Kernel, *, say: Callable[[str], None] | None = None) -> str | None:
    """Why KVM cannot be used here, or None if it can; found out by booting ``kernel`` once."""
    missing = _device_trouble()
    if missing is not None:
        return missing
    key = probe_key()
    known = remembered(_MEMORY)
    if key not in known:
        if say is not None:
            say("trying whether KVM works on this machine, once")
        known[key] = {"trouble": _probe(kernel), "at_s": int(time.time())}
        remember(_MEMORY, known)
    trouble = known[key].get("trouble")
    return str(trouble) if trouble else None


def remembered_kvm() -> bool | None:
    """Whether KVM works here, without booting anything; None if that was never tried."""
    if _device_trouble() is not None:
        return False
    known = remembered(_MEMORY).get(probe_key())
    return None if known is None else not known.get("trouble")


def remembered_trouble() -> str:
    """Why KVM cannot be used, as far as it is known; empty if it can or was never tried."""
    return _device_trouble() or str(remembered(_MEMORY).get(probe_key(), {}).get("trouble", ""))


def probe_key() -> str:
    """What the answer depends on: host kernel, QEMU, processor."""
    version = ".".join(map(str, qemu_version() or ()))
    try:
        processor = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        processor = None
    return f"{os.uname().release} / QEMU {version} / {processor[1] if processor else 'unknown'}"


def _device_trouble() -> str | None:
    if not os.path.exists("/dev/kvm"):
        return "/dev/kvm is not there"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "/dev/kvm may not be opened by this user (join the group kvm)"
    return None


def _probe(kernel: Kernel) -> str:
    try:
        bare_boot(kernel, accel="kvm", cpus=1, timeout_s=_PROBE_TIMEOUT_S)
    except (VmLost, VmError) as error:
        first_line = str(error).splitlines()[0]
        return first_line.rsplit(";", 1)[0]
    return ""
