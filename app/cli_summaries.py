"""`summarize FILE…` and `evaluate summarize` in the terminal."""
