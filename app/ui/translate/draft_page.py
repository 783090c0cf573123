"""While files are looked through for what there is to translate: which, how far, what could not be read, Cancel."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.ui.shell.i18n import tr
from app.ui.theme import EDGE_PX, TOP_PX, Theme
from app.ui.translate.draft_files import DraftFiles
from app.ui.translate.translation_texts import segments_words
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.document_texts import short_name
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.file_to_read import FileToRead, Stage
from app.ui.widgets.names import name_widgets


class FileLine(QFrame):
    """One file."""

    removed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.name = ElidedLabel()
        self.words = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.button = text_button("", "quiet")
        self.button.clicked.connect(self.removed)
        told = QVBoxLayout()
        told.setSpacing(theme.px(2))
        told.addWidget(self.name)
        told.addWidget(self.words)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(16), theme.px(10), theme.px(10), theme.px(10))
        row.addLayout(told, 1)
        row.addWidget(self.button)
        self.name.setFont(theme.font(14, 500))
        self.words.setFont(theme.font(13))
        self.button.setFont(theme.font(13.5, 500))
        name_widgets(file_words=self.words, file_button=self.button)

    def show_file(self, one: FileToRead) -> None:
        """How far it is."""
        is_failed = one.stage is Stage.FAILED
        words = {
            Stage.FAILED: one.error,
            Stage.LOCKED: tr("It needs a password."),
            Stage.READING: tr("Looking for its text… {count}", count=segments_words(one.page)),
        }.get(one.stage, tr("Waits for its turn"))
        self.name.setText(one.name)
        self.words.setText(words)
        set_mark(self.words, "kind", "danger" if is_failed else "muted")
        self.button.setText(tr("Remove") if is_failed else tr("Cancel"))
        self.button.setAccessibleName(f"{self.button.text()}: {short_name(one.name)}")
        self.setAccessibleName(f"{one.name}: {words}")


class DraftPage(QWidget):
    """A line for each file that is not a translation yet."""

    def __init__(self, theme: Theme, files: DraftFiles) -> None:
        super().__init__()
        self._theme, self._files = theme, files
        self.lines: list[FileLine] = []
        self._shown: list[FileToRead] = []
        self._title = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        inner = QWidget()
        inner.setObjectName("page")
        self._column = QVBoxLayout(inner)
        self._column.addWidget(self._title)
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.viewport().setAutoFillBackground(False)
        scroll.setWidget(inner)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scroll)
        files.changed.connect(self.show_files)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_files(self) -> None:
        """Those that are there now."""
        if self._shown != self._files.files:
            self._write()
        for line, one in zip(self.lines, self._shown, strict=True):
            line.show_file(one)
        is_reading = self._files.is_reading
        self._title.setText(tr("Reading the documents…") if is_reading else tr("These could not be read"))

    def _write(self) -> None:
        for line in self.lines:
            self._column.removeWidget(line)
            line.hide()
            line.deleteLater()
        self._shown, self.lines = list(self._files.files), []
        for one in self._shown:
            line = FileLine(self._theme)
            line.removed.connect(lambda one=one: self._files.remove(one))
            self._column.insertWidget(self._column.count() - 1, line)
            self.lines.append(line)

    def showEvent(self, event: QShowEvent) -> None:
        # WORKAROUND: a stack polishes what it shows; fonts set between that and the next parent would be lost.
        self._on_theme_changed()
        super().showEvent(event)

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._column.setContentsMargins(px(EDGE_PX), px(TOP_PX), px(EDGE_PX), px(16))
        self._column.setSpacing(px(10))
        self._title.setFont(self._theme.font(21, 600))
        self._shown = []
        self.show_files()
