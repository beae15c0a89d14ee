"""The home of the command `scxhid top`, and of the screen that it will open."""
