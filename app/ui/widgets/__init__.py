"""Generic widgets that know the theme, but nothing of the program's features."""
