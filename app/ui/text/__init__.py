"""Texts as they are shown: Markdown understood while it grows, and drawn piece by piece."""
