"""The program's features, without Qt: generators of typed events."""
