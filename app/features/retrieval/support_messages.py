"""What a claim checker found no support for, in the user's words."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.catalogue import tr
from app.core.joined_texts import join_entries

NO_SUPPORT = "The checker found no support for {words}."
NO_SUPPORT_AND_MORE = "The checker found no support for {words} and {count} more."


def unsupported_words(parts: Sequence[str], more: int = 0) -> str:
    """Quote the parts of a text without support, and count the rest; "" for none."""
    words = join_entries(f"“{part}”" for part in parts)
    return tr(NO_SUPPORT_AND_MORE if more else NO_SUPPORT, words=words, count=more) if words else ""
