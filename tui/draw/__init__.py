"""Figures as characters: pure functions, which know no widget."""
