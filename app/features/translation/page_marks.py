"""What a document's pages are called in a new one, and what stands in front of what is not translated."""

from __future__ import annotations

NOT_TRANSLATED = "⟦not translated⟧ "
"""In a document that is saved before all of it is translated, in front of each segment that is not."""


def page_label(unit: str, page: int) -> str:
    """Such as "p. 12" or "slide 3"."""
    return f"p. {page}" if unit in ("", "page") else f"{unit} {page}"
