"""What pages, books and OpenDocument have in common: tags in a text, and stretches of it between them."""
