"""Finds texts of a window that are not in the pseudo-language, which stand in no brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

_WORD = re.compile(r"[A-Za-z]{2,}")
_SAME = re.compile(
    r"((Ctrl|Shift|Alt)\+)+\S+|(/|https?:|hf_)\S*|Fireside [\d.]+|DuckDuckGo|English|\S+\.(gguf|pdf|docx|txt|csv)"
    r"|def is_prime.*"
)
"""Keys, paths, addresses, code, and names of files, programs and languages are the same in every language."""


def untranslated_texts(window: QWidget) -> list[str]:
    """One line for every visible text of `window`, and every name and hint, with words but without brackets."""
    seen = [widget for widget in (window, *window.findChildren(QWidget)) if widget.isVisible()]
    return [
        f"{type(widget).__name__} {widget.objectName()} “{text[:60]}”"
        for widget in seen
        if widget.window() is window
        for text in _texts(widget)
        if "[" not in text and _WORD.search(text) and not _SAME.fullmatch(text)
    ]


def _texts(widget: QWidget) -> Iterator[str]:
    if isinstance(widget, QLabel | QAbstractButton):
        yield widget.text()
    elif isinstance(widget, QLineEdit | QTextEdit | QPlainTextEdit):
        yield widget.placeholderText()
    yield from (widget.toolTip(), widget.accessibleName(), widget.accessibleDescription())
