"""The known refusals: how each kernel words them, what they mean, what to do.

One entry per class, the more particular first: the first whose pattern is found in the kernel's
or libbpf's words wins. Named groups of the pattern fill the braces of the advice, as do
``{register}`` and ``{origin}`` (where that register's value came from). Wordings: libbpf 1.4 to
1.7, kernel/bpf/verifier.c from 5.4 to 7.3; a pattern that holds for one kernel names it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One class of refusal: a stable name, a title, regular expressions, advice.

    ``source`` is a regular expression that the refused source line must match as well.
    """

    kind: str
    title: str
    patterns: tuple[str, ...]
    advice: str
    source: str = ""


# scx kfuncs that later kernels renamed or dropped: old name, since, what to call now.
_RENAMED = (
    ("scx_bpf_dispatch", "6.13", "scx_bpf_dsq_insert"),
    ("scx_bpf_dispatch_vtime", "6.13", "scx_bpf_dsq_insert_vtime"),
    ("scx_bpf_consume", "6.13", "scx_bpf_dsq_move_to_local"),
    ("scx_bpf_dispatch_from_dsq", "6.13", "scx_bpf_dsq_move"),
    ("scx_bpf_dispatch_vtime_from_dsq", "6.13", "scx_bpf_dsq_move_vtime"),
    ("scx_bpf_cpu_rq", "6.18", "scx_bpf_cpu_curr"),
)

LIBBPF: tuple[Entry, ...] = (
    Entry(
        "no-sched-ext",
        "this kernel has no sched_ext",
        (r"struct (?P<name>sched_ext_ops\w*)(?:\([^)]*\))? is not found in kernel BTF",),
        "Boot a kernel built with CONFIG_SCHED_CLASS_EXT (6.12 or later; scxhid needs 6.16), or "
        "try it in a virtual machine: `scxhid vm run`. `scxhid doctor` says what this one lacks.",
    ),
    Entry(
        "no-hid-bpf",
        "this kernel has no HID-BPF, or its module is not loaded",
        (r"struct (?P<name>hid_bpf_ops)(?:\([^)]*\))? is not found in kernel BTF",),
        "Load the module (`modprobe hid`); if it stays missing, the kernel was built without "
        "CONFIG_HID_BPF (struct_ops since 6.11).",
    ),
    Entry(
        "struct-ops-missing",
        "this kernel does not know the struct_ops type",
        (r"struct_ops init_kern.*: struct (?P<name>\w+)\S* is not found in kernel BTF",),
        "The kernel, or a module that must be loaded first, has to define struct {name}.",
    ),
    Entry(
        "struct-ops-member",
        "this kernel's struct_ops lacks a member that the program sets",
        (r"struct_ops init_kern (?P<ops>\w+): Cannot find member (?P<name>\w+) in kernel BTF",),
        "Leave {name} at zero on this kernel (a callback: set it to NULL before loading), or name "
        "the member `{name}___suffix` in a flavour that only newer kernels are offered.",
    ),
    Entry(
        "struct-ops-reuse",
        "one program stands for two different callbacks",
        (r"func ptr (?P<name>\w+): invalid reuse of prog (?P<program>\w+)",),
        "Write one program per callback; they may call the same static function.",
    ),
    *(
        Entry(
            "kfunc-renamed",
            "this kernel no longer has the kfunc",
            (rf"(?:extern \(func ksym\) |kfunc )'{old}'",),
            f"{old} became {new} in {since} and is gone from newer kernels: call {new}, or let "
            "the compat header choose, as the schedulers in schedulers/ do.",
        )
        for old, since, new in _RENAMED
    ),
    Entry(
        "kfunc-missing",
        "this kernel does not have the kfunc",
        (r"extern \(func ksym\) '(?P<name>scx_\w+)': not found",),
        "Either the kernel has no sched_ext at all (`scxhid doctor` tells), or {name} came later "
        "or was renamed: declare it `__ksym __weak` and call it only if bpf_ksym_exists({name}).",
    ),
    Entry(
        "kfunc-missing",
        "this kernel does not have the kfunc",
        (
            r"extern \(func ksym\) '(?P<name>[^']+)': not found",
            r"kfunc '(?P<name>[^']+)' is referenced but wasn't resolved",
        ),
        "Call {name} only if bpf_ksym_exists({name}) and declare it `__ksym __weak`, so that "
        "kernels without it take another path; or load the module that defines it.",
    ),
    Entry(
        "kfunc-prototype",
        "the kfunc's declaration differs from the kernel's",
        (r"extern \(func ksym\) '(?P<name>[^']+)': func_proto \[\d+\] incompatible with",),
        "Compare the declaration of {name} with the kernel's: return type and every argument; a "
        "struct that is only named (`struct x;`) counts as different, give it a body. If they "
        "agree, the kernel was built with an old pahole that recorded a wrong prototype: take "
        "another build of the kernel.",
    ),
    Entry(
        "ksym-type",
        "a kernel variable's type differs from its declaration",
        (r"extern \(var ksym\) '(?P<name>[^']+)': incompatible types",),
        "Declare {name} with the type that this kernel gives it.",
    ),
    Entry(
        "ksym-missing",
        "this kernel does not have the variable",
        (r"extern (?:\(var ksym\) )?'(?P<name>[^']+)'(?: \(strong\))?: not (?:found|resolved)",),
        "Declare {name} `__weak` and test bpf_ksym_exists({name}) or its address before use.",
    ),
    Entry(
        "core-relocation",
        "a field or type that the program reads is not in this kernel",
        (
            r"failed to resolve CO-RE relocation <\w+> \[\d+\] (?P<name>[^(\n]*[^(\s])",
            r"<invalid CO-RE relocation>",
            r"unrecognized helper|call unknown#195896080",
        ),
        "Guard the access with bpf_core_field_exists() (bpf_core_type_exists() for a type), or "
        "describe the other kernel's layout in a `___flavour` of the struct.",
    ),
    Entry(
        "map-missing",
        "the program uses a map that was not created",
        (r"map '(?P<name>[^']+)' is referenced but wasn't created",),
        "Create the map, or keep the programs that use {name} from being loaded.",
    ),
    Entry(
        "memory",
        "there was not enough memory, or the process may not lock more",
        (r"Cannot allocate memory", r"RLIMIT_MEMLOCK.*failed with"),
        "Make the maps smaller (max_entries times value size, for per-CPU maps times the number "
        "of CPUs), or raise the cgroup's memory limit.",
    ),
    Entry(
        "no-permission",
        "the kernel did not let this process load BPF programs",
        (r"Operation not permitted", r"\bEPERM\b", r"without CAP_", r"is allowed only to CAP_"),
        "Run it as root (`sudo scxhid …`). If it is root already, a container, kernel lockdown "
        "or a security module refuses BPF: CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN are needed.",
    ),
    Entry(
        "no-kernel-btf",
        "the kernel carries no type information (BTF)",
        (
            r"kernel BTF is missing",
            r"failed to find valid kernel BTF",
            r"without CONFIG_DEBUG_INFO_BTF",
            r"kernel is missing BTF",
        ),
        "Use a kernel built with CONFIG_DEBUG_INFO_BTF=y (/sys/kernel/btf/vmlinux must exist).",
    ),
    Entry(
        "map-create",
        "a map could not be created",
        (
            r"map '(?P<name>[^']+)': failed to create",
            r"Error in bpf_create_map_xattr\((?P<name>\w+)",
        ),
        "Check the type, flags and sizes of map {name}: the kernel may not know that type or "
        "flag, or a size does not fit it (a ring buffer's must be a power of two and whole pages).",
    ),
    Entry(
        "no-jit",
        "the kernel's BPF compiler is off or cannot do this",
        (r"JIT is required", r"(?:JIT|jit) does(?:n't| not) support", r"not supported by jit"),
        "Turn it on (`sysctl net.core.bpf_jit_enable=1`; the kernel needs CONFIG_BPF_JIT), or "
        "avoid what this architecture's JIT cannot compile.",
    ),
)
