"""Chats that leave and come, and backups of everything, in the window: what is asked, shown and told."""
