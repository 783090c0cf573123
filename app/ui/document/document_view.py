"""View of any document: pages as pictures or text, the cited sentence highlighted, recognized text editable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.features.page_reading.corrections import PageCorrections
from app.features.shown_document import ShownDocument, TextHighlight
from app.ui.document.document_card import DocumentCard
from app.ui.document.document_page import PagePane
from app.ui.document.document_text import MOST_SAID, DocumentText, no_text_words, said_of, said_parts
from app.ui.document.header import DocumentHeader
from app.ui.document.marks import areas_on, page_of, span_of
from app.ui.document.page_panes import OpenDocument, PagePanes
from app.ui.i18n import tr
from app.ui.shared_labels import DOCUMENT_LABEL, TEXT_LABEL
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.text.links import ask_to_open
from app.ui.text.search_row import TextSearchRow
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import file_dialog
from app.ui.widgets.labels import ElidedLabel, announce, plain_label
from app.ui.widgets.layouts import fill_layout

ALT, CONTROL, NO_MODIFIER = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.NoModifier,
)
TURN_KEYS = (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End)
OPEN_IN_BROWSER = "Open in browser…"
SRT, TEXT = ".srt", ".txt"
SAVED = "saved words"


def ask_for_transcript_path(view: QWidget, document: ShownDocument, notify: Notify) -> QFileDialog:
    """Ask for a file and save the transcript of a recording as subtitles or text."""
    kinds = {f"{tr('Subtitles')} (*{SRT})": SRT, f"{tr(TEXT_LABEL)} (*{TEXT})": TEXT}
    dialog = file_dialog(
        view,
        tr("Save the transcript"),
        SAVED,
        lambda paths: _save_transcript(view, document, paths[0], notify),
        name="save_words",
        filters=list(kinds),
    )
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.selectFile(Path(document.name).stem + SRT)
    dialog.filterSelected.connect(lambda kind: _change_ending(dialog, kinds.get(kind, SRT)))
    dialog.setDefaultSuffix(SRT[1:])
    dialog.open()
    return dialog


def _change_ending(dialog: QFileDialog, ending: str) -> None:
    dialog.setDefaultSuffix(ending[1:])
    # Qt leaves the ending of a name that is typed already.
    for path in dialog.selectedFiles()[:1]:
        dialog.selectFile(Path(path).with_suffix(ending).name)


def _save_transcript(view: QWidget, document: ShownDocument, path: Path, notify: Notify) -> None:
    """Save subtitles, or text if the file's ending says so."""

    def write() -> Path:
        from app.features.transcribe import segment_of, srt_of, text_of  # the transcription, not needed otherwise
        from app.features.work.saved_file import write_file

        segments = [segment_of(block) for block in document.read_blocks(1, document.block_count)]
        with write_file(path) as file:
            file.write((text_of if path.suffix.lower() == TEXT else srt_of)(segments).encode("utf-8"))
        return path

    tasks.ask(lambda _token: write(), view, notify.saved, notify.error)


class WebOrigin(QWidget):
    """The line; hidden for other documents. Nothing is opened before the person has seen the whole address."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.address = ElidedLabel("", Qt.TextElideMode.ElideMiddle)
        self.address.setProperty("kind", "muted")
        self.address.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # as addresses are in every language
        self.open = text_button(
            tr(OPEN_IN_BROWSER), "link", on_click=lambda: ask_to_open(self.address.text(), self), name="open_origin"
        )
        row = theme.dress(QHBoxLayout(self), margins=(16, 0, 16, 8), spacing=12)
        fill_layout(row, (self.address, 1), self.open)
        theme.dress(self.address, font="small")
        self.hide()

    def show_address(self, address: str) -> None:
        """Show where a page is from; "" hides the line."""
        self.address.setText(address)
        self.setVisible(bool(address))


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
        self.note = theme.dress(plain_label(wraps=True), font="small", margins=(16, 0, 16, 8))
        self.note.setObjectName("document_note")
        self.origin = WebOrigin(theme)
        self._pane = PagePane(theme, notify, announce=lambda text: _announce_text(self, text))
        self._area = self._pane.area
        self._text = DocumentText(theme)
        self._stack = QStackedWidget()
        self._stack.setMinimumHeight(1)  # so that the header keeps its height in a low window
        self._stack.setContentsMargins(2, 0, 2, 2)  # room for the focus frame
        self.set_content(self._stack)
        self._page_panes = PagePanes(theme, notify, self._pane, on_renewed=self.renewed.emit)
        fill_layout(self._stack, self._page_panes, self._text)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.header, self.search, self.origin, self.note):
            column.addWidget(widget)
        column.addWidget(self._stack, 1)
        theme.changed.connect(self.update)
        self._connect()

    def _connect(self) -> None:
        header = self.header
        for button, step in ((header.previous, -1), (header.next, 1)):
            button.clicked.connect(lambda _=False, step=step: self.turn(step))
        header.text.triggered.connect(lambda: self.show_form(is_text=not self.is_text))
        header.aloud.triggered.connect(self._read_aloud)
        header.farther.triggered.connect(lambda: self._area.zoom_by(-1))
        header.nearer.triggered.connect(lambda: self._area.zoom_by(1))
        self._area.zoom_changed.connect(header.show_zoom)
        header.search.clicked.connect(self.begin_search)
        header.save.triggered.connect(
            lambda: self.document and ask_for_transcript_path(self, self.document, self._notify)
        )
        header.closer.clicked.connect(self._on_close)
        header.compare.triggered.connect(lambda is_wanted: self.compare(is_wanted=is_wanted))
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
        self.header.aloud.setVisible("read_aloud" in self._notify.actions)
        self.header.show_document(document.name, unit, can_draw=document.can_draw)
        self.note.setText(tr(document.note) if document.note else "")
        self.note.setVisible(bool(document.note))
        self.origin.show_address(document.address)
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
        if (before := self._open) is None:
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
        if (opened := self._open) is None:
            return
        is_text = is_text or not opened.document.can_draw
        had_focus = _has_focus_in(self, self._stack)
        form = self._text if is_text else self._pane
        self._stack.setCurrentWidget(self._text if is_text else self._page_panes)
        self.setFocusProxy(form)
        self.header.show_form(is_text=is_text)
        self.header.show_zoom(self._area.zoom)
        if is_text:
            self._pane.drop_wish()
            self._show_text(opened)
        else:
            self._pane.show_page(opened.page)
            self._area.scroll_to_mark()
        self.show_desk(not is_text)
        if had_focus:
            self.setFocus()

    def _read_aloud(self) -> None:
        """Read from the caret on, which is at the first line that is seen unless it was put elsewhere."""
        self.show_form(is_text=True)
        self._text.setFocus()
        self._notify.actions["read_aloud"]()

    def begin_search(self) -> None:
        """Open the search; its first hit is looked for from the visible part on."""
        if self._open is not None:
            first = self._open.blocks[0].id if self._open.blocks else 1
            self.search.begin(first if self._open.page else max(1, self._text.top_block_id))

    def _reveal(self, opened: OpenDocument, mark: TextHighlight) -> None:
        if (block := opened.block_of(mark)) is None:
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
        parts = said_parts(blocks, mark)
        self._area.paper.show_said(page, parts)
        said = said_of(parts) or no_text_words(document.unit if document is not None else "")
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
