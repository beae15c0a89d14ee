"""The home of the Textual screen, and of nothing that a script would need. There is none yet."""
