"""Text views: Markdown parsed while it streams, and drawn piece by piece."""
