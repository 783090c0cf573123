"""The glossary of the document that is shown: the terms of its languages, and whether the document follows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.core.errors import AppError
from app.features.translation.result import Term
from app.features.work.queue import DONE
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.translate.glossary_memory import MemoryFiles
from app.ui.translate.translation_texts import name_of

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.translate.document_view import DocumentTranslationView


class DocumentTerms(QObject):
    """Terms are kept at once; a document that is done follows them when that is asked for."""

    def __init__(self, view: DocumentTranslationView, app: Fireside, theme: Theme, notify: Notify) -> None:
        super().__init__(view)
        self._view, self._app, self._theme, self._notify = view, app, theme, notify
        self._is_new: set[int] = set()
        view.glossary.changed.connect(self._on_changed)
        view.glossary.memory_wanted.connect(self._show_memory)
        translations = app.translations
        view.glossary.memory = MemoryFiles(notify, view, translations.import_tmx, translations.export_tmx)

    @property
    def pair(self) -> tuple[str, str]:
        """The languages whose glossary is shown."""
        stored = self._view.stored
        if stored is None:
            return "", ""
        wish = self._view.pending or stored.wish
        return wish.source or stored.source_language, wish.target

    def show(self) -> None:
        """How many there are, and in the panel, where that is open, all of them."""
        stored, (source, target) = self._view.stored, self.pair
        if stored is None:
            return
        try:
            terms = self._app.translations.glossary(source, target)
        except AppError as error:
            self._notify.error(error)
            return
        is_open = self._view.is_glossary_open
        self._view.page.head.show_terms(len(terms), is_open=is_open)
        if is_open:
            names = (name_of(source) or tr("Original"), name_of(target))
            self._view.glossary.show_terms(terms, names, f"{source}-{target}")
            self._view.glossary.show_apply(stored.state == DONE and stored.id in self._is_new)

    def show_found(self, terms: Sequence[Term] | None = None) -> None:
        """What the document repeats and how it is translated in all of it; None is what was stored of it."""
        stored, found = self._view.stored, list[Term](terms or ())
        if terms is None and stored is not None:
            self._view.doing.try_to(lambda: found.extend(self._app.translations.terms(stored.id)))
        self._view.glossary.show_found(found)

    def followed(self, translation_id: int) -> None:
        """The document follows the glossary from now on."""
        self._is_new.discard(translation_id)

    def _show_memory(self) -> None:
        from app.ui.memory_dialog import MemoryDialog  # not needed at start

        shown = self._view.stored.id if self._view.stored is not None else None
        MemoryDialog(self._app.translations, self._theme, self._notify, self._view, shown).open()

    def _on_changed(self) -> None:
        stored, (source, target), terms = self._view.stored, self.pair, self._view.glossary.terms.terms
        kept = self._view.doing.try_to(lambda: self._app.translations.keep_glossary(source, target, terms))
        if stored is not None and kept:
            self._is_new.add(stored.id)
            self._view.drafts.forget_estimate()
            self._view.drafts.show()
            self.show()
