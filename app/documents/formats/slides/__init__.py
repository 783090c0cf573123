"""PowerPoint's PPTX, read and written back translated."""
