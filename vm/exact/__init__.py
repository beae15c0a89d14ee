"""Exact runs: a guest whose samples are the same, bit for bit, whenever it runs.

QEMU counts instructions in place of time, the guest is one static program in an initramfs, and all
chance comes from a seed. ``run.cell`` measures one scheduler on one machine under one seed.
"""
