"""Refusals for what a program may hold, call, write and be: see verifier_catalogue."""

from __future__ import annotations

from pyloader.verifier.catalogue import Entry

# What gives back what an acquiring call handed out.
_RELEASES = (
    ("bpf_ringbuf_reserve", "bpf_ringbuf_submit() or bpf_ringbuf_discard()"),
    ("bpf_task_from_[vp]id|bpf_task_acquire", "bpf_task_release()"),
    ("bpf_cpumask_create|bpf_cpumask_acquire", "bpf_cpumask_release()"),
    ("scx_bpf_get_(?:possible|online)_cpumask", "scx_bpf_put_cpumask()"),
    ("scx_bpf_get_idle_(?:cpumask|smtmask)\\w*", "scx_bpf_put_idle_cpumask()"),
    ("scx_bpf_task_cgroup|bpf_cgroup_\\w+", "bpf_cgroup_release()"),
    ("bpf_obj_new\\w*", "bpf_obj_drop()"),
)

RULES: tuple[Entry, ...] = (
    # Resources and contexts.
    *(
        Entry(
            "unreleased-reference",
            "a reference is not given back on every path",
            (rf"acquired by (?P<name>{acquire})$",),
            f"Give back what {{name}}() handed out with {release} before this way out; "
            "early returns count as well.",
        )
        for acquire, release in _RELEASES
    ),
    Entry(
        "unreleased-reference",
        "a reference is not given back on every path",
        (r"Unreleased reference", r"would lead to reference leak", r"still needs to be released"),
        "Release it before this way out: bpf_task_release(), bpf_cpumask_release(), "
        "scx_bpf_put_cpumask(), bpf_ringbuf_submit() or bpf_ringbuf_discard(); early returns "
        "count as well.",
    ),
    Entry(
        "lock-held",
        "this is not allowed while a lock is held",
        (
            r"while holding a lock",
            r"inside bpf_spin_lock-ed region",
            r"bpf_spin_lock is missing unlock",
            r"Locking two bpf_spin_locks|AA deadlock|_unlock of different lock"
            r"|_unlock without taking a lock|unlock cannot be out of order",
        ),
        "Between lock and unlock only plain reads and writes (and the list and tree kfuncs) are "
        "allowed: compute before, unlock on every path, then call.",
    ),
    Entry(
        "rcu-unbalanced",
        "an RCU, preemption or interrupt section is not closed",
        (
            r"inside bpf_(?:rcu_read_lock|preempt_disable|local_irq_save)-ed region",
            r"bpf_rcu_read_lock is missing",
            r"unmatched (?:rcu read unlock|attempt to enable preemption)",
            r"nested rcu read lock",
        ),
        "Close it on every path, early returns included, and exactly once.",
    ),
    Entry(
        "sleepable",
        "this may sleep, and the program may not",
        (
            r"calling kernel function (?P<name>scx_bpf_create_dsq) is not allowed",
            r"sleepable kfunc (?P<name>scx_bpf_create_dsq)",
        ),
        "{name}() sleeps: make queues in ops.init, in a sleepable program "
        '(SEC("struct_ops.s/init")), or in a SEC("syscall") program.',
    ),
    Entry(
        "sleepable",
        "this may sleep, which is not allowed between here and the section's end",
        (
            r"sleepable (?:helper|kfunc) (?P<name>\w+)\S* in (?:rcu|non-preempt|IRQ)\S* region",
            r"(?P<name>\w+) is sleepable within \w*(?:rcu|preempt|IRQ|lock)",
        ),
        "Close the section first (bpf_rcu_read_unlock(), bpf_preempt_enable(), …) and call "
        "{name}() outside it; keep a reference over the gap instead of a bare pointer.",
    ),
    Entry(
        "sleepable",
        "this may sleep, and the program may not",
        (
            r"might sleep in a non-sleepable prog",
            r"sleepable (?:helper|kfunc|global function) ?(?P<name>\w*)",
            r"must be sleepable to call|is sleepable within|may sleep are not allowed",
            r"cannot call operations that may sleep",
        ),
        "Do it where sleeping is allowed: ops.init, ops.init_task and ops.cgroup_init as "
        '"struct_ops.s/…" programs, or SEC("syscall"); elsewhere use a variant that does not '
        "sleep (bpf_probe_read_user() for bpf_copy_from_user()), outside RCU sections and locks.",
    ),
    # What a program of this kind may call and write.
    Entry(
        "kfunc-not-allowed",
        "a scheduler's kfunc is called where it may not be",
        (r"calling kernel function (?P<name>scx_\w+) is not allowed",),
        "{name}() belongs to certain callbacks of sched_ext_ops (from 7.1 on the kernel checks "
        "which: inserting in select_cpu, enqueue and dispatch, moving in dispatch); other "
        "programs may not call it. Leave a note in a map and act on it in the right callback.",
    ),
    Entry(
        "kfunc-not-allowed",
        "this kind of program may not call the kfunc",
        (
            r"calling kernel function (?P<name>\w+) is not allowed",
            r"kfunc (?P<name>\w+) is not allowed",
            r"metadata kfuncs require device-bound program",
        ),
        "{name} is registered for other program types; move the call to a program of such a type, "
        "or find a helper that does the same.",
    ),
    Entry(
        "license",
        "the program's licence is not GPL-compatible",
        (r"non-GPL compatible program", r"must have a GPL compatible license", r"GPL-restricted"),
        'Declare `char LICENSE[] SEC("license") = "GPL";`.',
    ),
    Entry(
        "helper-not-allowed",
        "this kind of program may not call the helper",
        (
            r"cannot use helper (?P<name>\w+)",
            r"unknown func (?P<name>\w+)",  # up to 6.8
            r"helper call is not allowed in probe",
            r"func (?P<name>\w+)#\d+ (?:not supported for program type|supported only for)",
        ),
        "{name} is not offered to this program type, or not by this kernel; move the call to "
        "another type of program, or use a kfunc that does the same.",
    ),
    Entry(
        "helper-unknown",
        "this kernel does not have the helper",
        (r"invalid func (?P<name>\w+)",),
        "{name} came with a later kernel: test bpf_core_enum_value_exists(enum bpf_func_id, …) "
        "and take another way without it.",
    ),
    Entry(
        "read-only",
        "constants cannot be written",
        (r"write into map forbidden", r"cannot write into (?:rdonly_\w+|map_key)"),
        "A `const volatile` global is set by the loader only: make it a plain global (.data), or "
        "with KNOB() one that can be turned live.",
    ),
    Entry(
        "read-only",
        "the program may not write into the kernel's struct",
        (
            r"only read is supported",
            r"cannot write into (?:trusted_|rcu_|untrusted_)?ptr_(?P<name>\w+)",
            r"gave no reason for refusing a write to struct (?P<name>\w+)",
        ),
        "Kernel structs are read-only except for a few fields: of a task a scheduler may set "
        "p->scx.slice, p->scx.dsq_vtime and p->scx.disallow (from 6.19 on through the kfuncs "
        "scx_bpf_task_set_slice() and scx_bpf_task_set_dsq_vtime()).",
    ),
    Entry(
        "context-access",
        "the program's context has no such field, or it may not be written",
        (r"invalid bpf_context access", r"invalid access to context"),
        "The arguments are read-only, and there are only as many as the callback or tracepoint "
        "has: compare the program's arguments with the kernel's prototype (BPF_PROG unpacks them).",
    ),
    Entry(
        "return-value",
        "the return value is outside what is allowed here",
        (
            r"At program exit the register R0 has .*should have been in",
            r"R0 (?:has value|is not a known value|leaks addr as return)",
            r"At (?:subprogram|callback|async callback|program)\w* (?:exit|return) the register",
        ),
        "Return a constant in the range that the kernel names, on every path; a negative error "
        "code only where the callback allows one.",
    ),
    # Size and shape of the program.
    Entry(
        "stack-too-deep",
        "the functions together use more than 512 bytes of stack",
        (r"combined stack size of \d+ calls is \d+", r"stack (?:size|depth) .*[Tt]oo large"),
        "Move large local variables into a per-CPU array map, or make the called functions "
        "`static __always_inline` so that their frames are shared.",
    ),
    Entry(
        "call-depth",
        "functions call each other too deep",
        (r"the call stack of \d+ frames is too deep", r"recursive call"),
        "Eight frames are the limit, and none may call itself: turn recursion into a bounded loop.",
    ),
    Entry(
        "endless-loop",
        "a loop has no end that the verifier can see",
        (r"infinite loop detected", r"back-edge from insn", r"loop iteration limit reached"),
        "Give the loop a constant bound and a counter that changes: `bpf_for(i, 0, LIMIT)` or "
        "bpf_loop(); waiting for something is not possible in BPF.",
    ),
    Entry(
        "too-complex",
        "the program is too complex to verify",
        (
            r"BPF program is too large",
            r"sequence of \d+ jumps is too complex",
            r"analysis exceeded complexity limit",
            r"Argument list too long",
        ),
        "Use bpf_for() or bpf_loop() for long loops (their body is verified once), split the "
        "program into global (non-static) functions, which are verified apart, or unroll less.",
    ),
    Entry(
        "unreachable",
        "some instructions can never run, or control runs off the end",
        (r"unreachable insn", r"last insn is not an exit", r"jump out of range", r"falls through"),
        "Compilers remove such code themselves: look at inline assembly, at a function without a "
        "return, or at undefined behaviour that the compiler cut short.",
    ),
    Entry(
        "undefined-behaviour",
        "the compiler found undefined behaviour and gave up there",
        (r"__bpf_trap",),
        "A variable is used before it is set, or a function with a result ends without one; "
        "compile with -Wall -Wextra to find it.",
    ),
    Entry(
        "misaligned",
        "the access is not aligned to its size",
        (r"misaligned \w* ?access", r"access misaligned"),
        "Place the field at a multiple of its size: no packed structs and no odd casts on the "
        "stack; otherwise copy with __builtin_memcpy().",
    ),
    Entry(
        "pointer-leak",
        "a kernel address would become readable from outside",
        (r"leaks addr", r"leaking pointer from stack", r"attempt to corrupt spilled pointer"),
        "Store what the pointer points to, not the pointer.",
    ),
    Entry(
        "iterator",
        "an iterator or dynptr is used out of order",
        (
            r"expected (?:an |valid |un)?initialized (?:iter|dynptr)\w*",
            r"[Ee]xpected an initialized|Dynptr has to be an uninitialized",
            r"expected valid iter pointer|cannot overwrite referenced dynptr",
        ),
        "Begin it once, use it, and end it once on every path; bpf_for() and bpf_for_each() do "
        "so by themselves.",
    ),
    Entry(
        "global-function",
        "a global function gets an argument that its signature does not promise",
        (
            r"Caller passes invalid args into func",
            r"arg#\d+ reference type\('.*cannot be determined",
        ),
        "Global functions are verified apart from their callers: make it static, or tag the "
        "argument (__arg_nonnull, __arg_trusted, __arg_ctx).",
    ),
    Entry(
        "wrong-argument",
        "a call gets an argument of the wrong sort",
        (
            r"R\d+ type=(?P<is>\S+) expected=(?P<wants>[^\n;]+)",
            r"arg#\d+ (?:is|expected|pointer|doesn't)",
            r"kernel function \w+ args#\d+ expected",
            r"R\d+ is of type \S+ but \S+ is expected",
            r"does not satisfy the verifier contract",
            r"must be a (?:known|constant)|is not a known constant|is not a const",
        ),
        "Compare the call with the helper's or kfunc's prototype: sizes must be constants, and "
        "memory arguments must be addresses of stack, map or ring buffer memory.",
    ),
    Entry(
        "map-use",
        "this map cannot be used by this program",
        (
            r"tracing progs cannot use",
            r"Sleepable programs can only use",
            r"cannot pass map_type",
            r"has no valid|has to have BTF in order",
            r"bpf_struct_ops map cannot be used",
        ),
        "Choose another map type or program type for it.",
    ),
    Entry(
        "verifier-bug",
        "the kernel's verifier met a fault of its own",
        (r"verifier (?:internal error|bug)", r"bpf verifier is misconfigured"),
        "This is a kernel bug: report it with the whole log; meanwhile rewrite the line above.",
    ),
)
