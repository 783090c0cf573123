"""PDF: lines with their places become blocks in reading order."""
