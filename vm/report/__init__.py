"""Results told to people: a table on the terminal, a page with plots, a summary, a baseline.

What is said of differences comes from ``vm.stats``; nothing here estimates or tests anything.
"""
