"""View of any document: pages as pictures or text, the cited sentence highlighted, recognized text editable."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QTextCursor
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.core.events import CancelToken
from app.documents.blocks import Block
from app.features.document_messages import reader_words
from app.features.page_reading.corrections import GivenUp, PageCorrections
from app.features.shown_document import ShownDocument, TextHighlight
from app.store.document_store import StoredDocument
from app.ui.document.document_card import DocumentCard
from app.ui.document.document_page import ZOOMS, PagePane
from app.ui.document.document_text import MOST_SAID, DocumentText, no_text_words, said_of
from app.ui.document.header import DocumentHeader, page_words
from app.ui.document.marks import areas_on, page_of, span_of
from app.ui.i18n import tr
from app.ui.shared_labels import DOCUMENT_LABEL, SAVE, TEXT_LABEL
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.text.formats import selected_text
from app.ui.text.search_row import TextSearchRow
from app.ui.theme import Theme
from app.ui.utf16 import utf16_length
from app.ui.widgets.buttons import set_text_font, text_button
from app.ui.widgets.dialogs import file_dialog
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import fill_layout

CORRECTED_PAGE = "Corrected by you. Your text is kept even if the page is read again."
SAVED_NOTE = "Saved"

COMPARED_PX = 636
"""From this width on, a page and its recognized text are side by side."""
ALT, CONTROL, NO_MODIFIER = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.NoModifier,
)
TURN_KEYS = (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End)


class OpenDocument:
    """The open document with its current page and blocks. Errors of the store are shown."""

    def __init__(self, document: ShownDocument, notify: Notify) -> None:
        self.document, self._notify = document, notify
        self.page = 0
        """From 1; 0 in documents without pages."""
        self.blocks: list[Block] = []
        """Blocks of the page; empty in documents without pages."""

    def go_to(self, page: int) -> None:
        self.page = page
        self.blocks = self._ask(lambda: self.document.blocks_of_page(page)) if page else []

    def has_page(self, page: int) -> bool:
        return bool(self.page) and 1 <= page <= self.document.pages

    def block_of(self, mark: TextHighlight) -> Block | None:
        """Return the block of a mark, on whatever page it is."""
        return next(iter(self._ask(lambda: self.document.read_blocks(mark.block_id, 1))), None)

    def span(self) -> tuple[int, int] | None:
        """Return the first and last block of the readable text; None if there is none."""
        if self.page:
            return (self.blocks[0].id, self.blocks[-1].id) if self.blocks else None
        return (1, self.document.block_count) if self.document.block_count else None

    def position_words(self) -> str:
        """Return the position: page of pages, or the name for documents without pages."""
        if not self.page:
            return self.document.name
        return page_words(self.document.unit, self.page, self.document.pages)

    def _ask(self, ask: Callable[[], list[Block]]) -> list[Block]:
        with self._notify.guard():
            return ask()
        return []


class PagePanes(QSplitter):
    """Page picture and recognized text, side by side if there is room, else stacked."""

    renewed = Signal(int, int)

    def __init__(self, theme: Theme, notify: Notify, picture: QWidget) -> None:
        super().__init__()
        self._theme, self._notify = theme, notify
        self.setObjectName("comparing")
        self.setHandleWidth(1)
        self.setChildrenCollapsible(False)
        self.addWidget(picture)

    @cached_property
    def reading(self) -> PageReadingPane:
        """Pane of recognized text, built on first use and hidden at first."""
        # Few documents have any.
        reading = PageReadingPane(self._theme, self._notify)
        reading.renewed.connect(self.renewed)
        reading.hide()
        self.addWidget(reading)
        return reading

    @property
    def is_comparing(self) -> bool:
        # Asking must not build the pane.
        return "reading" in self.__dict__ and not self.reading.isHidden()

    def show_reading(self, is_shown: bool) -> None:
        was_shown = self.is_comparing
        if is_shown or was_shown:
            self.reading.save_edits()
            self.reading.setVisible(is_shown)
        self._arrange(is_new=is_shown and not was_shown)

    def show_page(self, corrections: PageCorrections | None, document_id: int, page: int) -> None:
        """Show a page's recognized text, if that pane is open."""
        if self.is_comparing:
            self.reading.show_page(corrections, document_id, page)

    def take_over(self, corrections: PageCorrections | None, document_id: int) -> None:
        """Switch to a newer reading of the same file."""
        if self.is_comparing:
            self.reading.take_over(corrections, document_id)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self, *, is_new: bool = False) -> None:
        """Split the room in half, until the user moves the divider."""
        is_wide = self.width() >= self._theme.px(COMPARED_PX)
        orientation = Qt.Orientation.Horizontal if is_wide else Qt.Orientation.Vertical
        if is_new or orientation != self.orientation():
            self.setOrientation(orientation)
            # Equal, and more than there is: Qt scales both to the room.
            self.setSizes([1_000_000] * 2)


class DocumentView(DocumentCard):
    """View of one document at a time. `closed` is emitted when the user closes it."""

    closed = Signal()
    renewed = Signal(int, int)
    """Ids of a document and of its corrected version, which replaces it."""

    def __init__(self, theme: Theme, notify: Notify, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._notify = notify
        self._corrections: PageCorrections | None = None
        self._document_id = 0
        self._open: OpenDocument | None = None
        self.mark: TextHighlight | None = None
        """The requested mark."""
        self._found: TextHighlight | None = None
        """The current search hit, shown instead of `mark`."""
        self._text_page = -1
        self.setObjectName("document_view")
        self.setAccessibleName(tr("Document"))
        self.header = DocumentHeader(theme)
        self.search = TextSearchRow(theme)
        self.search.hide()
        self.note = theme.dress(plain_label(wraps=True), font=(13, 400), margins=(14, 0, 14, 8))
        self.note.setObjectName("document_note")
        self._pane = PagePane(theme, notify)
        self._area = self._pane.area
        self._text = DocumentText(theme)
        self._stack = QStackedWidget()
        self._stack.setMinimumHeight(1)  # so that the header keeps its height in a low window
        self.set_content(self._stack)
        self._page_panes = PagePanes(theme, notify, self._pane)
        self._page_panes.renewed.connect(self.renewed)
        fill_layout(self._stack, self._page_panes, self._text)
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 2, 2, 2)
        column.setSpacing(0)
        for widget in (self.header, self.search, self.note):
            column.addWidget(widget)
        column.addWidget(self._stack, 1)
        theme.changed.connect(self.update)
        self._connect()

    def _connect(self) -> None:
        self.header.turn_wanted.connect(self.turn)
        self.header.text_wanted.connect(lambda is_text: self.show_form(is_text=is_text))
        self.header.zoom_wanted.connect(self._area.zoom_by)
        self._area.zoom_changed.connect(self._show_zoom)
        self.header.search_wanted.connect(self.begin_search)
        self.header.save_wanted.connect(lambda: self.document and ask_where_to_save(self, self.document, self._notify))
        self.header.close_wanted.connect(self._on_close)
        self.search.hits_changed.connect(self._show_marks)
        self.search.chosen.connect(self._on_found)
        self.search.failed.connect(self._notify.error)
        self.search.left.connect(self._end_search)
        for form in (self._area, self._text):
            form.turn_wanted.connect(self.turn)
            form.end_wanted.connect(self._on_end_wanted)
            self.watch_focus_of(form)
        self._text.moved.connect(self._show_where)
        self._pane.problem.text_button.clicked.connect(lambda: self.show_form(is_text=True))
        self._pane.failed.connect(lambda text: _announce_text(self, text))
        self.header.comparing_wanted.connect(lambda is_wanted: self.compare(is_wanted=is_wanted))

    @property
    def document(self) -> ShownDocument | None:
        return self._open.document if self._open is not None else None

    @property
    def page(self) -> int:
        """Current page from 1; 0 for documents without pages."""
        return self._open.page if self._open is not None else 0

    @property
    def is_text(self) -> bool:
        """True if the text is shown instead of the page's picture."""
        return self._stack.currentWidget() is self._text

    def compare(self, *, is_wanted: bool) -> None:
        """Show the recognized text next to the page, for corrections; or only the page."""
        is_wanted = is_wanted and self._corrections is not None
        self._page_panes.show_reading(is_wanted)
        self.header.show_comparing(can_compare=self._corrections is not None, is_comparing=is_wanted)
        if is_wanted:
            self.show_form(is_text=False)
            self._page_panes.show_page(self._corrections, self._document_id, self.page)

    def open(
        self,
        document: ShownDocument,
        mark: TextHighlight | None = None,
        *,
        page: int = 0,
        corrections: PageCorrections | None = None,
        document_id: int = 0,
    ) -> None:
        """Open a document at a mark, a page or its start; if it is already open, only move to the mark.

        `corrections` allows to correct recognized text.
        """
        if self._open is not None and document is self._open.document:
            if mark is not None:
                self.mark, self._found = mark, None
                self._reveal(self._open, mark)
                if mark.compares:
                    self.compare(is_wanted=True)
            return
        # Comparing goes on with the next document, if that can be compared.
        was_comparing = self._page_panes.is_comparing and corrections is not None
        self.close_document()
        opened = self._open = OpenDocument(document, self._notify)
        self._corrections, self._document_id = (corrections if document.can_draw else None), document_id
        self._pane.set_document(document)
        self.search.set_document(document)
        unit = document.unit if document.pages else ""
        self.setAccessibleName(tr(DOCUMENT_LABEL, name=document.name))
        self.header.show_document(document.name, unit, can_draw=document.can_draw)
        self.note.setText(tr(document.note) if document.note else "")
        self.note.setVisible(bool(document.note))
        self._stack.setCurrentWidget(self._page_panes if document.can_draw else self._text)
        self.mark = mark
        block = opened.block_of(mark) if mark is not None else None
        page = page_of(block, mark) if block is not None and mark is not None else page
        self._go_to(opened, max(1, page) if document.pages else 0)
        self.show_form(is_text=not document.can_draw)
        # After the form is chosen: which of picture and text scrolls to the mark depends on it.
        if mark is not None:
            self._reveal(opened, mark)
        self.compare(is_wanted=was_comparing or (mark is not None and mark.compares))

    def take_over(self, document: ShownDocument, corrections: PageCorrections | None, document_id: int) -> None:
        """Replace the open document by a newer reading of its file, keeping the position."""
        before = self._open
        if before is None:
            return
        # The hits are of the version before, and their blocks may be gone.
        self._end_search()
        opened = self._open = OpenDocument(document, self._notify)
        self._corrections, self._document_id = (corrections if document.can_draw else None), document_id
        self.search.set_document(document)
        self._pane.take_over(document)
        self.mark, self._found, self._text_page = None, None, -1
        opened.go_to(before.page)
        self._show_marks()
        if self.is_text:
            self._show_text(opened)
        self._page_panes.take_over(self._corrections, document_id)

    def close_document(self) -> None:
        """Close the document, drop its search and cancel its running tasks."""
        self._end_search()
        self.search.set_document(None)
        self._page_panes.show_page(None, 0, 0)
        self._open, self.mark, self._found, self._text_page = None, None, None, -1
        self._corrections = None
        self._pane.set_document(None)
        self._text.show_words("")

    def turn(self, steps: int) -> None:
        """Turn pages forward (1) or back (-1), within the document."""
        if self._open is not None and self._open.has_page(self._open.page + steps):
            self._go_to(self._open, self._open.page + steps)
            _announce_text(self, self._open.position_words())

    def show_form(self, *, is_text: bool) -> None:
        """Show the page as text, or as a picture if it can be drawn."""
        opened = self._open
        if opened is None:
            return
        is_text = is_text or not opened.document.can_draw
        had_focus = _has_focus_in(self, self._stack)
        form = self._text if is_text else self._pane
        self._stack.setCurrentWidget(self._text if is_text else self._page_panes)
        self.setFocusProxy(form)
        self.header.show_form(is_text=is_text)
        self._show_zoom()
        if is_text:
            self._pane.drop_wish()
            self._show_text(opened)
        else:
            self._pane.show_page(opened.page)
            self._area.scroll_to_mark()
        self.show_desk(not is_text)
        if had_focus:
            self.setFocus()

    def begin_search(self) -> None:
        """Open the search; its first hit is looked for from the visible part on."""
        if self._open is not None:
            first = self._open.blocks[0].id if self._open.blocks else 1
            self.search.begin(first if self._open.page else max(1, self._text.top_block_id))

    def _reveal(self, opened: OpenDocument, mark: TextHighlight) -> None:
        block = opened.block_of(mark)
        if block is None:
            return
        page = page_of(block, mark)
        if opened.page and page and page != opened.page:
            self._go_to(opened, page)
        else:
            self._show_marks()
        if self.is_text:
            self._text.scroll_to_mark()
        else:
            self._area.scroll_to_mark()
        start, end = span_of(block, mark)
        _announce_text(
            self, tr("{where}. Marked: {words}", where=opened.position_words(), words=block.text[start:end][:MOST_SAID])
        )

    def _go_to(self, opened: OpenDocument, page: int) -> None:
        opened.go_to(page)
        self._show_where()
        if self.is_text:
            self._show_text(opened)
        else:
            self._pane.show_page(page)
            self._show_marks()
            self._area.scroll_to_mark()
            self._page_panes.show_page(self._corrections, self._document_id, page)

    def _show_text(self, opened: OpenDocument) -> None:
        if self._text_page != opened.page:
            self._text_page, span = opened.page, opened.span()
            if span is None:
                self._text.show_words(no_text_words(opened.document.unit))
            else:
                with self._notify.guard():
                    self._text.show_range(opened.document, *span, self._found or self.mark)
        self._show_marks()
        self._text.scroll_to_mark()

    def _show_marks(self) -> None:
        mark, hits = self._found or self.mark, self.search.hits
        page, blocks = (self._open.page, self._open.blocks) if self._open is not None else (0, [])
        self._text.show_marks(mark, hits)
        self._area.paper.show_areas(*areas_on(page, blocks, mark, hits))
        # Text for screen readers of a page shown as a picture: the mark first, then everything.
        where, document = (self._open.position_words(), self._open.document) if self._open is not None else ("", None)
        said = said_of(blocks, mark) or no_text_words(document.unit if document is not None else "")
        for picture in (self._area.paper, self._area):
            picture.setAccessibleName(where)
            picture.setAccessibleDescription(said)
        name = document.name if document is not None else ""
        self._text.setAccessibleName(tr("Text of {name}, {where}", name=name, where=where))

    def _show_where(self) -> None:
        if self._open is not None and self._open.page:
            self.header.show_page(self._open.page, self._open.document.pages)
        elif self._open is not None:
            self.header.show_share(self._text.percent_of(self._open.document.block_count))

    def _show_zoom(self) -> None:
        zoom = self._area.zoom
        self.header.show_zoom(can_go_nearer=zoom < ZOOMS[-1], can_go_farther=zoom > ZOOMS[0])

    def _on_found(self, mark: TextHighlight) -> None:
        self._found = mark
        if self._open is not None:
            self._reveal(self._open, mark)

    def _end_search(self) -> None:
        had_focus = self.search.close_search()
        self._found = None
        self._show_marks()
        if had_focus:
            self.setFocus()

    def _on_end_wanted(self, side: int) -> None:
        if self._open is not None and self._open.page:
            self.turn((1 if side < 0 else self._open.document.pages) - self._open.page)
        if self.is_text:
            self._text.go_to_end(side)

    def _on_close(self) -> None:
        self.close_document()
        self.closed.emit()

    def _key_job(self, event: QKeyEvent) -> Callable[[], object] | None:
        """Return the action of a key anywhere in the view; None for other keys."""
        key = event.key()
        # macOS counts its arrow keys to the keypad.
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        on = -1 if self.isRightToLeft() else 1
        jobs: dict[tuple[Qt.Key, Qt.KeyboardModifier], Callable[[], object]] = {
            (Qt.Key.Key_F, CONTROL): self.begin_search,
            (Qt.Key.Key_Left, ALT): lambda: self.turn(-on),
            (Qt.Key.Key_Right, ALT): lambda: self.turn(on),
            (Qt.Key.Key_Escape, NO_MODIFIER): self._on_close if self.search.isHidden() else self._end_search,
        }
        job = jobs.get((Qt.Key(key), modifiers)) or self.search.key_job(event)
        return job if self._open is not None else None

    def event(self, event: QEvent) -> bool:
        # The window uses some of these keys for other things; inside the view they are the document's.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._key_job(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        job, form = self._key_job(event), self._text if self.is_text else self._area
        if job is not None:
            job()
        # Keys that turn pages work wherever the focus is inside the view.
        elif event.key() in TURN_KEYS and form.isVisible() and not form.hasFocus():
            form.keyPressEvent(event)
        else:
            super().keyPressEvent(event)


def _announce_text(view: QWidget, text: str) -> None:
    if view.isVisible():
        announce(view, text)


def _has_focus_in(view: QWidget, part: QWidget) -> bool:
    focus = view.focusWidget()
    return focus is not None and part.isAncestorOf(focus)


SRT, TEXT = ".srt", ".txt"
SAVED = "saved words"


def ask_where_to_save(view: QWidget, document: ShownDocument, notify: Notify) -> QFileDialog:
    """Ask for a file and save the transcript of a recording as subtitles or text."""
    dialog = file_dialog(view, tr("Save the transcript"), SAVED)
    dialog.setObjectName("save_words")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    kinds = {f"{tr('Subtitles')} (*{SRT})": SRT, f"{tr(TEXT_LABEL)} (*{TEXT})": TEXT}
    dialog.setNameFilters(list(kinds))
    dialog.selectFile(Path(document.name).stem + SRT)
    dialog.filterSelected.connect(lambda kind: _change_ending(dialog, kinds.get(kind, SRT)))
    dialog.setDefaultSuffix(SRT[1:])
    dialog.fileSelected.connect(lambda path: _save(view, document, Path(path), notify))
    dialog.open()
    return dialog


def _change_ending(dialog: QFileDialog, ending: str) -> None:
    dialog.setDefaultSuffix(ending[1:])
    # Qt leaves the ending of a name that is typed already.
    for path in dialog.selectedFiles()[:1]:
        dialog.selectFile(Path(path).with_suffix(ending).name)


def _save(view: QWidget, document: ShownDocument, path: Path, notify: Notify) -> None:
    """Save subtitles, or text if the file's ending says so."""

    def write() -> Path:
        from app.features.transcribe import segment_of, srt_of, text_of  # the transcription, not needed otherwise
        from app.features.work.saved_file import write_file

        segments = [segment_of(block) for block in document.read_blocks(1, document.block_count)]
        with write_file(path) as file:
            file.write((text_of if path.suffix.lower() == TEXT else srt_of)(segments).encode("utf-8"))
        return path

    tasks.ask(lambda _token: write(), view, notify.saved, notify.error)


def _behind(cursor: QTextCursor) -> str:
    """Return the text from a cursor to the end."""
    cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
    return selected_text(cursor)


@dataclass
class Correction:
    """Typed text of a page on its way to the store. `before` is the text stored until then."""

    corrections: PageCorrections
    document_id: int
    page: int
    text: str
    before: str


class PageReadingPane(QFrame):
    """Editor of a page's recognized text, as Markdown; unread pages can be typed."""

    renewed = Signal(int, int)
    """Ids of a document and of its corrected version, which replaces it."""

    def __init__(self, theme: Theme, notify: Notify) -> None:
        super().__init__()
        self._notify = notify
        self._corrections: PageCorrections | None = None
        self._document_id = self._page = 0
        self._stored_text, self._is_corrected = "", False
        self._unsaved: dict[tuple[int, int], str] = {}
        """Text of pages left before it could be saved, by document id and page."""
        self._unconfirmed: list[Correction] = []
        self._waiting: deque[Correction] = deque()
        """Corrections not being saved yet; the thread takes them from here."""
        # In turn, so that an older correction can't overwrite a newer one.
        self._saving = tasks.Rounds(self._work, self)
        self._saving.happened.connect(lambda told: self._on_saved(*told))
        self.setObjectName("page_reading")
        self.who = theme.dress(plain_label(kind="muted", wraps=True), font=(13, 400))
        self.edit = QPlainTextEdit()
        self.edit.setObjectName("read_text")
        self.edit.setFrameShape(QFrame.Shape.NoFrame)
        self.edit.setTabChangesFocus(True)
        self.edit.setAccessibleName(tr("Text from the picture"))
        self.save = text_button(tr(SAVE), "primary", on_click=self._on_save)
        self.undo = text_button(tr("Discard changes"), "quiet")
        self.give_up = text_button(tr("Undo my corrections"), "quiet", on_click=self._on_give_up)
        self.give_up.setAccessibleName(tr("Undo my corrections of this page"))
        self.undo.clicked.connect(lambda: self.edit.setPlainText(self._stored_text))
        self.edit.textChanged.connect(self._show_buttons)
        row = theme.dress(fill_layout(QHBoxLayout(), self.give_up, 1, self.undo, self.save), spacing=8)
        theme.dress(fill_layout(QVBoxLayout(self), self.who, (self.edit, 1), row), margins=(16, 12, 16, 12), spacing=8)
        theme.dress(self.save, self.undo, self.give_up, font=(13, 500))
        theme.changed.connect(lambda: set_text_font(self.edit, theme.font(14)))
        set_text_font(self.edit, theme.font(14))

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
        correction = Correction(corrections, self._document_id, self._page, text, before=self._stored_text)
        # Counts as saved from now on; `_on_saved` takes that back if it failed.
        self._stored_text = text
        self._show_buttons()
        self._unconfirmed.append(correction)
        self._waiting.append(correction)
        self._saving.start()

    def _work(self, _cancel: CancelToken) -> Iterator[tuple[Correction, StoredDocument | Exception | None]]:
        # Not cancellable: it takes a moment, and the window may be closing.
        while self._waiting:
            correction = self._waiting.popleft()
            outcome: StoredDocument | Exception | None
            try:
                outcome = correction.corrections.correct_page(correction.page, correction.text, CancelToken())
            except Exception as error:  # noqa: BLE001 (told with what it is about)
                outcome = error
            yield correction, outcome

    def _on_saved(self, correction: Correction, outcome: StoredDocument | Exception | None) -> None:
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
            self.renewed.emit(correction.document_id, outcome.id)

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
            self.renewed.emit(earlier, given_up.document.id)

        tasks.ask(lambda _: corrections.give_up(page), self, on_given_up, self._notify.error)

    def _take_back(self, corrections: PageCorrections, given_up: GivenUp) -> None:
        def on_taken_back(document: StoredDocument) -> None:
            self.renewed.emit(given_up.document.id, document.id)

        tasks.ask(lambda _: corrections.take_back(given_up), self, on_taken_back, self._notify.error)


def _is_corrected(corrections: PageCorrections, page: int) -> bool:
    reading = corrections.readings.get(page)
    return reading is not None and reading.is_edited
