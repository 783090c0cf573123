"""Editor of a page's recognized text."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout

from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass
from app.features.document_messages import reader_words
from app.features.page_reading.corrections import GivenUp, PageCorrections
from app.store.document_store import StoredDocument
from app.ui.i18n import tr
from app.ui.shared_labels import SAVE
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.text.formats import selected_text
from app.ui.theme import Theme
from app.ui.utf16 import utf16_length
from app.ui.widgets.buttons import set_text_font, text_button
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import fill_layout

CORRECTED_PAGE = "Corrected by you. Your text is kept even if the page is read again."
SAVED_NOTE = "Saved"


def _behind(cursor: QTextCursor) -> str:
    """Return the text from a cursor to the end."""
    cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
    return selected_text(cursor)


@dataclass
class PageCorrection:
    """Typed text of a page on its way to the store. `before` is the text stored until then."""

    corrections: PageCorrections
    document_id: int
    page: int
    text: str
    before: str


class PageReadingPane(QFrame):
    """Editor of a page's recognized text, as Markdown; unread pages can be typed."""

    def __init__(self, theme: Theme, notify: Notify, *, on_renewed: Callable[[int, int], object]) -> None:
        super().__init__()
        self.on_renewed = on_renewed
        """Ids of a document and of its corrected version, which replaces it."""
        self._notify = notify
        self._corrections: PageCorrections | None = None
        self._document_id = self._page = 0
        self._stored_text, self._is_corrected = "", False
        self._unsaved: dict[tuple[int, int], str] = {}
        """Text of pages left before it could be saved, by document id and page."""
        self._unconfirmed: list[PageCorrection] = []
        self._waiting: deque[PageCorrection] = deque()
        """Corrections not being saved yet; the thread takes them from here."""
        # In turn, so that an older correction can't overwrite a newer one.
        self._saving = tasks.RepeatedTask(self._work, self, on_event=lambda told: self._on_saved(*told))
        self.setObjectName("page_reading")
        self.who = theme.dress(plain_label(kind="muted", wraps=True), font="small")
        self.edit = QPlainTextEdit()
        self.edit.setObjectName("read_text")
        self.edit.setFrameShape(QFrame.Shape.NoFrame)
        self.edit.setTabChangesFocus(True)
        self.edit.setAccessibleName(tr("Text from the picture"))
        self.save = text_button(tr(SAVE), "primary", on_click=self._on_save)
        self.undo = text_button(
            tr("Discard changes"), "quiet", on_click=lambda: self.edit.setPlainText(self._stored_text)
        )
        self.give_up = text_button(tr("Undo my corrections"), "quiet", on_click=self._on_give_up)
        self.give_up.setAccessibleName(tr("Undo my corrections of this page"))
        self.edit.textChanged.connect(self._show_buttons)
        row = theme.dress(fill_layout(QHBoxLayout(), self.give_up, 1, self.undo, self.save), spacing=8)
        theme.dress(fill_layout(QVBoxLayout(self), self.who, (self.edit, 1), row), margins=(16, 12, 16, 12), spacing=8)
        theme.dress(self.save, self.undo, self.give_up, font="control")
        self._theme = theme
        theme.changed.connect(self._set_font)
        self._set_font()

    def _set_font(self) -> None:
        set_text_font(self.edit, self._theme.font("row"))

    @property
    def is_changed(self) -> bool:
        """True if typed text isn't on its way to the store yet."""
        return self._corrections is not None and self.edit.toPlainText() != self._stored_text

    def show_page(self, corrections: PageCorrections | None, document_id: int, page: int) -> None:
        """Show another page; unsaved text of the one before is saved first."""
        if (document_id, page) != (self._document_id, self._page):
            self.save_edits()
        self._show(corrections, document_id, page)

    def take_over(self, corrections: PageCorrections | None, document_id: int) -> None:
        """Switch to a newer reading of the file; unsaved text is kept and will be saved to that."""
        for correction in self._unconfirmed:
            if correction.document_id == self._document_id:
                correction.document_id = document_id
        if self.is_changed:
            self._unsaved[document_id, self._page] = self.edit.toPlainText()
        self._show(corrections, document_id, self._page)

    def _show(self, corrections: PageCorrections | None, document_id: int, page: int) -> None:
        stays = page == self._page
        self._corrections, self._document_id, self._page = corrections, document_id, page
        # Stays like this where the store fails, so that no other page's text is shown or saved.
        self._stored_text, self._is_corrected = "", False
        with self._notify.guard():
            self._is_corrected = corrections is not None and _is_corrected(corrections, page)
            self._stored_text = corrections.text_of(page) if corrections is not None else ""
            self.who.setText(self._state_words())
        shown = self._unsaved.pop((document_id, page), self._stored_text)
        if self.edit.toPlainText() != shown:  # setting it would move the cursor to the start
            left = _behind(self.edit.textCursor())
            self.edit.setPlainText(shown)
            if stays and shown.endswith(left):  # the corrections were normalized, possibly above the cursor
                cursor = self.edit.textCursor()
                cursor.movePosition(QTextCursor.MoveOperation.End)
                cursor.setPosition(cursor.position() - utf16_length(left))
                self.edit.setTextCursor(cursor)
        self._show_buttons()

    def save_edits(self) -> None:
        if self.is_changed:
            self._on_save()

    def _state_words(self) -> str:
        reading = self._corrections.readings.get(self._page) if self._corrections is not None else None
        if reading is None:
            return tr("No text was read from this page. You can type it yourself.")
        if reading.is_edited:
            return tr(CORRECTED_PAGE)
        return tr(
            "Read from the picture by {way}. Your corrections are used everywhere.",
            way=reader_words(reading.method, reading.model),
        )

    def _show_buttons(self) -> None:
        for button in (self.save, self.undo):
            button.setEnabled(self.is_changed)
        self.undo.setVisible(self.is_changed)
        self.give_up.setVisible(self._is_corrected)
        self.give_up.setEnabled(not self.is_changed)

    def _on_save(self) -> None:
        corrections, text = self._corrections, self.edit.toPlainText()
        if corrections is None:
            return
        # A button that becomes disabled passes the focus to any widget.
        if self.save.hasFocus():
            self.edit.setFocus()
        correction = PageCorrection(corrections, self._document_id, self._page, text, before=self._stored_text)
        # Counts as saved from now on; `_on_saved` takes that back if it failed.
        self._stored_text = text
        self._show_buttons()
        self._unconfirmed.append(correction)
        self._waiting.append(correction)
        self._saving.start()

    def _work(self, _cancel: CancelToken) -> Iterator[tuple[PageCorrection, StoredDocument | Exception | None]]:
        # Not cancellable: it takes a moment, and the window may be closing.
        while self._waiting:
            correction = self._waiting.popleft()
            outcome: StoredDocument | Exception | None
            try:
                outcome = correction.corrections.correct_page(correction.page, correction.text, CancelToken())
            except Exception as error:  # noqa: BLE001 (told with what it is about)
                outcome = error
            yield correction, outcome

    def _on_saved(self, correction: PageCorrection, outcome: StoredDocument | Exception | None) -> None:
        self._unconfirmed.remove(correction)
        if isinstance(outcome, Exception):
            self._notify.error(outcome)
            # The page was left meanwhile, so its text waits until it is shown again.
            if (self._document_id, self._page) != (correction.document_id, correction.page):
                self._unsaved[correction.document_id, correction.page] = correction.text
            elif self._stored_text == correction.text:
                self._stored_text = correction.before
                self._show_buttons()
        elif outcome is not None:
            announce(self, tr(SAVED_NOTE))
            # Corrections still waiting belong to the version that was just made.
            for later in self._unconfirmed:
                if later.document_id == correction.document_id:
                    later.document_id = outcome.id
            self.on_renewed(correction.document_id, outcome.id)

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
            words = (
                tr("Page {page} was reset to the text as read.")
                if is_read
                else tr("Discarded what you typed from page {page}.")
            )
            self._notify.undo(words.format(page=page), lambda: self._take_back(corrections, given_up))
            self.on_renewed(earlier, given_up.document.id)

        tasks.ask(lambda _: corrections.give_up(page), self, on_given_up, self._notify.error)

    def _take_back(self, corrections: PageCorrections, given_up: GivenUp) -> None:
        def on_taken_back(document: StoredDocument) -> None:
            self.on_renewed(given_up.document.id, document.id)

        tasks.ask(lambda _: corrections.take_back(given_up), self, on_taken_back, self._notify.error)


def _is_corrected(corrections: PageCorrections, page: int) -> bool:
    reading = corrections.readings.get(page)
    return reading is not None and reading.is_edited
