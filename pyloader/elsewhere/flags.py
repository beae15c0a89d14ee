"""The flags of ``sched_ext_ops`` by name."""

from __future__ import annotations

# enum scx_ops_flags of kernel/sched/ext/internal.h (6.16 and 7.3: bits have been added and one has
# gone, none has changed its meaning).
_NAMES = {
    1 << 0: "SCX_OPS_KEEP_BUILTIN_IDLE",
    1 << 1: "SCX_OPS_ENQ_LAST",
    1 << 2: "SCX_OPS_ENQ_EXITING",
    1 << 3: "SCX_OPS_SWITCH_PARTIAL",
    1 << 4: "SCX_OPS_ENQ_MIGRATION_DISABLED",
    1 << 5: "SCX_OPS_ALLOW_QUEUED_WAKEUP",
    1 << 6: "SCX_OPS_BUILTIN_IDLE_PER_NODE",
    1 << 7: "SCX_OPS_ALWAYS_ENQ_IMMED",
    1 << 8: "SCX_OPS_TID_TO_TASK",
    1 << 16: "SCX_OPS_HAS_CGROUP_WEIGHT",
}

SINCE_6_12 = 0b1111
"""Flags that every kernel takes which has sched_ext."""

WITHOUT_MEANING = 1 << 16
"""SCX_OPS_HAS_CGROUP_WEIGHT did no more than silence a warning; kernels without it warn no more."""


def names(flags: int) -> list[str]:
    """The flags by name, unknown bits as a number each."""
    bits = [1 << i for i in range(64) if flags >> i & 1]
    return [_NAMES.get(bit, hex(bit)) for bit in bits]
