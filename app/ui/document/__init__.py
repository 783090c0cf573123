"""Documents in the window: files being read, and the view that shows a document at a place in it."""
