"""What the app does: generators of typed events, without Qt."""
