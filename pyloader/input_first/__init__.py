"""Input first: the scheduler knows which task a key press is for.

A program (``schedulers/input/mark.bpf.c``) that sees reports handed out marks the tasks that they
wake, and those whom these wake; schedulers read the marks (``schedulers/include/input.h``).
"""
