"""A question about a whole document: told from others, and answered by going through all of it."""
