"""Refusals of memory accesses and pointers: see verifier_catalogue."""

from __future__ import annotations

from pyloader.verifier.catalogue import Entry

_CHECK = " In C: `if (!p) return 0;` before the first use, in the same function."

MEMORY: tuple[Entry, ...] = (
    # Missing NULL checks, by what the pointer is.
    Entry(
        "null-check",
        "a task pointer is used without a NULL check",
        (r"invalid mem access '(?:\w+_)?ptr_or_null_\w*'",),
        "In ops.dispatch `prev` is NULL when nothing ran that could run on: test it before "
        "reading from it.",
        source=r"\bprev\b",
    ),
    Entry(
        "null-check",
        "a map lookup's result is used without a NULL check",
        (r"invalid mem access 'map_value_or_null'",),
        "A lookup gives NULL when the key is not there, and the verifier never takes a key for "
        "granted: test {register}{origin} before using it." + _CHECK,
    ),
    Entry(
        "null-check",
        "a reserved ring buffer record is used without a NULL check",
        (r"invalid mem access '(?:ringbuf|alloc)_mem_or_null'",),
        "bpf_ringbuf_reserve() gives NULL when the buffer is full: test {register}{origin}, count "
        "the loss, and return." + _CHECK,
    ),
    Entry(
        "null-check",
        "a pointer that may be NULL is used without a check",
        (
            r"invalid mem access '\w*or_null\w*'",
            r"[Pp]ossibly NULL pointer passed",
            r"pointer arithmetic on \w*or_null\w* prohibited",
            r"arg#\d+ is expected to be non-NULL",
            r"may be NULL here",
        ),
        "Test {register}{origin} for NULL before this line." + _CHECK,
    ),
    # Out-of-range accesses.
    Entry(
        "packet-bounds",
        "packet data is read without comparing with its end",
        (r"invalid access to packet", r"offset is outside of the packet"),
        "Compare first: `if (data + offset + size > data_end) return …;`, with the same pointer.",
    ),
    Entry(
        "negative-index",
        "an index may be negative",
        (
            r"min value is negative",
            r"register with unbounded min value is not allowed",
            r"minimal bound for a memory access is a negative value",
        ),
        "Make the index unsigned (u32, u64), or also test `index >= 0`; the verifier must see the "
        "test on the very variable that is used.",
    ),
    Entry(
        "uninitialised-stack",
        "stack bytes are read that were never written",
        (
            r"invalid (?:indirect )?read from stack (?:R\d+ )?(?:off -?\d+\+|var_off \S+\+)",
            r"slot poisoned by dead code",
        ),
        "Set every byte first, padding too: `struct key k = {{}};` or __builtin_memset().",
    ),
    Entry(
        "stack-bounds",
        "the access leaves the stack frame",
        (r"invalid[a-z -]* stack\b", r"stack pointer arithmetic goes out of range"),
        "A frame has 512 bytes: keep the index into a local array below its length with a test or "
        "`& (LENGTH - 1)`, or keep the data in a per-CPU array map.",
    ),
    Entry(
        "out-of-range",
        "the access may lie outside its object",
        (
            r"unbounded memory access",
            r"max value is outside of the allowed memory range",
            r"min value is outside of the allowed memory range",
            r"invalid access to (?:map value|map key|memory)",
            r"invalid map_value access|invalid access to flow keys|access outside bounds",
            r"maximal bound for a memory access",
            r"makes \w+ pointer be out of bounds|pointer offset -?\d+ is not allowed",
        ),
        "Bound the index just before use: `if (i >= LENGTH) return …;`, or `i &= LENGTH - 1` for a "
        "power of two. If a test is there already, the compiler may have "
        "tested a copy: use the checked variable itself.",
    ),
    # Wrong sort of value.
    Entry(
        "uninitialised-register",
        "a value is used that was never set",
        (r"!read_ok", r"\bR\d+ is not readable", r"has never been initialized"),
        "Set the variable on every path to this line; after a call only r6 to r9 survive (this "
        "concerns inline assembly), and a function's result is undefined unless it returns one.",
    ),
    Entry(
        "pointer-arithmetic",
        "a kernel pointer is moved in a way the verifier cannot follow",
        (
            r"dereference of modified",
            r"variable \w+ access var_off=",
            r"is ptr_\w+ invalid (?:variable offset|negative access)",
            r"pointer arithmetic .*prohibited|pointer arithmetic with .* operator",
            r"math between .* pointer|32-bit pointer arithmetic|bitwise operator .* on pointer",
            r"negative offset \w+ ptr|tried to subtract pointer|subtraction from stack pointer",
            r"must have zero offset when passed",
        ),
        "Reach fields by name (`p->field`; CO-RE finds the offset). For data at a computed place "
        "copy it with bpf_probe_read_kernel(), or use bpf_core_cast() for another type.",
    ),
    Entry(
        "beyond-struct",
        "the access lies outside the kernel's struct",
        (r"access beyond struct (?P<name>\w+)", r"access beyond the end of member"),
        "The kernel's struct is not laid out as the program thinks: declare it with "
        "`__attribute__((preserve_access_index))` so that CO-RE finds its fields.",
    ),
    Entry(
        "scalar-as-pointer",
        "a plain number is used as a pointer",
        (
            r"invalid mem access '(?:scalar|inv|imm|unknown)'",
            r"is an integer scalar here",
        ),
        "The verifier has lost, or never had, the pointer behind {register}{origin}. A kernel "
        "address kept as a number is read with bpf_probe_read_kernel(), or bpf_core_cast() makes "
        "it a pointer; a pointer kept in a map must be a __kptr field.",
    ),
    Entry(
        "untrusted-pointer",
        "the kernel does not vouch for this pointer",
        (
            r"must be referenced or trusted",
            r"must be a rcu pointer",
            r"\bis scalar expected|pointer type STRUCT \w+ must point to",
            r"invalid mem access '\w*untrusted\w*'",
            r"requires an? (?:RCU-protected|trusted)",
        ),
        "Pass a callback's own argument, or a pointer got from an acquiring kfunc "
        "(bpf_task_from_pid(), bpf_task_acquire()); a field such as p->parent only between "
        "bpf_rcu_read_lock() and bpf_rcu_read_unlock().",
    ),
    Entry(
        "expired-pointer",
        "a pointer is used after its object was given back",
        (r"Reference may already be released", r"reference has not been acquired"),
        "Use the object before the call that releases it, and release it once on each path.",
    ),
)
