"""keyd's configurations: read, and turned into remap files as far as that goes.

keyd's format is that of its manual page keyd(1), release 2.5.0; what becomes of each part of it is
told in docs/reference/keyd.md.
"""
