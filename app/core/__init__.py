"""Vocabulary shared by everything: values, errors, folders, settings, child processes."""
