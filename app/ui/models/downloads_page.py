"""The downloads: running, waiting, finished; the list is the queue's own, so it is the same after a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal

from app.ui.models.download_row import DownloadRow
from app.ui.models.page import ModelsPage
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.hub.downloads import Download

_GROUPS = (("Now", ("running",)), ("Waiting", ("queued", "paused", "failed")), ("Finished", ("done",)))


class DownloadsPage(ModelsPage):
    """Shows every change that it is told; asks the queue on a thread."""

    use_wanted = Signal(object)
    """The path of a model."""
    counted = Signal(int)
    """How many are not finished."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify) -> None:
        super().__init__(theme, tr("Downloads"))
        self._app, self._notify = app, notify
        self._downloads: dict[int, Download] = {}
        self._rows: dict[int, DownloadRow] = {}
        self._order: list[tuple[str, int]] = []

    def reload(self) -> tasks.Task:
        """Reads the queue again."""
        task = self.ask_anew(lambda _: self._app.models.downloads.all(), self._show_all)
        task.failed.connect(self._notify.error)
        return task

    def show_change(self, download: Download) -> None:
        """One of them moved on; where it came, went or changed its state, the queue says what there is."""
        known = self._downloads.get(download.id)
        if known is None or known.state != download.state:
            self.reload()
        else:
            self._downloads[download.id] = download
            self._rows[download.id].show_download(download)

    def _show_all(self, downloads: list[Download]) -> None:
        self._downloads = {download.id: download for download in downloads}
        self._show()

    def _show(self) -> None:
        groups = [
            (heading, [one for one in self._downloads.values() if one.state in states]) for heading, states in _GROUPS
        ]
        order = [(heading, one.id) for heading, members in groups for one in members]
        for one in self._downloads.values():
            if one.id in self._rows:
                self._rows[one.id].show_download(one)
        if order != self._order:
            self._order = order
            self._arrange([(heading, members) for heading, members in groups if members])
            self.counted.emit(sum(1 for one in self._downloads.values() if one.state != "done"))
        self.say(self.empty, "" if order else tr("No downloads. What you download from the Hub shows here."))
        self.say(self.foot, tr("A download goes on where it was, also after a restart.") if order else "")

    def _arrange(self, groups: list[tuple[str, list[Download]]]) -> None:
        """Puts the rows in order; rows that are there already move, so that a focus stays where it is."""
        focused = next((row for row in self._rows.values() if row.isAncestorOf(self.focusWidget() or self)), None)
        button = self.focusWidget() if focused else None
        for row in self._rows.values():
            self.rows.removeWidget(row)
        self.clear_rows()
        for gone in self._rows.keys() - self._downloads.keys():
            row = self._rows.pop(gone)
            row.hide()
            row.deleteLater()
        for heading, members in groups:
            self.add_heading(tr(heading))
            for download in members:
                self.rows.addWidget(self._row(download))
        if button is not None and focused in self._rows.values() and button.isVisible():
            button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _row(self, download: Download) -> DownloadRow:
        row = self._rows.get(download.id)
        if row is None:
            row = DownloadRow(self._theme, download)
            row.wanted.connect(lambda what, id=download.id: self._on_wanted(id, what))
            row.key_pressed.connect(lambda key, row=row: self._on_key(row, key))
            self._rows[download.id] = row
        return row

    def _on_key(self, row: DownloadRow, key: int) -> None:
        steps = {Qt.Key.Key_Down.value: 1, Qt.Key.Key_Up.value: -1}
        if key in steps:
            self.move_focus(row, steps[key])

    def _on_wanted(self, download_id: int, what: str) -> None:
        if what == "use":
            download = self._downloads[download_id]
            if download.paths:
                self.use_wanted.emit(Path(download.paths[0]))
            return
        if what == "act":
            action = self._notify.actions.get(self._rows[download_id].action)
            if action is not None:
                action()
            return
        downloads = self._app.models.downloads
        acts: dict[str, Callable[[int], object]] = {
            "pause": downloads.pause, "resume": downloads.resume, "retry": downloads.retry,
            "cancel": downloads.cancel, "remove": downloads.remove,
        }  # fmt: skip
        self.ask(lambda _: acts[what](download_id), lambda _: self.reload()).failed.connect(self._notify.error)
