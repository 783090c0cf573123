"""A view, and at its right the document that was opened from it; in a narrow window one takes the other's place."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.core.errors import AppError
from app.features.document_library import TextHighlight
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.layouts import SidePane

if TYPE_CHECKING:
    from app.features.document_library import DocumentLibrary, KeptDocument
    from app.features.page_reading.corrections import PageCorrections
    from app.ui.document.document_view import DocumentView

log = logging.getLogger(__name__)


class DocumentPanel(SidePane):
    """`open` shows a document beside a view; × or Esc closes it, and the keyboard goes back to where it was."""

    share = 0.54  # a page of A4 can be read in it
    most_px = 900
    renewed = Signal(object, int, int)
    """Whose documents, one of them, and the one that has taken its place with what was corrected in it."""

    def __init__(self, theme: Theme, notify: Notify, beside: QWidget, take_keyboard: Callable[[], object]) -> None:
        super().__init__(theme, beside, take_keyboard)
        self._notify = notify
        self._document: KeptDocument | None = None
        self._shown: tuple[DocumentLibrary, int] | None = None
        self._documents: DocumentLibrary | None = None
        """Those of the document that was opened last."""
        self.setObjectName("document_splitter")
        self.frame.setAccessibleName(tr("Document"))

    @cached_property
    def view(self) -> DocumentView:
        """Where documents are shown, made for the first one."""
        from app.ui.document.document_view import DocumentView  # 5 MB that a window without a document does without

        view = DocumentView(self._theme, self._notify)
        view.closed.connect(self.close_document)
        view.renewed.connect(self._on_renewed)
        self.column.addWidget(view)
        return view

    @property
    def is_open(self) -> bool:
        return self._shown is not None

    def open(
        self, documents: DocumentLibrary, document_id: int, mark: TextHighlight | None = None, *, page: int = 0
    ) -> None:
        """Shows a document, at a mark, a page or its beginning."""
        try:
            if self._shown != (documents, document_id) or self._document is None:
                document = documents.open_document(document_id)
                self._release()
                self._document, self._shown = document, (documents, document_id)
        except KeyError:
            self._notify.mention(tr("This document is not there any more."))
            return
        except AppError as error:
            self._notify.error(error)
            return
        self._documents = documents
        view = self.view  # made while its frame is hidden, it is shown with it
        self.show_beside()
        corrections = _corrections_of(documents, document_id)
        view.open(self._document, mark, page=page, corrections=corrections, document_id=document_id)
        view.setFocus(Qt.FocusReason.OtherFocusReason)

    def take_over(self, documents: DocumentLibrary, earlier_id: int, document_id: int) -> None:
        """More of the document that is open was read: it stays as it is looked at, and the keyboard where it is."""
        if self._shown != (documents, earlier_id) or earlier_id == document_id:
            return
        try:
            document = documents.open_document(document_id)
        except (KeyError, AppError) as error:  # what is open stays
            log.info("a document was not taken over: %s", error)
            return
        before, self._document, self._shown = self._document, document, (documents, document_id)
        self.view.take_over(document, _corrections_of(documents, document_id), document_id)
        if before is not None:
            tasks.ask(lambda _token: before.close(), self, lambda _: None)

    def _on_renewed(self, earlier_id: int, document_id: int) -> None:
        """Also after it was closed: what was typed and not saved is kept then, which takes a moment."""
        if self._documents is not None:
            self.renewed.emit(self._documents, earlier_id, document_id)
            self.take_over(self._documents, earlier_id, document_id)

    def close_document(self) -> None:
        """Shows the view alone again."""
        if self.is_open:
            self.view.close_document()
            self._release()
            self.hide_beside()

    def keep_open(self, keys: frozenset[tuple[DocumentLibrary, int]]) -> None:
        """Something else is shown, with these documents: one that is not among them is closed."""
        if self._shown is not None and self._shown not in keys:
            self.close_document()

    def _release(self) -> None:
        """The child that draws goes, on a thread: it may just be drawing."""
        document, self._document, self._shown = self._document, None, None
        if document is not None:
            tasks.ask(lambda _token: document.close(), self, lambda _: None)


def _corrections_of(documents: DocumentLibrary, document_id: int) -> PageCorrections | None:
    """What corrects a document of which something was read from pictures, or could be; None for others."""
    document = documents.store.get(document_id)
    if (
        document is None
        or documents.readings is None
        or not any(page["is_picture"] or page.get("figures") for page in document.info.get("pages", ()))
    ):
        return None
    from app.features.page_reading.corrections import PageCorrections

    return PageCorrections(documents, document_id)
