"""Finding, downloading and keeping models."""
