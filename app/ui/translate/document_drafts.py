"""The drafts of a document view: files taken, what they would take, whether a model can do it, begun together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.core.errors import AppError
from app.features.messages import sentence_for
from app.features.translation.result import Formality, TranslationWish
from app.features.translation.stored import DRAFT, StoredTranslation, TranslationEstimate
from app.language.names import is_same
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.translate.draft_estimating import DraftEstimating
from app.ui.translate.draft_files import DraftFiles
from app.ui.translate.language_choice import usual_target
from app.ui.translate.text_capability import Able, Capability

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.translate.document_view import DocumentTranslationView


class DocumentDrafts(QObject):
    """Files that are dropped together are one batch: they take the same choices and can be begun at once."""

    def __init__(self, view: DocumentTranslationView, app: Fireside, theme: Theme, notify: Notify) -> None:
        super().__init__(view)
        self._view, self._app, self._notify = view, app, notify
        self._batch: list[int] = []
        self._estimate: TranslationEstimate | None = None
        self._problem = ""
        self.files = DraftFiles(app, theme, notify, self.new_wish, view)
        self.capability = Capability(app, notify, self)
        self.estimating = DraftEstimating(lambda: app.translations, self)
        self.files.added.connect(self._on_added)
        self.files.changed.connect(self._on_files)
        self.capability.changed.connect(self._on_able)
        self.estimating.estimated.connect(self._on_estimated)
        self.estimating.failed.connect(self._on_not_estimated)
        view.page.needs.models_wanted.connect(lambda _page: view.model_wanted.emit())
        view.page.needs.model_came.connect(self.capability.look)

    @property
    def batch(self) -> list[StoredTranslation]:
        """The draft that is shown, and those that were dropped with it and are not begun either."""
        shown = self._view.stored
        if shown is None:
            return []
        others = [self._view.get(one) for one in self._batch if one != shown.id] if shown.id in self._batch else []
        return [shown, *(one for one in others if one is not None and one.state == DRAFT)]

    def add(self, paths: Sequence[str | Path]) -> None:
        """Another batch."""
        self._batch = []
        self.files.add(paths)

    def new_wish(self) -> TranslationWish:
        """What was chosen last; the person's own language before anything was."""
        kept = self._app.settings.translations
        return TranslationWish(usual_target(kept.target), formality=Formality(kept.formality))

    def forget_estimate(self) -> None:
        """What would be done is something else now."""
        self.estimating.stop()
        self._estimate, self._problem = None, ""

    def show(self) -> None:
        """The foot of a draft; nothing for others."""
        stored = self._view.stored
        is_draft = stored is not None and stored.state == DRAFT
        self._view.page.foot.setVisible(is_draft)
        if not is_draft:
            self._view.page.needs.hide()
            self.forget_estimate()
        self._show_able()
        if is_draft:
            if self._estimate is None and not self._problem and not self.estimating.is_busy:
                self._ask()
            self._show_estimate()

    def _show_estimate(self) -> None:
        is_counting = self.estimating.is_busy
        self._view.page.foot.show_drafts(self.batch, self._estimate, is_counting=is_counting, problem=self._problem)

    def _show_able(self) -> None:
        """What the model can do, and which one could where it cannot."""
        able, stored, page = self.capability.able, self._view.stored, self._view.page
        if able is None or stored is None:
            page.foot.show_can(False)
            return
        knows = able.knows
        page.bar.offer(
            able.languages,
            formality=knows is None or knows.takes_formality,
            domain=knows is None or knows.takes_domain,
        )
        can = _can(able, stored)
        page.foot.show_can(can)
        is_needed = stored.state == DRAFT and not can
        if is_needed and page.needs.isHidden():
            page.needs.look(able.missing(stored.source_language, stored.wish.target))
        page.needs.setVisible(is_needed)

    def _ask(self) -> None:
        able, drafts = self.capability.able, self.batch
        if able is not None and drafts and all(_can(able, one) for one in drafts):
            self.estimating.look([one.id for one in drafts])

    def _on_able(self) -> None:
        self._view.page.needs.hide()
        self.forget_estimate()
        self.show()

    def _on_added(self, stored: StoredTranslation) -> None:
        if is_same(stored.source_language, stored.wish.target):
            self._choose_another(stored)
        self._batch.append(stored.id)
        self._view.list_changed.emit()
        shown = self._view.stored
        if shown is None:
            self._view.show_translation(stored.id)
        elif shown.id in self._batch:
            self.forget_estimate()
            self.show()

    def _choose_another(self, stored: StoredTranslation) -> None:
        """The document is in the language that was chosen before it was known."""
        able = self.capability.able
        kept = self._app.settings.translations.target
        target = usual_target(kept, stored.source_language, able.languages if able is not None else ())
        self._view.doing.try_to(lambda: self._app.translations.change(stored.id, replace(stored.wish, target=target)))

    def _on_files(self) -> None:
        """Those that could not be read are told of once another one is shown; without any the beginning is."""
        shown, files = self._view.stored, self.files
        if shown is None and not files.files and not self._batch:
            self._view.shown_changed.emit(None)
        elif shown is not None and not files.is_reading:
            for one in [one for one in files.files if one.error]:
                self._notify.mention(one.error)
                files.files.remove(one)

    def _on_estimated(self, estimate: TranslationEstimate) -> None:
        self._estimate = estimate
        self._show_estimate()

    def _on_not_estimated(self, error: BaseException) -> None:
        if not isinstance(error, AppError):
            self._notify.error(error)
        self._problem = tr(sentence_for(error).text)
        self._show_estimate()


def _can(able: Able, stored: StoredTranslation) -> bool:
    return able.can(stored.source_language, stored.wish.target)
