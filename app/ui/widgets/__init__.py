"""Generic widgets that know the theme and nothing of what the app does."""
