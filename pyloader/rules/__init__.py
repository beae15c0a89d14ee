"""Rules of the scheduler ``layers``: from a TOML file to the map that it reads.

``model``: what a file says, typed. ``read``: the file, checked. ``cpus``: sets of CPUs.
``patterns``: names with stars. ``shadow``: rules that never decide. ``hints``: such as fit
nothing just now. ``table``: the map's encoding. ``apply``: putting it into force, and what
has been counted since.
"""
