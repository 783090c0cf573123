"""Models that run on other servers: which are known, what they can do, and an engine that asks them."""
