"""Downloads page: a view of the stored queue, so it survives a restart; and notices elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal

from app import APP_NAME
from app.core.errors.app_error import AppError
from app.features.models.installed import PASSAGES, embeds_texts
from app.hub.model_files import quantization_of
from app.ui.i18n import Translatable, sentence_for, tr, tr_count
from app.ui.model_texts import join, problem_words, quantization_label, state_words
from app.ui.models.model_card import ModelCard
from app.ui.models.models_page import ModelsPage
from app.ui.shared_labels import CANCEL, DOWNLOADS, PAUSE, REMOVE_FROM_LIST, RESUME, TRY_AGAIN, USE_IN_CHAT, USE_IT
from app.ui.shell import tasks
from app.ui.shell.desktop import TaskBar
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import ACTION_LABELS, Notify
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme
from app.ui.widgets.notice_bar import Notice

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.models.collection import ModelCollection
    from app.hub.download import Download
    from app.ui.theme import Theme

PART_COUNT = "{count} parts"
WITH_ITS_VISION_FILE = "with picture support"
DOWNLOADED = "Downloaded"
MODEL_DOWNLOADED = "{name} downloaded."
MODEL_NOT_FETCHED = "Couldn’t download {name}"


# The groups of the page, with the states of the queue that each holds.
_GROUPS = (("Now", ("running",)), ("Waiting", ("queued", "paused", "failed")), ("Finished", ("done",)))


class DownloadsPage(ModelsPage):
    """Page of downloads; changes are pushed to it, the list is read on a thread."""

    use_wanted = Signal(object)
    """Carries the path of a model."""
    counted = Signal(int)
    """Number of unfinished downloads."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__(ui.theme, tr(DOWNLOADS))
        self._app, self._notify = app, ui.notify
        self._downloads: dict[int, Download] = {}
        self._rows: dict[int, DownloadRow] = {}
        self._order: list[tuple[str, int]] = []

    def reload(self) -> tasks.BackgroundTask:
        return self.ask_anew(lambda _: self._app.models.downloads.all(), self._show_all, self._notify.error)

    def show_change(self, download: Download) -> None:
        """Update a download; reload the queue if it is new, gone, or its state changed."""
        # Progress comes many times a second; only another state moves a row to another group.
        if (known := self._downloads.get(download.id)) is None or known.state != download.state:
            self.reload()
        else:
            self._downloads[download.id] = download
            self._rows[download.id].show_download(download)

    def _show_all(self, downloads: list[Download]) -> None:
        self._downloads = {download.id: download for download in downloads}
        self._show()

    def _show(self) -> None:
        groups = [
            (heading, [download for download in self._downloads.values() if download.state in states])
            for heading, states in _GROUPS
        ]
        order = [(heading, member.id) for heading, members in groups for member in members]
        for download in self._downloads.values():
            if download.id in self._rows:
                self._rows[download.id].show_download(download)
        if order != self._order:
            self._order = order
            self._arrange([(heading, members) for heading, members in groups if members])
            self.counted.emit(sum(1 for download in self._downloads.values() if download.state != "done"))
        self.show_text(
            self.empty, "" if order else tr("No downloads yet. Files you download from the Hub appear here.")
        )
        self.show_text(self.foot, tr("Downloads resume where they stopped, even after a restart.") if order else "")

    def _arrange(self, groups: list[tuple[Translatable, list[Download]]]) -> None:
        # A row that moves leaves its layout, not its parent, so its buttons can have the focus again.
        focused = next((row for row in self._rows.values() if row.isAncestorOf(self.focusWidget() or self)), None)
        button = self.focusWidget() if focused else None
        # Moved and not rebuilt, so that the focus stays.
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
        if (row := self._rows.get(download.id)) is None:
            row = DownloadRow(self._theme, download, run_command=partial(self._on_command, download.id))
            row.key_pressed.connect(lambda key, row=row: self._on_key(row, key))
            self._rows[download.id] = row
        return row

    def _on_key(self, row: DownloadRow, key: int) -> None:
        steps = {Qt.Key.Key_Down.value: 1, Qt.Key.Key_Up.value: -1}
        if key in steps:
            self.move_focus(row, steps[key])

    def _on_command(self, download_id: int, command: DownloadCommand) -> None:
        downloads = self._app.models.downloads
        match command:
            case DownloadCommand.USE:
                if paths := self._downloads[download_id].paths:
                    self.use_wanted.emit(Path(paths[0]))
            case DownloadCommand.FOLLOW_ERROR:
                if action := self._notify.actions.get(self._rows[download_id].action):
                    action()
            case DownloadCommand.PAUSE:
                self._change(partial(downloads.pause, download_id))
            case DownloadCommand.RESUME | DownloadCommand.RETRY:
                self._change(partial(downloads.resume, download_id))
            case DownloadCommand.CANCEL:
                self._change(partial(downloads.cancel, download_id))
            case DownloadCommand.REMOVE:
                self._change(partial(downloads.remove, download_id))

    def _change(self, change: Callable[[], object]) -> None:
        # On a thread, since the queue writes to the store.
        self.ask(lambda _: change(), lambda _: self.reload(), self._notify.error)


class DownloadCommand(StrEnum):
    """What a button of a row asks for; its value is the button's key and object name."""

    USE = "use"
    PAUSE = "pause"
    RESUME = "resume"
    FOLLOW_ERROR = "act"
    """Go where the error leads: to the settings of the network, or to the storage page."""
    RETRY = "retry"
    CANCEL = "cancel"
    REMOVE = "remove"


# By state of the queue. Enter presses the first one, Delete the last.
_BUTTONS = {
    "queued": (DownloadCommand.PAUSE, DownloadCommand.CANCEL),
    "running": (DownloadCommand.PAUSE, DownloadCommand.CANCEL),
    "paused": (DownloadCommand.RESUME, DownloadCommand.CANCEL),
    "failed": (DownloadCommand.RETRY, DownloadCommand.FOLLOW_ERROR, DownloadCommand.CANCEL),
    "done": (DownloadCommand.USE, DownloadCommand.REMOVE),
}


# Actions that an error of a download may name and a row can offer.
_ACTIONS = ("network", "storage")


class DownloadRow(ModelCard):
    """Row of a download with the buttons that fit its state."""

    def __init__(self, theme: Theme, download: Download, *, run_command: Callable[[Any], object]) -> None:
        super().__init__(theme, download.request.title)
        self.run_command = run_command
        """Carries the `DownloadCommand` of the button that was pressed."""
        self.id, self.state, self.action = download.id, "", ""
        for command, text, kind in (
            (DownloadCommand.USE, tr(USE_IN_CHAT), "plain"),
            (DownloadCommand.PAUSE, tr(PAUSE), "quiet"),
            (DownloadCommand.RESUME, tr(RESUME), "plain"),
            (DownloadCommand.FOLLOW_ERROR, "", "plain"),
            (DownloadCommand.RETRY, tr(TRY_AGAIN), "plain"),
            (DownloadCommand.CANCEL, tr(CANCEL), "quiet"),
            (DownloadCommand.REMOVE, tr(REMOVE_FROM_LIST), "quiet"),
        ):
            self.add_button(command, text, partial(self.run_command, command), kind)
        self.align_buttons(DownloadCommand.PAUSE, DownloadCommand.RESUME, DownloadCommand.RETRY)
        self.key_pressed.connect(self._on_key)
        self.show_download(download)

    def show_download(self, download: Download) -> None:
        """Show the current state; buttons that remain keep the focus."""
        self.show_words(facts=state_words(download), source=content_words(download), problem=problem_words(download))
        begun = download.done_bytes > 0 or download.state == "running"
        self.progress.setVisible(download.state != "done" and begun)
        self.progress.setAccessibleName(tr("Download of {name}", name=download.request.title))
        self.progress.show_share(download.done_bytes, download.total_bytes)
        if download.state != self.state:
            self.state = download.state
            self.action = sentence_for(download.error).action if download.error is not None else ""
            label = tr(ACTION_LABELS[self.action]) if self.action in _ACTIONS else ""
            follow = self.buttons[DownloadCommand.FOLLOW_ERROR]
            follow.setText(label)
            follow.setAccessibleName(label)
            self.show_buttons(
                *(command for command in _BUTTONS[download.state] if command != DownloadCommand.FOLLOW_ERROR or label)
            )
            self.show_badge(tr(DOWNLOADED) if download.state == "done" else "", "success")

    def _on_key(self, key: int) -> None:
        keys = {Qt.Key.Key_Return.value: 0, Qt.Key.Key_Delete.value: -1}
        if key in keys:
            self.run_command(_BUTTONS[self.state][keys[key]])


def content_words(download: Download) -> str:
    """Return what is downloaded: source, quantization, additional files."""
    request = download.request
    kind = quantization_label(quantization_of(request.files[0].name)) if request.files else ""
    parts = tr_count("{count} part", PART_COUNT, len(request.files)) if len(request.files) > 1 else ""
    return join(kind, parts, tr(WITH_ITS_VISION_FILE) if request.vision else "", request.repo)


RUNNING_STATES = ("queued", "running")


class DownloadWatch(QObject):
    """Listener to downloads on any thread; `changed` is emitted on the window's."""

    changed = Signal(object)
    """Carries a `Download`."""
    _list_changed = Signal()

    def __init__(
        self, models: ModelCollection, theme: Theme, notify: Notify, loader: ModelLoader, *, task_bar: TaskBar
    ) -> None:
        super().__init__(notify)
        self._models, self._theme, self._notify, self._loader = models, theme, notify, loader
        self.task_bar = task_bar
        # What ended before this start was told then.
        self._running: dict[int, Download] = {
            download.id: download for download in models.downloads.all() if download.state in RUNNING_STATES
        }
        self._done_notices: dict[Path, Notice] = {}
        """Visible notices about downloaded models."""
        # Emitted on the queue's threads, received on the window's: this object lives there.
        self.changed.connect(self._on_changed)
        self._list_changed.connect(self._take_back)
        loader.changed.connect(self._take_back)
        self._unlisten = models.download_changed.listen(self.changed.emit)
        self._unlisten_list = models.list_changed.listen(lambda _: self._list_changed.emit())
        self._show_progress()

    def close(self) -> None:
        """Stop listening at exit, before the components are closed."""
        self._unlisten()
        self._unlisten_list()
        self.task_bar.close()

    def _on_changed(self, download: Download) -> None:
        was_running = self._running.pop(download.id, None) is not None
        if download.state in RUNNING_STATES:
            self._running[download.id] = download
        elif was_running and download.state == "done":
            self._say_done(download)
        elif was_running and download.state == "failed" and download.error is not None:
            self._say_failed(download, download.error)
        self._show_progress()

    def _take_back(self) -> None:
        """Withdraw notices about models that are in use or deleted by now."""
        for path, notice in list(self._done_notices.items()):
            if path == self._loader.path or not path.is_file():
                notice.dismiss()

    def _show_progress(self) -> None:
        total = sum(download.total_bytes for download in self._running.values())
        done = sum(download.done_bytes for download in self._running.values())
        self.task_bar.show_progress(done / total if total else None)  # None removes the bar

    def _say_done(self, download: Download) -> None:
        text = tr(MODEL_DOWNLOADED, name=download.request.title)
        if download.paths:
            path = Path(download.paths[0])
            use = (
                # An embedding model can't chat, so it is offered for passages.
                partial(self._models.choose_model, PASSAGES, path)
                if embeds_texts(path)
                else partial(self._loader.load, path)
            )
            notice = self._done_notices[path] = self._notify.offer(text, tr(USE_IT), use)
            notice.left.connect(lambda: self._done_notices.pop(path, None))
        else:
            self._notify.mention(text)
        self.task_bar.tell_system(APP_NAME, text, self._notify.actions.get("downloads"))

    def _say_failed(self, download: Download, error: AppError) -> None:
        sentence = sentence_for(error)
        can_retry = sentence.action == "retry"
        self._notify.error(error, action=(lambda: self._models.downloads.resume(download.id)) if can_retry else None)
        title = tr(MODEL_NOT_FETCHED, name=download.request.title)
        self.task_bar.tell_system(title, sentence.text, self._notify.actions.get("downloads"))
