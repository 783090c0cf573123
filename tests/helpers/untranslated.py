"""Finds texts of a window that are not in the pseudo-language, which stand in no brackets."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

from app.store.database import Database

_WORD = re.compile(r"\b[A-Za-z]{2,}\b")
_IN_BRACKETS = re.compile(r"\[[^\[\]]*\]|\[[^\[\]]*…\u2069?$")
_SAME = re.compile(
    r"\(?((Ctrl|Shift|Alt|Esc|Del|Return|Enter|F\d+)\+?)+\S*|(\S*/|hf_|git-)\S*|\S+\.(com|gguf|pdf|docx|txt|csv|md)\b"
    r"|def is_prime\(number\):|uvx mcp-server-time|API_KEY="
    r"|\b\d{1,2} [A-Z][a-z]{2} \d{4}\b|\b\d{1,2}:\d\d\s[AP]M\b|[^\s:]+ +(< )?[\d.]+ %"
    r"|\b(SmolLM2 135M|DuckDuckGo|English|Fireside( [\d.]+)?|Hugging Face|llama\.cpp|Ollama|LM Studio|Jan|GPT4All"
    r"|vLLM|llama|Markdown|JSON|HTML|CSV|GGUF|CPU|GPU|RPC|MCP|HTTP|HTTPS|OpenAI|Anthropic|Tesseract|Inter|GB|MB|kB|Q\d_\w+)\b"
)
"""Keys, paths, addresses, units, and names of files, formats, programs and languages are the same in every language.

Dates are those of the locale's own; before a percentage stands a model's token.
"""


_PARTS = re.compile(r"[\n·:;,|=•“”\"()\[\]{}→‹›«»…\u2066-\u2069]+|&nbsp|<[^<>]*>|(?<=[.!?]) ")
_SIGNS = re.compile(r"[*_`#\\\u200b\u200e\u200f\u00ad]|\s+")


def untranslated_texts(window: QWidget, content: str = "") -> list[str]:
    """One line for every visible text of `window`, and every name and hint, with words but without brackets.

    What stands in `content` is no text of the program (see `content_of`).
    """
    seen = [widget for widget in (window, *window.findChildren(QWidget)) if widget.isVisible()]
    return [
        f"{type(widget).__name__} {widget.objectName()} “{text[:160]}”: {part.strip()}"
        for widget in seen
        if widget.window() is window
        for text in _texts(widget)
        for part in _PARTS.split(_SAME.sub("\n", _without_brackets(text)))
        if _WORD.search(part) and _plain(part) not in content
    ]


def content_of(database: Database, *more: str) -> str:
    """Return what a person's data says, and `more`, as `untranslated_texts` compares it."""
    with database.reading() as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = [*more]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                found += [value for value in row if isinstance(value, str)]
    return "\n".join(map(_plain, found))


def literals_in(path: Path) -> list[str]:
    """Return the texts in a file of Python."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _plain(text: str) -> str:
    """Return a text without signs of Markdown, invisible ones and more than one blank."""
    return " ".join(_SIGNS.sub(" ", text.replace("\u200b", "").replace("&&", "&")).split()).strip(" .!?-–/")


def _without_brackets(text: str) -> str:
    """Return what is left of a text without its translated parts, which may hold one another."""
    while (shorter := _IN_BRACKETS.sub("\n", text)) != text:
        text = shorter
    return text


def _texts(widget: QWidget) -> Iterator[str]:
    if isinstance(widget, QLabel | QAbstractButton):
        yield widget.text()
    elif isinstance(widget, QLineEdit | QTextEdit | QPlainTextEdit):
        yield widget.placeholderText()
    yield from (widget.toolTip(), widget.accessibleName(), widget.accessibleDescription())
