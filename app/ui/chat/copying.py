"""A turn on the clipboard: as rich text beside Markdown, as it reads, as it was written, or only its code."""

from __future__ import annotations

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

from app.ui.chat.transcript import is_answer, is_question
from app.ui.chat.turn import Turn
from app.ui.i18n import tr

COPIES = ("copy", "copy_text", "copy_markdown", "copy_code")
"""The names of the ways."""


def copy_turn(name: str, turn: Turn) -> None:
    """In one of the ways; the turn says that it was done."""
    QGuiApplication.clipboard().setMimeData(_data(name, turn))
    button = turn.row.button(tr("Copy")) if turn.row is not None else None
    if button is not None:
        button.show_done(tr("Copied"))


def _data(name: str, turn: Turn) -> QMimeData:
    from app.ui.text.clipboard import code_of, html_of, mime_data, text_of  # as in `is_answer`

    data = QMimeData()
    if is_question(turn):
        data.setText(turn.text)
    elif is_answer(turn) and name == "copy":
        data = mime_data(html_of(turn.written.pieces), turn.text)
    elif is_answer(turn):
        ways = {"copy_text": text_of, "copy_code": code_of}
        data.setText(ways[name](turn.written.pieces) if name in ways else turn.text)
    return data
