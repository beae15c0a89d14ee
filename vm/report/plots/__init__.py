"""Plots of result documents, drawn by matplotlib into SVG that a page's style sheet colours.

matplotlib comes with the extra ``report`` and is imported where a plot is drawn.
"""
