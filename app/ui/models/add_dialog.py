"""Adding a model file from this computer: asks once where it should be, then copies or moves it in sight."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.errors import AppError, ModelMissing
from app.core.events import CancelToken, CopyProgress
from app.hub.models_folder import checked
from app.ui.models.progress_notice import ProgressNotice
from app.ui.shell import tasks
from app.ui.shell.i18n import size_text, tr, window_title
from app.ui.shell.model_loader import model_name
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.fields import CheckRow, RadioRow

if TYPE_CHECKING:
    from app.bootstrap import Fireside

WIDTH_PX = 480
COPY, MOVE, IN_PLACE = "copy", "move", "in_place"
Then = Callable[[Path], object]


@dataclass(frozen=True)
class Facts:
    """What a person should know before choosing. `is_same_disk`: moving takes no room and no time."""

    size_bytes: int
    free_bytes: int
    is_same_disk: bool


def facts_of(path: Path, folder: Path) -> Facts:
    """Sizes of all files of a model, and the room in the models folder; raises ModelMissing or ModelUnreadable."""
    there = next(one for one in (folder, *folder.parents) if one.is_dir())
    model = checked(path)
    files = [*model.parts, *([model.vision_path] if model.vision_path else [])]
    try:
        size = sum(file.stat().st_size for file in files)
        is_same_disk = path.stat().st_dev == there.stat().st_dev
    except OSError as error:
        raise ModelMissing(str(path)) from error
    return Facts(size, shutil.disk_usage(there).free, is_same_disk)


class AddDialog(QDialog):
    """Asks; `how` and `is_for_always` are the answer once it is accepted."""

    def __init__(self, theme: Theme, path: Path, facts: Facts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        px = theme.px
        self.setObjectName("add_dialog")
        self.setWindowTitle(window_title(tr("Add a model")))
        self.setAccessibleName(tr("Add a model"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(px(WIDTH_PX))
        title = QLabel(model_name(path), textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        title.setFont(theme.font(18, 600))
        ask = QLabel(tr("{size}. Where should the file be?", size=size_text(facts.size_bytes)), wordWrap=True)
        ask.setProperty("kind", "muted")
        ask.setFont(theme.font(14))
        self.choices = {
            COPY: RadioRow(theme, tr("Copy it to Fireside’s models"), _copy_words(facts)),
            MOVE: RadioRow(theme, tr("Move it to Fireside’s models"), _move_words(facts)),
            IN_PLACE: RadioRow(
                theme, tr("Use it where it is"), tr("Takes no room. It works as long as the file stays.")
            ),
        }
        fits = facts.free_bytes > facts.size_bytes
        self.choices[COPY].setEnabled(fits)
        self.choices[MOVE].setEnabled(fits or facts.is_same_disk)
        self.choices[COPY if fits else IN_PLACE].setChecked(True)
        self.always = CheckRow(theme, tr("Do this every time"))
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(20), px(24), px(20))
        column.setSpacing(px(4))
        column.addWidget(title)
        column.addWidget(ask)
        column.addSpacing(px(8))
        for row in self.choices.values():
            column.addWidget(row)
        column.addSpacing(px(4))
        column.addWidget(self.always)
        column.addSpacing(px(12))
        column.addLayout(self._buttons())

    @property
    def how(self) -> str:
        """copy, move or in_place."""
        return next(how for how, row in self.choices.items() if row.isChecked())

    @property
    def is_for_always(self) -> bool:
        """Whether not to ask again."""
        return self.always.isChecked()

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addStretch(1)
        for text, kind, slot in ((tr("Cancel"), "plain", self.reject), (tr("Add"), "primary", self.accept)):
            button = text_button(text, kind)
            button.clicked.connect(slot)
            row.addWidget(button)
        button.setDefault(True)
        return row


def _copy_words(facts: Facts) -> str:
    sizes = {"size": size_text(facts.size_bytes), "free": size_text(facts.free_bytes)}
    if facts.free_bytes <= facts.size_bytes:
        return tr("Takes {size}, and {free} are free there.", **sizes)
    return tr("Takes {size} more; {free} are free there.", **sizes)


def _move_words(facts: Facts) -> str:
    if facts.is_same_disk:
        return tr("Takes no more room. The file leaves where it is now.")
    return tr("The file leaves where it is now; {free} are free there.", free=size_text(facts.free_bytes))


class FileAdding:
    """Adds the files that a person drops on the window or names; one at a time asks, any number may be copied."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, window: QWidget) -> None:
        self._app, self._theme, self._notify, self._window = app, theme, notify, window

    def add_file(self, path: Path, then: Then) -> None:
        """Asks where the file should be, unless the person said so for every time; `then` gets where it is now."""
        always = self._app.settings.models.add_how
        if always:
            self._add(path, always, then)
            return

        def look() -> Iterator[Facts]:
            yield facts_of(path, Path(self._app.settings.models.folder or self._app.paths.models))

        task = tasks.run(lambda _: look(), self._window)
        task.event.connect(lambda facts: self._ask(path, facts, then))
        task.failed.connect(self._notify.error)

    def _ask(self, path: Path, facts: Facts, then: Then) -> None:
        dialog = AddDialog(self._theme, path, facts, self._window)
        dialog.accepted.connect(lambda: self._on_answer(path, dialog, then))
        dialog.open()

    def _on_answer(self, path: Path, dialog: AddDialog, then: Then) -> None:
        if dialog.is_for_always:
            try:
                self._app.change("models", add_how=dialog.how)
            except AppError as error:
                self._notify.error(error)
        self._add(path, dialog.how, then)

    def _add(self, path: Path, how: str, then: Then) -> None:
        """Copies, moves or only notes the file on a thread; a cancelled or failed one leaves everything as it was."""
        name = model_name(path)
        doing = {COPY: tr("Copying {name}", name=name), MOVE: tr("Moving {name}", name=name)}.get(how, "")

        def work(token: CancelToken) -> Iterator[CopyProgress | Path]:
            added = yield from self._app.models.add(path, how, token)
            if not token.cancelled:
                yield added

        task = tasks.run(work, self._window)
        notice = ProgressNotice(self._theme, f"{doing}…", task.cancel) if doing else None
        if notice is not None:
            self._notify.bar.add(notice)
        bar = self._notify.bar

        def on_event(event: CopyProgress | Path) -> None:
            if isinstance(event, Path):
                then(event)
            elif notice is not None and notice in bar.notices and event.total_bytes:  # a person may dismiss it
                sizes = {"done": size_text(event.done_bytes), "total": size_text(event.total_bytes)}
                words = tr("{doing}: {done} of {total}", doing=doing, **sizes)
                notice.show_progress(words, event.done_bytes, event.total_bytes)

        def on_end() -> None:
            if notice is not None and notice in bar.notices:
                notice.dismiss()

        def on_failed(error: BaseException) -> None:
            on_end()
            self._notify.error(error)

        task.event.connect(on_event)
        task.finished.connect(on_end)
        task.failed.connect(on_failed)
