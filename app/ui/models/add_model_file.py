"""Adding a model file: asks once where to put it, then copies or moves it with visible progress."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.core.errors.model_errors import ModelMissing
from app.core.events import CancelToken, CopyProgress
from app.core.lazy_dataclasses import dataclass
from app.hub.models_folder import require_model
from app.ui.i18n import size_text, tr
from app.ui.models.installed_page import Then
from app.ui.shared_labels import ADD
from app.ui.shell import tasks
from app.ui.shell.model_loader import model_name
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme
from app.ui.widgets.dialogs import Dialog, cancel_or
from app.ui.widgets.input_fields import CheckRow, RadioRow
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import fill_layout
from app.ui.widgets.notice_bar import ProgressNotice

if TYPE_CHECKING:
    from app.bootstrap import Fireside


COPYING_MODEL = "Copying {name}"
WIDTH_PX = 480
COPY, MOVE, IN_PLACE = "copy", "move", "in_place"


@dataclass(frozen=True)
class ModelFileFacts:
    """Facts for the choice how to add a model. On the same disk (`is_same_disk`), moving needs no space or time."""

    size_bytes: int
    free_bytes: int
    is_same_disk: bool


def facts_of_file(path: Path, folder: Path) -> ModelFileFacts:
    """Return the sizes of a model's files and the free space in the models folder.

    Raises ModelMissing or ModelUnreadable.
    """
    # The folder may be new; the disk is that of the nearest one that exists.
    there = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
    model = require_model(path)
    files = [*model.parts, *([model.vision_path] if model.vision_path else [])]
    try:
        size = sum(file.stat().st_size for file in files)
        is_same_disk = path.stat().st_dev == there.stat().st_dev
    except OSError as error:
        raise ModelMissing(str(path)) from error
    return ModelFileFacts(size, shutil.disk_usage(there).free, is_same_disk)


class AddDialog(Dialog):
    """Question how to add a file; read `how` and `is_for_always` after it is accepted."""

    def __init__(self, theme: Theme, path: Path, facts: ModelFileFacts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        px = theme.px
        self.set_up_window("add_dialog", tr("Add a model"))
        self.setAccessibleName(tr("Add a model"))
        self.setFixedWidth(px(WIDTH_PX))
        title = plain_label(model_name(path), wraps=True)
        title.setFont(theme.font("section"))
        ask = QLabel(tr("{size}. Where should the file be?", size=size_text(facts.size_bytes)), wordWrap=True)
        ask.setProperty("kind", "muted")
        ask.setFont(theme.font("row"))
        self.choices = {
            COPY: RadioRow(theme, tr("Copy it to Fireside’s models"), _copy_words(facts)),
            MOVE: RadioRow(theme, tr("Move it to Fireside’s models"), _move_words(facts)),
            IN_PLACE: RadioRow(
                theme, tr("Use it where it is"), tr("Uses no extra space. Works as long as the file stays there.")
            ),
        }
        # Exactly full is too full: the program writes there, too.
        fits = facts.free_bytes > facts.size_bytes
        self.choices[COPY].setEnabled(fits)
        self.choices[MOVE].setEnabled(fits or facts.is_same_disk)
        self.choices[COPY if fits else IN_PLACE].setChecked(True)
        self.always = CheckRow(theme, tr("Always do this"))
        column = fill_layout(QVBoxLayout(self), title, ask)
        column.setContentsMargins(px(24), px(20), px(24), px(20))
        column.setSpacing(px(4))
        column.addSpacing(px(8))
        for row in self.choices.values():
            column.addWidget(row)
        column.addSpacing(px(4))
        column.addWidget(self.always)
        column.addSpacing(px(12))
        column.addLayout(cancel_or(self, tr(ADD)))

    @property
    def how(self) -> str:
        """Chosen way: "copy", "move" or "in_place"."""
        return next(how for how, row in self.choices.items() if row.isChecked())

    @property
    def is_for_always(self) -> bool:
        """True if the choice applies to all further files."""
        return self.always.isChecked()


def _copy_words(facts: ModelFileFacts) -> str:
    sizes = {"size": size_text(facts.size_bytes), "free": size_text(facts.free_bytes)}
    # Said at the choice itself, since a disabled row needs its reason.
    if facts.free_bytes <= facts.size_bytes:
        return tr("Uses {size}; {free} free there.", **sizes)
    return tr("Uses {size} more; {free} free there.", **sizes)


def _move_words(facts: ModelFileFacts) -> str:
    if facts.is_same_disk:
        return tr("Uses no extra space. The file is moved out of its folder.")
    return tr("The file is moved out of its folder; {free} are free there.", free=size_text(facts.free_bytes))


class FileAdding:
    """Add dropped or chosen model files; questions come one at a time, copies may run in parallel."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        self._app, self._theme, self._notify, self._window = app, ui.theme, ui.notify, ui.window

    def add_file(self, path: Path, then: Then) -> None:
        """Add a file, asking how unless the settings say so; `then` gets the file's final path."""
        if always := self._app.settings.models.add_how:
            self._add(path, always, then)
            return

        def read_facts() -> Iterator[ModelFileFacts]:
            yield facts_of_file(path, Path(self._app.settings.models.folder or self._app.paths.models))

        tasks.run(
            lambda _: read_facts(),
            self._window,
            on_event=lambda facts: self._ask(path, facts, then),
            on_failed=self._notify.error,
        )

    def _ask(self, path: Path, facts: ModelFileFacts, then: Then) -> None:
        dialog = AddDialog(self._theme, path, facts, self._window)
        dialog.accepted.connect(lambda: self._on_answer(path, dialog, then))
        dialog.open()

    def _on_answer(self, path: Path, dialog: AddDialog, then: Then) -> None:
        if dialog.is_for_always:
            with self._notify.guard():
                self._app.change_settings("models", add_how=dialog.how)
        self._add(path, dialog.how, then)

    def _add(self, path: Path, how: str, then: Then) -> None:
        """Copy, move or register a file on a thread; on failure or cancel nothing is changed."""
        name = model_name(path)
        doing = {COPY: tr(COPYING_MODEL, name=name), MOVE: tr("Moving {name}", name=name)}.get(how, "")

        def work(token: CancelToken) -> Iterator[CopyProgress | Path]:
            added = yield from self._app.models.add(path, how, token)
            if not token.cancelled:
                yield added

        bar = self._notify.bar

        def on_event(event: CopyProgress | Path) -> None:
            if isinstance(event, Path):
                then(event)
            # The user may have dismissed it: the copy goes on without.
            elif notice is not None and notice in bar.notices and event.total_bytes:
                sizes = {"done": size_text(event.done_bytes), "total": size_text(event.total_bytes)}
                words = tr("{doing}: {done} of {total}", doing=doing, **sizes)
                notice.show_progress(words, event.done_bytes, event.total_bytes)

        def on_end() -> None:
            if notice is not None and notice in bar.notices:
                notice.dismiss()

        def on_failed(error: BaseException) -> None:
            on_end()
            self._notify.error(error)

        task = tasks.run(work, self._window, on_event=on_event, on_end=on_end, on_failed=on_failed)
        notice = ProgressNotice(self._theme, f"{doing}…", task.cancel) if doing else None
        if notice is not None:
            bar.add(notice)
