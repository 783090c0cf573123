"""A small window for what keeps Fireside from starting: a sentence, what was kept, what can be done."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout

from app import APP_NAME
from app.features.messages import sentence_for
from app.ui.i18n import breakable, tr
from app.ui.shell.desktop import copy_text, open_folder
from app.ui.shell.notify import describe
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button


class StartupProblem(QDialog):
    """Accepted: try again. Rejected: quit."""

    def __init__(self, theme: Theme, error: BaseException, folder: Path) -> None:
        super().__init__()
        self.setObjectName("startup_problem")
        self.setWindowTitle(APP_NAME)
        sentence = sentence_for(error)
        px = theme.px
        self.setMinimumWidth(px(480))
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(24), px(24), px(20))
        column.setSpacing(px(8))
        said = QLabel(breakable(tr(sentence.text)), textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        said.setFont(theme.font(15, 600))
        column.addWidget(said)
        kept = QLabel(tr(sentence.kept), textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        kept.setProperty("kind", "muted")
        kept.setVisible(bool(sentence.kept))
        column.addWidget(kept)
        column.addSpacing(px(16))
        row = QHBoxLayout()
        row.setSpacing(px(8))
        details = text_button(tr("Copy details"), "quiet")
        details.clicked.connect(lambda: copy_text(describe(error)))
        show_folder = text_button(tr("Open folder"))
        show_folder.clicked.connect(lambda: open_folder(folder))
        quit_button = text_button(tr("Quit"))
        quit_button.clicked.connect(self.reject)
        again = text_button(tr("Try again"), "primary")
        again.clicked.connect(self.accept)
        again.setDefault(True)
        row.addWidget(details)
        row.addStretch(1)
        for button in (show_folder, quit_button, again):
            row.addWidget(button)
        column.addLayout(row)
