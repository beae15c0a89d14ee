"""Kernels fetched, virtual machines started, commands and tests run inside them."""
