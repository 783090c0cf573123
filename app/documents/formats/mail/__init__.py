"""Mails: as they are sent, and as Outlook keeps them."""
