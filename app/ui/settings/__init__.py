"""Settings, log of connections, translation memory."""
