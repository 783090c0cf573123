"""Answers for other programs, whichever API they speak."""
