"""The Chat tab: transcript, composer, documents beside both, and what one chat sets itself."""
