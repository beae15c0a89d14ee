"""``scxhid bench selfcheck``: does a benchmark on this machine say what is true?

The kernel's own scheduler against itself, and against itself with 5 % more work to do. What is
measured is here, and what follows from it in ``vm.stats.selfcheck``.
"""
