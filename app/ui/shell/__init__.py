"""The window around the tabs: frame, tabs, left column, notices, tasks, what starts and ends it."""
