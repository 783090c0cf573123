"""The first start: looks for a model that would serve better than the starter, and fetches it when asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, SignalInstance

from app.core.events import CancelToken
from app.core.paths import starter_model
from app.features.messages import sentence_for
from app.ui.chat.empty_state import EmptyState
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify

if TYPE_CHECKING:
    from app.features.models.collection import Models, Suggestion
    from app.hub.catalog import Entry
    from app.hub.downloads import Download


class FirstSuggestion(QObject):
    """Looks once the starter is in, so that nothing competes with its loading; and when a download comes or goes."""

    def __init__(
        self, models: Models, notify: Notify, loader: ModelLoader, empty: EmptyState, downloads_changed: SignalInstance
    ) -> None:
        super().__init__(empty)
        self._models, self._notify, self._loader, self._empty = models, notify, loader, empty
        self._states: dict[int, str] = {}
        self._looked = False
        self._asked: set[str] = set()
        empty.download_wanted.connect(self.download)
        loader.changed.connect(self._on_model_changed)
        downloads_changed.connect(self._on_download)
        self._on_model_changed()

    def download(self, entry: Entry) -> None:
        """Fetches a model; the repository is asked first, so it takes a moment."""
        if entry.id in self._asked:
            return
        self._asked.add(entry.id)

        def work(token: CancelToken) -> Iterator[Download]:
            yield self._models.download_entry(entry, token)

        def on_end(error: BaseException | None = None) -> None:
            self._asked.discard(entry.id)
            if error is not None:
                can_retry = sentence_for(error).action == "retry"
                self._notify.error(error, action=(lambda: self.download(entry)) if can_retry else None)
            self.look()

        self._notify.mention(tr("Asking the Hub for {name}…", name=entry.name))
        task = tasks.run(work, self)
        task.finished.connect(on_end)
        task.failed.connect(on_end)

    def look(self) -> None:
        """Asks on a thread which model suits this computer."""

        def work() -> Iterator[Suggestion | None]:
            here = self._models.suggestions("chat", 3)
            useful = [each for each in here if each.installed is None and each.fit.is_usable]
            yield None if any(each.installed for each in here) else next(iter(useful), None)

        task = tasks.run(lambda _: work(), self)
        task.event.connect(self._empty.show_suggestion)

    def _on_model_changed(self) -> None:
        is_starter_in = self._loader.state == "ready" and self._loader.path == starter_model()
        if is_starter_in and not self._looked:
            self.look()
        self._looked = is_starter_in

    def _on_download(self, download: Download) -> None:
        if self._states.get(download.id) != download.state:  # progress alone changes nothing here
            self._states[download.id] = download.state
            if self._looked:
                self.look()
