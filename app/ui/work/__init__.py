"""The frame of a tab in which stored jobs are made: the Summarize tab and the Translate tab stand on it."""
