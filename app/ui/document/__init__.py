"""Documents in the window: files that were given, and the one view that shows a document at a place in it."""
