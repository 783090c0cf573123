"""Chats on paper: PDF files and prints."""
