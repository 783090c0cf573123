"""Passages of documents: found by words and meaning, chosen for a prompt, cited by an answer."""
