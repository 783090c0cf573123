"""What was read from the picture of a page, beside it: to be compared, and corrected."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.core.events import CancelToken
from app.features.messages import model_words
from app.features.page_reading.corrections import Corrections, GivenUp
from app.store.documents import StoredDocument
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_text_font, text_button
from app.ui.widgets.labels import announce, plain_label


class PageReading(QFrame):
    """The text of one page, as Markdown. A page that nobody has read can be typed off."""

    renewed = Signal(int, int)
    """A document, and the one that has taken its place with what was corrected."""

    def __init__(self, theme: Theme, notify: Notify, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notify = notify
        self._corrections: Corrections | None = None
        self._document_id = self._page = 0
        self._kept, self._is_corrected = "", False
        self.setObjectName("page_reading")
        self.who = plain_label(kind="muted", wraps=True)
        self.edit = QPlainTextEdit()
        self.edit.setObjectName("read_text")
        self.edit.setFrameShape(QFrame.Shape.NoFrame)
        self.edit.setTabChangesFocus(True)
        self.edit.setAccessibleName(tr("What was read from the picture"))
        self.save = text_button(tr("Save"), "primary")
        self.undo = text_button(tr("Discard changes"), "quiet")
        self.give_up = text_button(tr("Undo my corrections"), "quiet")
        self.give_up.setAccessibleName(tr("Undo my corrections of this page"))
        self.save.clicked.connect(self._on_save)
        self.give_up.clicked.connect(self._on_give_up)
        self.undo.clicked.connect(lambda: self.edit.setPlainText(self._kept))
        self.edit.textChanged.connect(self._show_buttons)
        row = QHBoxLayout()
        row.addWidget(self.give_up)
        row.addStretch(1)
        row.addWidget(self.undo)
        row.addWidget(self.save)
        column = QVBoxLayout(self)
        column.addWidget(self.who)
        column.addWidget(self.edit, 1)
        column.addLayout(row)
        theme.dress(column, margins=(16, 12, 16, 12), spacing=8)
        theme.dress(row, spacing=8)
        theme.dress(self.who, font=(13, 400))
        theme.dress(self.save, self.undo, self.give_up, font=(13, 500))
        theme.changed.connect(lambda: set_text_font(self.edit, theme.font(14)))
        set_text_font(self.edit, theme.font(14))

    @property
    def is_changed(self) -> bool:
        """Whether something was typed that is not saved."""
        return self._corrections is not None and self.edit.toPlainText() != self._kept

    def show_page(self, corrections: Corrections | None, document_id: int, page: int) -> None:
        """Another page; what was typed on the one before and not saved is saved now."""
        if self.is_changed and (document_id, page) != (self._document_id, self._page):
            self._on_save()
        self._corrections, self._document_id, self._page = corrections, document_id, page
        self._kept, self._is_corrected = "", False
        with self._notify.guard():
            self._is_corrected = corrections is not None and _is_corrected(corrections, page)
            self._kept = corrections.text_of(page) if corrections is not None else ""
            self.who.setText(self._words())
        if self.edit.toPlainText() != self._kept:  # or the cursor would jump to the beginning
            self.edit.setPlainText(self._kept)
        self._show_buttons()

    def _words(self) -> str:
        reading = self._corrections.readings.get(self._page) if self._corrections is not None else None
        if reading is None:
            return tr("Nothing was read from a picture on this page. You can type it off.")
        if reading.is_edited:
            return tr("Corrected by you. It stays, whatever reads the page again.")
        return tr(
            "Read from the picture by {way}. What you correct here is used everywhere.",
            way=model_words(reading.model) or reading.method,
        )

    def _show_buttons(self) -> None:
        for button in (self.save, self.undo):
            button.setEnabled(self.is_changed)
        self.undo.setVisible(self.is_changed)
        self.give_up.setVisible(self._is_corrected)
        self.give_up.setEnabled(not self.is_changed)

    def _on_save(self) -> None:
        corrections, page, text, earlier = self._corrections, self._page, self.edit.toPlainText(), self._document_id
        if corrections is None:
            return
        if self.save.hasFocus():
            self.edit.setFocus()
        self._kept = text
        self._show_buttons()

        def correct(cancel: CancelToken) -> StoredDocument | None:
            return corrections.correct(page, text, cancel)

        tasks.ask(correct, self, lambda document: self._on_saved(earlier, document), self._notify.error)

    def _on_saved(self, earlier_id: int, document: StoredDocument | None) -> None:
        if document is not None:
            announce(self, tr("Saved"))
            self.renewed.emit(earlier_id, document.id)

    def _on_give_up(self) -> None:
        corrections, page, earlier = self._corrections, self._page, self._document_id
        if corrections is None:
            return
        self._is_corrected = False
        self._show_buttons()
        self.edit.setFocus()

        def on_given_up(given_up: GivenUp | None) -> None:
            if given_up is None:
                return
            is_read = given_up.correction.before is not None
            words = tr("Page {page} is as it was read.") if is_read else tr("What you typed off page {page} is gone.")
            self._notify.undo(words.format(page=page), lambda: self._take_back(corrections, given_up))
            self.renewed.emit(earlier, given_up.document.id)

        tasks.ask(lambda _: corrections.give_up(page), self, on_given_up, self._notify.error)

    def _take_back(self, corrections: Corrections, given_up: GivenUp) -> None:
        def on_taken_back(document: StoredDocument) -> None:
            self.renewed.emit(given_up.document.id, document.id)

        tasks.ask(lambda _: corrections.take_back(given_up), self, on_taken_back, self._notify.error)


def _is_corrected(corrections: Corrections, page: int) -> bool:
    reading = corrections.readings.get(page)
    return reading is not None and reading.is_edited
