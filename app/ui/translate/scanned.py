"""A translated document of which something was read from pictures: what is told of that, and comparing beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.features.translation.result import BLOCKS, DRAFT, StoredTranslation
from app.ui.document.panel import DocumentPanel
from app.ui.shell.tab_spec import UiContext
from app.ui.translate.document_job import DocumentJob
from app.ui.work.pictures import PicturesLine

if TYPE_CHECKING:
    from app.features.documents import Mark
    from app.features.translation.translations import Translations


class ScannedDocument(QObject):
    """Of the translation that is shown. `line` tells of its pictures, `panel` shows its pages beside the segments.

    A draft in which nothing is translated follows its document by itself.
    """

    def __init__(
        self, translations: Translations, ui: UiContext, job: DocumentJob, line: PicturesLine, panel: DocumentPanel
    ) -> None:
        super().__init__(panel)
        self._translations, self._job, self._line, self.panel = translations, job, line, panel
        self._shown = 0
        line.opened.connect(self._open)
        line.models_wanted.connect(ui.go.open_models)
        if (pictures := ui.pictures) is not None:
            line.watch(pictures)
            panel.renewed.connect(lambda _documents, *ids: pictures.renewed.emit(*ids))
            pictures.renewed.connect(self._on_renewed)

    def show(self, stored: StoredTranslation) -> None:
        """Another translation, or the same one again."""
        if stored.id != self._shown:
            self._shown = stored.id
            self.panel.close_document()
        if stored.format != BLOCKS:
            self._line.show_documents([])
            return
        document = self._job.doing.result_of(lambda: self._translations.document(stored.id))
        self._line.show_documents([document] if document is not None else [])
        if stored.state == DRAFT and not stored.done and self._job.is_outdated:
            self._job.take_again()

    def _open(self, document_id: int, mark: Mark | None) -> None:
        self.panel.open(self._translations.documents, document_id, mark)

    def _on_renewed(self, earlier_id: int, document_id: int) -> None:
        self.panel.take_over(self._translations.documents, earlier_id, document_id)
        self._job.changed.emit()
