"""What a screen or a script is shown of the machine: one immutable value for each moment."""
