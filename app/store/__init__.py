"""Conversations in SQLite; no widgets, no engine."""
