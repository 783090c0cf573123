"""Chats that leave for files and come from files, ours and other programs'."""
