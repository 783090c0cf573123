"""Finds texts of a window that are not in the pseudo-language, which stand in no brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

_WORD = re.compile(r"[A-Za-z]{2,}")
_IN_BRACKETS = re.compile(r"\[[^\[\]]*\]|\[[^\[\]]*…\u2069?$")
_SAME = re.compile(
    r"\(?((Ctrl|Shift|Alt|Esc|Del|Return|Enter|F\d+)\+?)+\S*|(\S*/|hf_|git-)\S*|\S+\.(com|gguf|pdf|docx|txt|csv|md)\b"
    r"|def is_prime\(number\):"
    r"|\b(SmolLM2 135M|DuckDuckGo|English|Fireside( [\d.]+)?|Hugging Face|llama\.cpp|Ollama|LM Studio|Jan|GPT4All"
    r"|Markdown|JSON|HTML|CSV|GGUF|CPU|GPU|RPC|MCP|HTTP|HTTPS|OpenAI|Anthropic|Tesseract|Inter|GB|MB|kB|Q\d_\w+)\b"
)
"""Keys, paths, addresses, units, and names of files, formats, programs and languages are the same in every language."""


def untranslated_texts(window: QWidget) -> list[str]:
    """One line for every visible text of `window`, and every name and hint, with words but without brackets."""
    seen = [widget for widget in (window, *window.findChildren(QWidget)) if widget.isVisible()]
    return [
        f"{type(widget).__name__} {widget.objectName()} “{text[:160]}”"
        for widget in seen
        if widget.window() is window
        for text in _texts(widget)
        if _WORD.search(_SAME.sub("", _without_brackets(text)))
    ]


def _without_brackets(text: str) -> str:
    """Return what is left of a text without its translated parts, which may hold one another."""
    while (shorter := _IN_BRACKETS.sub("", text)) != text:
        text = shorter
    return text


def _texts(widget: QWidget) -> Iterator[str]:
    if isinstance(widget, QLabel | QAbstractButton):
        yield widget.text()
    elif isinstance(widget, QLineEdit | QTextEdit | QPlainTextEdit):
        yield widget.placeholderText()
    yield from (widget.toolTip(), widget.accessibleName(), widget.accessibleDescription())
