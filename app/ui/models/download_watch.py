"""Tells about downloads wherever the person is: a bar on the task bar, a notice and a notification at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app import APP_NAME
from app.core.errors import AppError
from app.features.messages import sentence_for
from app.ui.i18n import tr
from app.ui.shell.desktop import TaskBar
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify
from app.ui.widgets.notice_bar import Notice

if TYPE_CHECKING:
    from app.features.models.collection import Models
    from app.hub.download import Download
    from app.ui.theme import Theme

RUNS = ("queued", "running")


class DownloadWatch(QObject):
    """Hears of every change, on whatever thread; `changed` brings it on the window's."""

    changed = Signal(object)
    """A `Download`."""

    def __init__(self, models: Models, theme: Theme, notify: Notify, loader: ModelLoader, *, task_bar: TaskBar) -> None:
        super().__init__(notify)
        self._models, self._theme, self._notify, self._loader = models, theme, notify, loader
        self.task_bar = task_bar
        self._running: dict[int, Download] = {
            download.id: download for download in models.downloads.all() if download.state in RUNS
        }
        self.changed.connect(self._on_changed)
        self._unlisten = models.listen(self.changed.emit)
        self._show_progress()

    def close(self) -> None:
        """At quit: before the parts go."""
        self._unlisten()
        self.task_bar.close()

    def _on_changed(self, download: Download) -> None:
        was_running = self._running.pop(download.id, None) is not None
        if download.state in RUNS:
            self._running[download.id] = download
        elif was_running and download.state == "done":
            self._say_done(download)
        elif was_running and download.state == "failed" and download.error is not None:
            self._say_failed(download, download.error)
        self._show_progress()

    def _show_progress(self) -> None:
        total = sum(download.total_bytes for download in self._running.values())
        done = sum(download.done_bytes for download in self._running.values())
        self.task_bar.show_progress(done / total if total else None)

    def _say_done(self, download: Download) -> None:
        text = tr("{name} is here.", name=download.request.title)
        notice = Notice(self._theme, text)
        if download.paths:
            path = Path(download.paths[0])
            notice.add_button(tr("Use it"), lambda: self._loader.load(path))
        self._notify.bar.add(notice)
        self.task_bar.tell_system(APP_NAME, text, self._notify.actions.get("downloads"))

    def _say_failed(self, download: Download, error: AppError) -> None:
        sentence = sentence_for(error)
        can_retry = sentence.action == "retry"
        self._notify.error(error, action=(lambda: self._models.downloads.resume(download.id)) if can_retry else None)
        title = tr("{name} was not fetched", name=download.request.title)
        self.task_bar.tell_system(title, tr(sentence.text), self._notify.actions.get("downloads"))
