"""What panes are made of: each draws one figure of a snapshot, line by line."""
