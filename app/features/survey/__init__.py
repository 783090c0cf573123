"""Questions about whole documents: recognised, and answered by reading all of them."""
