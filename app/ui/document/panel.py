"""A view, and at its right the document that was opened from it; in a narrow window one takes the other's place."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QSplitter, QVBoxLayout, QWidget
from shiboken6 import isValid

from app.core.errors import AppError
from app.features.documents import Mark
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.features.documents import Documents, KeptDocument
    from app.ui.document.view import DocumentView

SHARE = 0.54
"""Of the room that a document gets as long as nobody moved the border: a page of A4 can be read in it."""
MOST_PX, LEAST_PX = 900, 320
NARROW_PX = 740
"""Of the content, which is about a thousand pixels of window: two columns would squeeze both."""
MARGIN_PX = 12


class DocumentPanel(QSplitter):
    """`open` shows a document beside a view; × or Esc closes it, and the keyboard goes back to where it was.

    `take_keyboard` is what gives the keyboard to the view where that place is gone.
    """

    closed = Signal()
    """No document is shown any more."""

    def __init__(self, theme: Theme, notify: Notify, beside: QWidget, take_keyboard: Callable[[], object]) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._theme, self._notify, self._beside, self._take_keyboard = theme, notify, beside, take_keyboard
        self._document: KeptDocument | None = None
        self._shown: tuple[Documents, int] | None = None
        self._width_px = 0
        self._before: QWidget | None = None
        self.setObjectName("document_splitter")
        self.setHandleWidth(1)
        self._frame = QWidget()
        self._frame.setAccessibleName(tr("Document"))
        self._column = QVBoxLayout(self._frame)
        self._frame.hide()
        self.addWidget(beside)
        self.addWidget(self._frame)
        for place in (0, 1):
            self.setCollapsible(place, False)
        self.setStretchFactor(0, 1)
        self.splitterMoved.connect(self._on_moved)
        theme.dress(self._column, margins=(MARGIN_PX, 0, MARGIN_PX, MARGIN_PX))
        theme.changed.connect(self._arrange)
        self._fit_least()

    @cached_property
    def view(self) -> DocumentView:
        """Where documents are shown, made for the first one."""
        from app.ui.document.view import DocumentView  # 5 MB that a window without a document does without

        view = DocumentView(self._theme, self._notify)
        view.closed.connect(self.close_document)
        self._column.addWidget(view)
        return view

    @property
    def is_open(self) -> bool:
        return self._shown is not None

    def open(self, documents: Documents, document_id: int, mark: Mark | None = None) -> None:
        """Shows a document, at a mark or at its beginning."""
        if not self.is_open:
            self._before = QApplication.focusWidget()
        try:
            if self._shown != (documents, document_id) or self._document is None:
                document = documents.shown(document_id)
                self._release()
                self._document, self._shown = document, (documents, document_id)
        except KeyError:
            self._notify.mention(tr("This document is not there any more."))
            return
        except AppError as error:
            self._notify.error(error)
            return
        view, was_hidden = self.view, self._frame.isHidden()  # made while its frame is hidden, it is shown with it
        self._frame.show()
        if was_hidden:  # before the view is hidden that has the keyboard: it would go on by itself, as Tab does
            self._frame.setFocus(Qt.FocusReason.OtherFocusReason)
        self._arrange(is_new=was_hidden)
        view.open(self._document, mark)
        view.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_document(self) -> None:
        """Shows the view alone again."""
        if not self.is_open:
            return
        focus = QApplication.focusWidget()
        had_focus = focus is None or focus is self.view or self._frame.isAncestorOf(focus)
        self.view.close_document()
        self._release()
        self._frame.hide()
        self._beside.show()
        before = self._before
        if had_focus and before is not None and isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        elif had_focus:
            self._take_keyboard()
        self.closed.emit()

    def keep(self, keys: frozenset[tuple[Documents, int]]) -> None:
        """Something else is shown, with these documents: one that is not among them is closed."""
        if self._shown is not None and self._shown not in keys:
            self.close_document()

    def _release(self) -> None:
        """The child that draws goes, on a thread: it may just be drawing."""
        document, self._document, self._shown = self._document, None, None
        if document is not None:
            tasks.ask(lambda _token: document.close(), self, lambda _: None)

    def _arrange(self, *, is_new: bool = False) -> None:
        if not self.is_open:
            return
        is_narrow = self.width() < self._theme.px(NARROW_PX)
        if is_narrow == self._beside.isHidden() and not is_new:
            self._fit_least()
            return
        self._beside.setHidden(is_narrow)
        self._fit_least()
        if not is_narrow:
            usual = min(round(self.width() * SHARE), self._theme.px(MOST_PX))
            width = min(self._width_px or usual, self.width() - self._theme.px(LEAST_PX))
            self.setSizes([self.width() - width, width])

    def _fit_least(self) -> None:
        self._frame.setMinimumWidth(1 if self._beside.isHidden() else self._theme.px(LEAST_PX))

    def _on_moved(self) -> None:
        if self.is_open and not self._beside.isHidden():
            self._width_px = self._frame.width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
