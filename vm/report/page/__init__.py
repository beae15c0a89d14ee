"""The page that ``bench report`` writes: one file that needs no other, and the data beside it."""
