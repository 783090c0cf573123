"""Asks before a very large file is read: how large it is, and about how long that takes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.ui.shell.i18n import size_text, tr, window_title
from app.ui.theme import Theme
from app.ui.widgets.document_texts import short_name
from app.ui.widgets.question_dialog import QuestionDialog

LARGE_BYTES = 100_000_000
BYTES_PER_MINUTE = 300_000_000
"""A plain text into the store, on two cores; other formats have fewer words to the byte."""


class LargeFile(QuestionDialog):
    """`read_wanted`; closed otherwise, the file is not attached."""

    read_wanted = Signal()

    def __init__(self, theme: Theme, name: str, size_bytes: int, parent: QWidget) -> None:
        minutes = max(1, round(size_bytes / BYTES_PER_MINUTE))
        time = tr("about a minute") if minutes == 1 else tr("about {count} minutes", count=minutes)
        words = tr(
            "Reading it takes {time}, and its text as much room on the disk again. You can go on meanwhile.", time=time
        )
        title = tr("{name} is {size}.", name=short_name(name), size=size_text(size_bytes))
        super().__init__(theme, title, words, parent)
        self.setObjectName("large_file")
        self.setWindowTitle(window_title(tr("A large file")))
        self.add_choice(tr("Read it"), self.read_wanted.emit, "primary")


def size_of(path: Path) -> int:
    """0 where it cannot be told: reading it will say why."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
