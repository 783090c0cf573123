"""Word's DOCX, read and written back translated, and RTF, which is read."""
