"""The Chat tab: transcript, composer, and Markdown drawn piece by piece."""
