"""Markdown, and Jupyter notebooks, which hold it."""
