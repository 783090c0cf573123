"""Tagged text in common for web pages, books and OpenDocument."""
