"""Result files: every run of a benchmark with its conditions, read and written."""
