"""Word, PowerPoint and Excel formats in common: packages, runs of text, drawings."""
