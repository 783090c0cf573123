"""Files in, blocks out: every common file becomes blocks with a place, read in a child that may be killed."""
