"""What a person does with a translated document: begin, stop, go on, apply, edit, accept, follow a flag, save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.core.errors import AppError
from app.documents.segments import Content
from app.features.translation.result import TranslationWish
from app.features.translation.stored import Row, StoredTranslation
from app.features.work.queue import QUEUED, RUNNING
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.translate.flag_remedies import with_term
from app.ui.translate.flag_texts import Remedy
from app.ui.translate.side_by_side_rows import Link

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.translate.document_view import DocumentTranslationView


class DocumentActions(QObject):
    """Listens to the widgets of a view; what is stored goes wrong in words."""

    def __init__(self, view: DocumentTranslationView, app: Fireside, notify: Notify) -> None:
        super().__init__(view)
        self._view, self._app, self._notify = view, app, notify
        page = view.page
        page.head.next_wanted.connect(lambda: self.go_to_flagged(page.segments.current + 1))
        page.head.save_wanted.connect(self._save)
        page.head.forms_wanted.connect(self._show_forms)
        page.bar.stop_wanted.connect(self.stop)
        page.state.go_on_wanted.connect(self.go_on)
        page.foot.begun.connect(self.begin)
        page.segments.edited.connect(self.edit)
        page.segments.accepted.connect(self.accept)
        page.segments.next_wanted.connect(self.go_to_flagged)
        page.segments.remedy_wanted.connect(self.follow)
        view.glossary.apply_wanted.connect(self.apply)

    def try_to(self, do: Callable[[], object]) -> bool:
        """Does something that is stored; what goes wrong is told. Whether it was done."""
        try:
            do()
        except AppError as error:
            self._notify.error(error)
            return False
        except KeyError:
            self._notify.mention(tr("This translation is not there any more."))
            return False
        return True

    def remember(self, wish: TranslationWish, *, is_target_chosen: bool = True) -> None:
        """What was chosen is what the next documents begin with."""
        kept = self._app.settings.translations
        target = wish.target if is_target_chosen else kept.target
        if (target, wish.formality.value) != (kept.target, kept.formality):
            self.try_to(lambda: self._app.change("translations", target=target, formality=wish.formality.value))

    def change(self, drafts: Sequence[StoredTranslation], wish: TranslationWish) -> bool:
        """Drafts are to be translated otherwise. The source's language is each one's own, but for the first."""
        first = drafts[0].id if drafts else 0

        def all_of_them() -> None:
            for one in drafts:
                source = wish.source if one.id == first else one.wish.source
                self._app.translations.change(
                    one.id, TranslationWish(wish.target, source, wish.formality, wish.domain, one.wish.glossary)
                )

        return self.try_to(all_of_them)

    def begin(self, is_all: bool) -> None:
        """Translates what was put together."""
        drafts = self._view.drafts.batch if is_all else self._view.drafts.batch[:1]
        self._view.drafts.estimating.stop()
        self._queue([one.id for one in drafts])

    def stop(self) -> None:
        """What is done is kept."""
        if (stored := self._view.stored) is not None:
            self.try_to(lambda: self._app.translations.stop(stored.id))
            self._view.refresh()
            self._view.list_changed.emit()

    def go_on(self) -> None:
        """Goes on with one that was stopped or failed, or follows what was chosen."""
        stored = self._view.stored
        if stored is None:
            return
        if self._view.pending is not None:
            self.apply()
        elif self.try_to(lambda: self._app.translations.resume(stored.id)):
            self._on_queued()

    def apply(self) -> None:
        """The document follows the languages and the glossary that were chosen; only what that changes is asked."""
        stored, wish = self._view.stored, self._view.pending
        if stored is None:
            return
        if wish is not None and not self.change([stored], wish):
            return
        self._view.forget_pending()
        if stored.state in (QUEUED, RUNNING):
            self._view.page.segments.rows.forget()
            self._on_queued()
        else:
            self._queue([stored.id])

    def edit(self, segment_id: int, content: Content) -> None:
        """What a person made of a segment."""
        self._keep(lambda number: self._app.translations.edit(number, segment_id, content))

    def accept(self, segment_id: int) -> None:
        """A segment is good as it is."""
        self._keep(lambda number: self._app.translations.accept(number, segment_id))

    def go_to_flagged(self, after: int) -> None:
        """The next segment to look at, from the top again at the end."""
        stored, found = self._view.stored, list[int | None]()
        if stored is None:
            return
        self.try_to(lambda: found.append(self._app.translations.next_flagged(stored.id, after)))
        segments = self._view.page.segments
        if found and found[0] is not None:
            segments.close_editor()
            segments.go_to(found[0] - 1)
        elif found:
            self._notify.mention(tr("Nothing is left to look at."))

    def follow(self, segment_id: int, link: Link) -> None:
        """One of the two things to do about a flag."""
        if link.remedy is Remedy.KEEP:
            self.accept(segment_id)
        elif link.remedy is Remedy.USE_TERM:
            self._use_term(segment_id, link.told.flag.wanted)
        elif (stored := self._view.stored) is not None:
            again = self.try_to(lambda: self._app.translations.translate_again(stored.id, segment_id))
            if again:
                self._show_row(segment_id)
                self._on_queued()

    def _use_term(self, segment_id: int, wanted: str) -> None:
        """Where its place is not plain, the editor opens with it at the end, for a person to move it."""
        segments = self._view.page.segments
        row = segments.rows.row(segment_id - 1)
        if row is None or row.translated is None:
            return
        content = with_term(row.translated.content, wanted)
        if content is not None:
            self.edit(segment_id, content)
            return
        segments.edit_row(segment_id - 1)
        if segments.editor is not None:
            segments.editor.offer(wanted)

    def _keep(self, do: Callable[[int], Row]) -> None:
        stored = self._view.stored
        if stored is None:
            return
        rows: list[Row] = []
        if self.try_to(lambda: rows.append(do(stored.id))) and rows:
            self._view.page.segments.rows.put_row(rows[0])
            self._view.refresh()

    def _show_row(self, segment_id: int) -> None:
        self._keep(lambda number: self._app.translations.row(number, segment_id))

    def _queue(self, ids: Sequence[int]) -> None:
        if not ids or not self.try_to(lambda: self._app.translations.begin(ids)):
            return
        for number in ids:
            self._view.terms.followed(number)
        self._view.page.segments.rows.forget()
        self._on_queued()
        self._view.page.segments.setFocus()

    def _on_queued(self) -> None:
        self._view.refresh()
        self._view.list_changed.emit()
        self._view.runner.start()

    def _save(self) -> None:
        if (stored := self._view.stored) is not None:
            self._view.page.segments.close_editor()
            self._view.saving.ask(stored)

    def _show_forms(self, button: QWidget) -> None:
        if (stored := self._view.stored) is not None:
            self._view.page.segments.close_editor()
            menu = self._view.saving.menu(stored)
            menu.popup(button.mapToGlobal(button.rect().bottomLeft()))
