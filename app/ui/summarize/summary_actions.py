"""What a person does with a summary that is shown: stop, go on, again, rename, ask, save, copy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint

from app.features.summaries import StoredSummary
from app.features.summary.result import Summary, Wish
from app.ui.shell.notify import Notify
from app.ui.summarize.saving import Saving

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.summarize.summarize_view import SummarizeView


class SummaryActions(QObject):
    """Hears the buttons of the pages; all that it does is about the summary that the view shows."""

    def __init__(self, view: SummarizeView, app: Fireside, notify: Notify) -> None:
        super().__init__(view)
        self._view, self._app = view, app
        self.saving = Saving(app, notify, view)
        view.work.stop_wanted.connect(self._on_stop)
        result = view.result
        result.again_wanted.connect(self._on_again)
        result.bar.resumed.connect(self._on_resumed)
        result.head.title.renamed.connect(self._on_renamed)
        result.head.ask_wanted.connect(self._on_ask)
        result.head.save_wanted.connect(self._on_save)
        result.head.copy_wanted.connect(self._on_copy)
        result.head.translate_wanted.connect(self._on_translate)

    @property
    def titled(self) -> Summary | None:
        """The summary that is shown, with the title that it has now."""
        summary, stored = self._view.result.summary, self._view.result.stored
        return replace(summary, title=stored.title) if summary is not None and stored is not None else None

    def _on_stop(self) -> None:
        number = self._view.summary_id
        if number is not None:
            self._view.keep(lambda: self._app.summaries.stop(number))
            self._view.on_row_changed(number)

    def _on_resumed(self) -> None:
        number = self._view.summary_id
        if number is not None and self._view.keep(lambda: self._app.summaries.resume(number)):
            self._view.runner.start()
            self._view.on_row_changed(number)

    def _on_again(self, wish: Wish) -> None:
        stored = self._view.result.stored
        if stored is None:
            return
        ids, begun = list(stored.document_ids), list[StoredSummary]()

        def begin() -> None:
            begun.extend(self._app.summaries.begin(ids, wish, together=True, is_draft=False))

        if self._view.keep(begin) and begun:
            self._view.show_begun(begun[0])

    def _on_renamed(self, title: str) -> None:
        number = self._view.summary_id
        if number is not None and self._view.keep(lambda: self._app.summaries.rename(number, title)):
            self._view.on_row_changed(number)

    def _on_ask(self) -> None:
        stored = self._view.result.stored
        if stored is not None:
            self._view.ask_wanted.emit(list(stored.document_ids), stored.title)

    def _on_save(self) -> None:
        summary, button = self.titled, self._view.result.head.save
        if summary is not None:
            self.saving.menu(summary).popup(button.mapToGlobal(QPoint(0, button.height())))

    def _on_translate(self) -> None:
        summary = self.titled
        if summary is not None:
            parts, group = [summary.title], ""
            for one in summary.statements:
                parts += [one.group] if one.group and one.group != group else []
                parts.append(one.text)
                group = one.group
            self._view.translate_wanted.emit("\n\n".join(parts))

    def _on_copy(self) -> None:
        summary = self.titled
        if summary is not None:
            self.saving.copy(summary)
