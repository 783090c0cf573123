"""Pages that are pictures, and figures, become blocks: by tesseract or by a model that sees, as a stored job."""
