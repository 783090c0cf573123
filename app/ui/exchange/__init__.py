"""Export and import of chats, and backups."""
