"""Pictures, whose text tesseract reads."""
