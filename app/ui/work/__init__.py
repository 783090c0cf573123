"""Frame of tabs with stored jobs, used by Summarize and Translate."""
