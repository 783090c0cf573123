"""What goes on in a model: its tokens and how sure it is of them, what attends to what, its parts, and its figures."""
