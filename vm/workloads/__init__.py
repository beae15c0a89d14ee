"""Workloads: what is run under each scheduler, one file each, which declares what it measures.

A new one is one new file here, or anywhere: ``--workload FILE.py``. Its ``WORKLOAD`` is a
``vm.workloads.model.Workload``.
"""
