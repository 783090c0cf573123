"""The one document view: a page as a picture or as text, with the sentence that was asked for marked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QLineF, QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QFocusEvent,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QShowEvent,
)
from PySide6.QtWidgets import QFrame, QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.documents.blocks import Block
from app.features.documents import Mark, ShownDocument
from app.features.messages import sentence_for
from app.ui.document.header import DocumentHeader, DocumentSearch, page_words
from app.ui.document.marks import areas_on, page_of, span_of
from app.ui.document.page import ZOOMS, PageArea, PageDrawer, Picture
from app.ui.document.text import MOST_SAID, DocumentText, no_text_words, said_of
from app.ui.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

if TYPE_CHECKING:
    pass


ALT, CONTROL, SHIFT = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
TURN_KEYS = (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End)


# The card around a document: its ground, its line under the header, the desk under a page, the keyboard's ring.


RADIUS_PX = 10
RING_REASONS = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


class DocumentCard(QFrame):
    """Painted here and not by a style sheet, since the desk lies within the card's round corners."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._card_theme = theme
        self._content: QWidget | None = None
        self._has_desk = False
        self._has_ring = False

    def set_content(self, content: QWidget) -> None:
        """What is below the header."""
        self._content = content

    def show_desk(self, is_shown: bool) -> None:
        """Whether a page lies there, or text that needs no other ground."""
        self._has_desk = is_shown
        self.update()

    def watch_focus_of(self, widget: QWidget) -> None:
        """The card shows the keyboard's focus for a widget that fills it; a click leaves no ring behind."""
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent):
            self._has_ring = event.gotFocus() and event.reason() in RING_REASONS
            self.update()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        tokens, painter = self._card_theme.tokens, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = self._outline(0.5)
        top = self._content.y() if self._content is not None else 0
        painter.fillPath(card, QColor(tokens.surface))
        if self._has_desk:
            painter.setClipRect(self.rect().adjusted(0, top, 0, 0))
            painter.fillPath(card, QColor(tokens.sidebar))
            painter.setClipping(False)
        painter.setPen(QPen(QColor(tokens.line), 1))
        painter.drawLine(QLineF(0, top - 0.5, self.width(), top - 0.5))
        if self._has_ring:
            painter.setPen(QPen(QColor(tokens.focus), 2))
            card = self._outline(1)
        painter.drawPath(card)

    def _outline(self, inset: float) -> QPainterPath:
        path, radius = QPainterPath(), self._card_theme.px(RADIUS_PX)
        path.addRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), radius, radius)
        return path


# What stands in place of a page that cannot be shown.


class DocumentProblem(QWidget):
    """Why a page is not shown, and the way out."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.sentence = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.text_button = text_button(tr("Show the text"))
        self._column = QVBoxLayout(self)
        self._column.addStretch(1)
        self._column.addWidget(self.sentence)
        self._column.addWidget(self.text_button, 0, Qt.AlignmentFlag.AlignHCenter)
        self._column.addStretch(2)
        theme.dress(self._column, margins=(24, 24, 24, 24), spacing=12)
        theme.dress(self.sentence, font=(14, 400))

    def show_sentence(self, text: str) -> None:
        """What happened."""
        self.sentence.setText(text)
        self.sentence.setAccessibleName(text)


class DocumentView(DocumentCard):
    """Shows one document at a time. `closed` follows when the person closed it."""

    closed = Signal()

    def __init__(self, theme: Theme, notify: Notify, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._theme, self._notify = theme, notify
        self._document: ShownDocument | None = None
        self._page = 0
        self._blocks: list[Block] = []
        self._mark: Mark | None = None
        self._found: Mark | None = None
        self._text_page = -1
        self.setObjectName("document_view")
        self.setAccessibleName(tr("Document"))
        self.header = DocumentHeader(theme)
        self.search = DocumentSearch(theme)
        self.search.hide()
        self.note = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.note.setObjectName("document_note")
        self.area = PageArea(theme)
        self.text = DocumentText(theme)
        self.problem = DocumentProblem(theme)
        self._drawer = PageDrawer(self)
        self._stack = QStackedWidget()
        self._stack.setMinimumHeight(1)  # in a low window the line above keeps its height
        self.set_content(self._stack)
        for form in (self.area, self.text, self.problem):
            self._stack.addWidget(form)
        self._column = QVBoxLayout(self)
        for widget in (self.header, self.search, self.note):
            self._column.addWidget(widget)
        self._column.addWidget(self._stack, 1)
        self._first_drawing = QTimer(self, singleShot=True, interval=0)
        self._first_drawing.timeout.connect(self._draw)
        self._connect()
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _connect(self) -> None:
        self.header.turn_wanted.connect(self.turn)
        self.header.text_wanted.connect(lambda is_text: self.show_form(is_text=is_text))
        self.header.zoom_wanted.connect(self.area.zoom_by)
        self.area.zoom_changed.connect(self._show_zoom)
        self.header.search_wanted.connect(self.begin_search)
        self.header.close_wanted.connect(self._on_close)
        self.search.hits_changed.connect(self._show_marks)
        self.search.chosen.connect(self._on_found)
        self.search.failed.connect(self._notify.error)
        self.search.left.connect(self._end_search)
        self.area.width_wanted.connect(self._draw)
        for form in (self.area, self.text):
            form.turn_wanted.connect(self.turn)
            form.end_wanted.connect(self._on_end_wanted)
            self.watch_focus_of(form)
        self.text.moved.connect(self._show_where)
        self.problem.text_button.clicked.connect(lambda: self.show_form(is_text=True))
        self._drawer.drawn.connect(self._on_drawn)
        self._drawer.failed.connect(self._on_not_drawn)

    @property
    def document(self) -> ShownDocument | None:
        """What is open."""
        return self._document

    @property
    def page(self) -> int:
        """Which page is shown, from 1; 0 in a document without any."""
        return self._page

    @property
    def is_text(self) -> bool:
        """Whether the text is shown, and not the page as a picture."""
        return self._stack.currentWidget() is self.text

    def open(self, document: ShownDocument, mark: Mark | None = None) -> None:
        """Shows a document, at a mark or at its beginning. The one that is open already only moves to the mark."""
        if document is self._document:
            if mark is not None:
                self.show_mark(mark)
            return
        self.close_document()
        self._document = document
        self._drawer.set_document(document)
        self.search.set_document(document)
        unit = document.unit if document.pages else ""
        self.setAccessibleName(tr("Document {name}", name=document.name))
        self.header.show_document(document.name, unit, can_draw=document.can_draw)
        self.note.setText(tr(document.note) if document.note else "")
        self.note.setVisible(bool(document.note))
        self._stack.setCurrentWidget(self.area if document.can_draw else self.text)
        self._mark = mark
        block = self._block_of(mark) if mark is not None else None
        page = page_of(block, mark) if block is not None and mark is not None else 1
        self._go_to(max(1, page) if document.pages else 0)
        self.show_form(is_text=not document.can_draw)
        if mark is not None:
            self._reveal(mark)

    def show_mark(self, mark: Mark) -> None:
        """Marks another stretch of the open document and brings it into view."""
        self._mark, self._found = mark, None
        self._reveal(mark)

    def close_document(self) -> None:
        """Forgets the document and cancels what still runs for it."""
        self._drawer.set_document(None)
        self._end_search()
        self.search.set_document(None)
        self._document, self._mark, self._found, self._blocks = None, None, None, []
        self._page, self._text_page = 0, -1
        self.area.clear()
        self.text.show_words("")

    def turn(self, steps: int) -> None:
        """Pages on (1) or back (-1); nothing happens before the first and after the last."""
        if self._document is not None and self._page and 1 <= self._page + steps <= self._document.pages:
            self._go_to(self._page + steps)
            self._say(self._page_words())

    def show_form(self, *, is_text: bool) -> None:
        """The page as text, or as a picture where it can be drawn."""
        document = self._document
        if document is None:
            return
        is_text = is_text or not document.can_draw
        had_focus = self._stack.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
        self._stack.setCurrentWidget(self.text if is_text else self.area)
        self.setFocusProxy(self.text if is_text else self.area)
        self.header.show_form(is_text=is_text)
        self._show_zoom()
        if is_text:
            self._drawer.drop_wish()
            self._show_text()
        else:
            self._draw()
            self.area.scroll_to_mark()
        self.show_desk(not is_text)
        if had_focus:
            self.setFocus()

    def begin_search(self) -> None:
        """Opens the search; from what is in view on."""
        if self._document is not None:
            first = self._blocks[0].id if self._blocks else 1
            self.search.begin(first if self._page else max(1, self.text.top_block_id))

    def _reveal(self, mark: Mark) -> None:
        block = self._block_of(mark)
        if block is None:
            return
        page = page_of(block, mark)
        if self._page and page and page != self._page:
            self._go_to(page)
        else:
            self._show_marks()
        if self.is_text:
            self.text.scroll_to_mark()
        else:
            self.area.scroll_to_mark()
        start, end = span_of(block, mark)
        self._say(tr("{where}. Marked: {words}", where=self._page_words(), words=block.text[start:end][:MOST_SAID]))

    def _block_of(self, mark: Mark) -> Block | None:
        return next(iter(self._ask_blocks(lambda document: document.blocks(mark.block_id, 1))), None)

    def _go_to(self, page: int) -> None:
        self._page = page
        self._blocks = self._ask_blocks(lambda document: document.blocks_of_page(page)) if page else []
        self._show_where()
        if self._stack.currentWidget() is self.problem:
            self._stack.setCurrentWidget(self.area)
            self.setFocusProxy(self.area)
        if self.is_text:
            self._show_text()
        else:
            self._draw()
            self._show_marks()
            self.area.scroll_to_mark()

    def _show_text(self) -> None:
        document = self._document
        if document is None:
            return
        mark = self._shown_mark()
        if self._text_page != self._page:
            self._text_page = self._page
            first, last = (self._blocks[0].id, self._blocks[-1].id) if self._blocks else (1, document.block_count)
            if (self._page and not self._blocks) or not document.block_count:
                self.text.show_words(no_text_words(document.unit))
            else:
                with self._notify.guard():
                    self.text.show_range(document, first, last, mark)
        self._show_marks()
        self.text.scroll_to_mark()

    def _draw(self) -> None:
        """Asks for the page in the width of now; paints what there is of it at once."""
        document = self._document
        if document is None or not self._page or self._stack.currentWidget() is not self.area:
            return
        width_px = self.area.width_px
        picture = self._drawer.picture_of(self._page, width_px)
        if picture is None:
            self.area.show_empty(self._drawer.size_of(self._page))
        else:
            self.area.show_picture(picture)
        if self.isVisible():  # before it is, its width is not yet the one it will have
            self._drawer.want(self._page, width_px)

    def _on_drawn(self, picture: Picture) -> None:
        if picture.page != self._page or self._stack.currentWidget() is not self.area:
            return
        is_first = self.area.paper.shown is None
        self.area.show_picture(picture)
        if is_first:
            self.area.scroll_to_mark()

    def _on_not_drawn(self, page: int, error: BaseException) -> None:
        if page != self._page or self._stack.currentWidget() is not self.area:
            return
        if not isinstance(error, AppError):
            self._notify.error(error)
        self.area.clear()
        # Only what happened: what the sentence says was kept is said of reading a document, not of showing it.
        self.problem.show_sentence(tr(sentence_for(error).text))
        had_focus = self.area.hasFocus()
        self._stack.setCurrentWidget(self.problem)
        self.setFocusProxy(self.problem.text_button)
        if had_focus:
            self.problem.text_button.setFocus()
        self._say(self.problem.sentence.text())

    def _shown_mark(self) -> Mark | None:
        return self._found or self._mark

    def _show_marks(self) -> None:
        mark, hits = self._shown_mark(), self.search.hits
        self.text.show_marks(mark, hits)
        self.area.paper.show_areas(*areas_on(self._page, self._blocks, mark, hits))
        self._describe(mark)

    def _describe(self, mark: Mark | None) -> None:
        """What a screen reader reads of a page that is only a picture: what is marked, then all of its text."""
        unit = self._document.unit if self._document is not None else ""
        said = said_of(self._blocks, mark) or no_text_words(unit)
        self.area.paper.setAccessibleName(self._page_words())
        self.area.paper.setAccessibleDescription(said)
        self.area.setAccessibleName(self._page_words())
        self.area.setAccessibleDescription(self.area.paper.accessibleDescription())
        name = self._document.name if self._document is not None else ""
        self.text.setAccessibleName(tr("Text of {name}, {where}", name=name, where=self._page_words()))

    def _show_where(self) -> None:
        document = self._document
        if document is None:
            return
        if self._page:
            self.header.show_page(self._page, document.pages)
        else:
            self.header.show_share(self.text.percent_of(document.block_count))

    def _show_zoom(self) -> None:
        zoom = self.area.zoom
        self.header.show_zoom(can_go_nearer=zoom < ZOOMS[-1], can_go_farther=zoom > ZOOMS[0])

    def _page_words(self) -> str:
        document = self._document
        if document is None or not self._page:
            return document.name if document is not None else ""
        return page_words(document.unit, self._page, document.pages)

    def _on_found(self, mark: Mark) -> None:
        self._found = mark
        self._reveal(mark)

    def _end_search(self) -> None:
        had_focus = self.search.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
        self.search.hide()
        self.search.forget()
        self._found = None
        self._show_marks()
        if had_focus:
            self.setFocus()

    def _on_end_wanted(self, side: int) -> None:
        if self._page and self._document is not None:
            target = 1 if side < 0 else self._document.pages
            self.turn(target - self._page)
        if self.is_text:
            self.text.go_to_end(side)

    def _on_close(self) -> None:
        self.close_document()
        self.closed.emit()

    def _ask_blocks(self, ask: Callable[[ShownDocument], list[Block]]) -> list[Block]:
        """Blocks of the open document; what the store raises is said, and there are none."""
        if self._document is None:
            return []
        try:
            return ask(self._document)
        except AppError as error:
            self._notify.error(error)
            return []

    def _say(self, text: str) -> None:
        if QAccessible.isActive() and self.isVisible():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._column.setContentsMargins(2, 2, 2, 2)
        self._column.setSpacing(0)
        self.note.setFont(self._theme.font(13))
        self.note.setContentsMargins(px(14), 0, px(14), px(8))
        self.update()

    def _key_job(self, event: QKeyEvent) -> Callable[[], object] | None:
        """What a key does here, wherever in the view the keyboard is; None for others."""
        key = event.key()
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        on = -1 if self.isRightToLeft() else 1
        jobs: dict[tuple[Qt.Key, Qt.KeyboardModifier], Callable[[], object]] = {
            (Qt.Key.Key_F, CONTROL): self.begin_search,
            (Qt.Key.Key_Left, ALT): lambda: self.turn(-on),
            (Qt.Key.Key_Right, ALT): lambda: self.turn(on),
            (Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier): self._on_escape,
        }
        if not self.search.isHidden():
            jobs[(Qt.Key.Key_F3, Qt.KeyboardModifier.NoModifier)] = lambda: self.search.step(1)
            jobs[(Qt.Key.Key_F3, SHIFT)] = lambda: self.search.step(-1)
        return jobs.get((Qt.Key(key), modifiers)) if self._document is not None else None

    def _on_escape(self) -> None:
        if self.search.isHidden():
            self._on_close()
        else:
            self._end_search()

    def event(self, event: QEvent) -> bool:
        # The window has other jobs for some of these keys; inside the view they are the document's.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._key_job(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        job, form = self._key_job(event), self._stack.currentWidget()
        if job is not None:
            job()
        elif event.key() in TURN_KEYS and form in (self.area, self.text) and not form.hasFocus():
            (self.text if self.is_text else self.area).keyPressEvent(event)
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._first_drawing.start()
