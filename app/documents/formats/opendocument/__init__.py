"""OpenDocument texts, sheets and presentations, read and written back translated."""
