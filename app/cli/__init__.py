"""The terminal face, without Qt: one module a command, on the same features as the window."""
