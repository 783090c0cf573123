"""Recordings, as far as a reader of text gets with them: a model has to hear them (`app.features.hearing`)."""

from __future__ import annotations

from collections.abc import Iterator

from app.documents.source import Item, Source


def read(source: Source) -> Iterator[Item]:
    """Raises DocumentUnreadable ("sound")."""
    yield from ()
    raise source.unreadable("sound")
