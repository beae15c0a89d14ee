"""How fast it is, against what it could be: ``python -m vm.bench [SUITE …]``.

Each figure is measured beside its baseline in one run, in turns, and both are medians: what
counts is the ratio, which a busy or an emulated machine changes little.
"""
