"""What may be said of runs, and how sure it is. Numpy only, and nothing that measures.

The unit is the run, never a sample inside one: samples of one run depend on each other.
"""
