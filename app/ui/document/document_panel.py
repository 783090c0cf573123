"""View with a document panel at its right; in a narrow window the panel replaces the view."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.core.errors.app_error import AppError
from app.features.shown_document import TextHighlight
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
    """Panel opened by `open`; × or Esc closes it and restores the focus."""

    share = 0.54  # wide enough to read an A4 page
    most_px = 900
    dismissed = Signal()
    """The user closed the document."""
    renewed = Signal(object, int, int)
    """Owner of the documents, an id, and the id of the corrected version."""

    def __init__(self, theme: Theme, notify: Notify, beside: QWidget, take_keyboard: Callable[[], object]) -> None:
        super().__init__(theme, beside, take_keyboard)
        self._notify = notify
        self._document: KeptDocument | None = None
        self._shown: tuple[DocumentLibrary, int] | None = None
        self._documents: DocumentLibrary | None = None
        """Library of the document opened last."""
        self._looked_up: object = None
        """Latest request for a document being looked up on a thread; None if it is no longer wanted."""
        self.setObjectName("document_splitter")
        self.frame.setAccessibleName(tr("Document"))

    @cached_property
    def view(self) -> DocumentView:
        from app.ui.document.document_view import DocumentView  # 5 MB that a window without a document can save

        view = DocumentView(self._theme, self._notify)
        view.closed.connect(self.dismiss)
        view.renewed.connect(self._on_renewed)
        self.column.addWidget(view)
        return view

    @property
    def is_open(self) -> bool:
        return self._shown is not None

    def open(
        self, documents: DocumentLibrary, document_id: int, mark: TextHighlight | None = None, *, page: int = 0
    ) -> None:
        """Open a document at a mark, a page or its start."""
        self._looked_up = None
        try:
            if self._shown != (documents, document_id) or self._document is None:
                self._take(documents, document_id, documents.open_document(document_id))
        except KeyError:
            self._notify.mention(tr("This document was deleted."))
            return
        except AppError as error:
            self._notify.error(error)
            return
        self._show_document(documents, document_id, mark, page=page)
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def open_beside(self, documents: DocumentLibrary, document_id: int, mark: TextHighlight) -> None:
        """Open a document at a mark without taking the focus; one that isn't open is looked up on a thread."""
        self._looked_up = asked = object()
        if self._shown == (documents, document_id):
            self._show_document(documents, document_id, mark, takes_focus=False)
            return

        def on_found(document: KeptDocument) -> None:
            if self._looked_up is not asked:  # closed meanwhile, or another one is wanted
                tasks.ask(lambda _token: document.close(), self, lambda _: None)
                return
            self._take(documents, document_id, document)
            self._show_document(documents, document_id, mark, takes_focus=False)

        tasks.ask(
            lambda _token: documents.open_document(document_id),
            self,
            on_found,
            lambda error: log.info("a source was not opened: %r", error),  # nobody asked for it
        )

    def _take(self, documents: DocumentLibrary, document_id: int, document: KeptDocument) -> None:
        self._release()
        self._document, self._shown = document, (documents, document_id)

    def _show_document(
        self,
        documents: DocumentLibrary,
        document_id: int,
        mark: TextHighlight | None,
        *,
        page: int = 0,
        takes_focus: bool = True,
    ) -> None:
        assert self._document is not None
        self._documents = documents
        view = self.view  # built while the frame is hidden, so that it is shown with it
        self.open_pane(takes_focus=takes_focus)
        corrections = _corrections_of(documents, document_id)
        view.open(self._document, mark, page=page, corrections=corrections, document_id=document_id)

    def take_over(self, documents: DocumentLibrary, earlier_id: int, document_id: int) -> None:
        """Switch to a newer reading of the open document, keeping position and focus."""
        if self._shown != (documents, earlier_id) or earlier_id == document_id:
            return
        try:
            document = documents.open_document(document_id)
        except (KeyError, AppError) as error:  # the open document stays
            log.info("a document was not taken over: %s", error)
            return
        before, self._document, self._shown = self._document, document, (documents, document_id)
        self.view.take_over(document, _corrections_of(documents, document_id), document_id)
        if before is not None:
            tasks.ask(lambda _token: before.close(), self, lambda _: None)

    def _on_renewed(self, earlier_id: int, document_id: int) -> None:
        # Also arrives after closing, since unsaved corrections are then stored, which takes a moment.
        if self._documents is not None:
            self.renewed.emit(self._documents, earlier_id, document_id)
            self.take_over(self._documents, earlier_id, document_id)

    def dismiss(self) -> None:
        """Close the document for the user, who may want it to stay closed."""
        if self.is_open:
            self.close_document()
            self.dismissed.emit()

    def close_document(self) -> None:
        """Close the document, end its drawing process and show the view alone."""
        self._looked_up = None
        if self.is_open:
            self.view.close_document()
            self._release()
            self.close_pane()

    def keep_open(self, keys: frozenset[tuple[DocumentLibrary, int]]) -> None:
        """Close the document unless it belongs to these keys."""
        if self._shown is not None and self._shown not in keys:
            self.close_document()

    def _release(self) -> None:
        """Forget the document and end the process that draws it."""
        document, self._document, self._shown = self._document, None, None
        if document is not None:
            # On a thread, as the process may be busy.
            tasks.ask(lambda _token: document.close(), self, lambda _: None)


def _corrections_of(documents: DocumentLibrary, document_id: int) -> PageCorrections | None:
    """Return the corrections of a document with recognized or recognizable pages; None for others."""
    document = documents.store.get(document_id)
    if (
        document is None
        or documents.readings is None
        or not any(page["is_picture"] or page.get("figures") for page in document.info.get("pages", ()))
    ):
        return None
    from app.features.page_reading.corrections import PageCorrections

    return PageCorrections(documents, document_id)
