"""Tool tips of what others wrote: Qt reads what looks like HTML as HTML, and would also load the pictures in it."""

from __future__ import annotations

from html import escape

from PySide6.QtGui import Qt


def plain_tip(text: str) -> str:
    """A tip that shows the text as it is, be it a file's name or a document's title."""
    if not Qt.mightBeRichText(text):
        return text
    return f'<p style="white-space: pre-wrap">{escape(text)}</p>'
