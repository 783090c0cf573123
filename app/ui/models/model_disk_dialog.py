"""Models in a folder or on a disk: chosen with their sizes and checksums, then copied, or used where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMargins
from PySide6.QtWidgets import QButtonGroup, QFileDialog, QVBoxLayout, QWidget

from app.core.events import CancelToken, CopyProgress
from app.core.lazy_dataclasses import dataclass
from app.features.error_messages import sentence_for
from app.features.models.models_on_disks import ModelAdded, ModelRefused
from app.hub.model_disks import DiskContents, DiskModel
from app.hub.part import free_bytes
from app.ui.i18n import size_text, tr, tr_count
from app.ui.locale_formats import join_facts, join_list
from app.ui.models.add_model_file import COPY, COPYING_MODEL, IN_PLACE
from app.ui.models.models_column import ADD_FROM_DISK
from app.ui.shared_labels import ADD
from app.ui.shell import tasks
from app.ui.shell.desktop import open_folder
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme
from app.ui.widgets.dialogs import MODELS, Dialog, ScrollBox, cancel_or, file_dialog
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.input_fields import CheckRow, RadioRow
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout
from app.ui.widgets.notice_bar import ProgressNotice

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.hub.model_library import InstalledModel

WIDTH_PX = 520
EXPORT_TO = "Copy {name} to a folder or disk"
WITH_CHECKSUMS, WITHOUT_CHECKSUMS = "will be checked", "no checksum, can’t be checked"
IS_HERE = "already here"
ONE_ADDED, MANY_ADDED = "Added 1 model.", "Added {count} models."
ADDED_UNCHECKED = "Not checked, for want of a checksum: {names}."
EXPORTED = "Copied {name} to {path}, with checksums."
SHOW = "Show"
CHOSEN_SIZES = "{size} chosen; {free} free in Fireside’s models."


@dataclass(frozen=True)
class DiskChoice:
    """What is found in a folder, which of it is here already, and how much is free for copies."""

    contents: DiskContents
    here: frozenset[Path]
    free_bytes: int
    is_other_disk: bool


class DiskDialog(Dialog):
    """Question which models of a folder to add, and how; read `chosen` and `how` after it is accepted."""

    def __init__(self, theme: Theme, folder: Path, choice: DiskChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        px = theme.px
        self._choice = choice
        self.set_up_window("disk_dialog", tr(ADD_FROM_DISK))
        self.setAccessibleName(tr(ADD_FROM_DISK))
        self.setFixedWidth(px(WIDTH_PX))
        title = plain_label(folder.name or str(folder), wraps=True)
        title.setFont(theme.font("section"))
        self.models = [(CheckRow(theme, found.model.name, _facts_of(found, choice)), found) for found in self._found]
        inside = QWidget()
        rows = theme.dress(drop_margins(QVBoxLayout(inside)), spacing=2)
        for row, found in self.models:
            is_here = found.model.path in choice.here
            row.setEnabled(not is_here)
            row.setChecked(not is_here)
            row.toggled.connect(self._update)
            rows.addWidget(row)
        for error in choice.contents.problems:
            problem = plain_label(sentence_for(error).text, kind="danger", wraps=True)
            rows.addWidget(theme.dress(problem, font="small", margins=(0, 4, 0, 4)))
        self.choices = {
            COPY: RadioRow(theme, tr("Copy them to Fireside’s models"), tr("Each is compared with its checksum.")),
            IN_PLACE: RadioRow(theme, tr("Use them where they are"), self._in_place_words()),
        }
        self.choices[COPY].setChecked(True)
        self.sum = theme.dress(plain_label(wraps=True), font="small")
        self.sum.setProperty("kind", "muted")
        column = fill_layout(QVBoxLayout(self), title)
        column.setContentsMargins(px(24), px(20), px(24), px(20))
        column.setSpacing(px(4))
        column.addSpacing(px(4))
        holder = QVBoxLayout()
        column.addLayout(holder)
        column.addSpacing(px(8))
        group = QButtonGroup(self)
        for way in self.choices.values():
            group.addButton(way)
            way.toggled.connect(self._update)
            column.addWidget(way)
        column.addSpacing(px(8))
        column.addWidget(self.sum)
        column.addSpacing(px(12))
        self._foot = cancel_or(self, tr(ADD))
        column.addLayout(self._foot)
        box = ScrollBox(inside, column.contentsMargins() + QMargins(0, 0, 0, px(260)))
        fade_ends(box, theme)
        holder.addWidget(box)
        self._update()

    @property
    def chosen(self) -> list[DiskModel]:
        """Return the ticked models, in the order in which the disk has them."""
        return [found for row, found in self.models if row.isChecked()]

    @property
    def how(self) -> str:
        """Return how the chosen models are to be added: "copy" or "in_place"."""
        return next(how for how, row in self.choices.items() if row.isChecked())

    @property
    def _found(self) -> Sequence[DiskModel]:
        return self._choice.contents.models

    @property
    def _chosen_bytes(self) -> int:
        return sum(found.size_bytes for found in self.chosen)

    def _in_place_words(self) -> str:
        if self._choice.is_other_disk:
            return tr("Uses no extra space. Works only while this disk is connected.")
        return tr("Uses no extra space. Works as long as the files stay there.")

    def _update(self) -> None:
        sizes = {"size": size_text(self._chosen_bytes), "free": size_text(self._choice.free_bytes)}
        self.sum.setText(tr(CHOSEN_SIZES, **sizes))
        fits = self.how != COPY or self._choice.free_bytes > self._chosen_bytes
        item = self._foot.itemAt(self._foot.count() - 1)
        add = item.widget() if item is not None else None
        assert add is not None
        add.setEnabled(bool(self.chosen) and fits)


def _facts_of(found: DiskModel, choice: DiskChoice) -> str:
    if found.model.path in choice.here:
        return join_facts([size_text(found.size_bytes), tr(IS_HERE)])
    checks = tr(WITH_CHECKSUMS if found.is_checked else WITHOUT_CHECKSUMS)
    return join_facts((size_text(found.size_bytes), found.model.tag, checks))


class DiskModels:
    """Adds models from folders and copies them to some: each on a thread, with a notice that can cancel it."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        self._app, self._theme, self._notify, self._window = app, ui.theme, ui.notify, ui.window

    def ask_for_folder(self) -> None:
        """Let the person choose a folder or disk to add models from."""
        file_dialog(
            self._window,
            tr(ADD_FROM_DISK),
            MODELS,
            lambda paths: self.add_folder(paths[0]),
            name="disk_folder_dialog",
            mode=QFileDialog.FileMode.Directory,
        ).open()

    def add_folder(self, folder: Path) -> None:
        """Show what is in a folder, and add what is chosen of it."""
        disks, ours = self._app.models.disks, Path(self._app.settings.models.folder or self._app.paths.models)

        def read_disk(token: CancelToken) -> DiskChoice:
            contents = disks.find_models(folder, token)
            here = frozenset(found.model.path for found in contents.models if disks.find_same(found) is not None)
            there = next(parent for parent in (ours, *ours.parents) if parent.is_dir())
            return DiskChoice(contents, here, free_bytes(ours), folder.stat().st_dev != there.stat().st_dev)

        # On a thread: a slow disk with many files takes seconds.
        tasks.ask(read_disk, self._window, lambda choice: self._ask(folder, choice), self._notify.error)

    def export(self, model: InstalledModel, name: str) -> None:
        """Ask for a folder, and copy a model to it with checksums."""
        file_dialog(
            self._window,
            tr(EXPORT_TO, name=name),
            "model export",
            lambda paths: self._export_to(model, name, paths[0]),
            name="export_model_dialog",
            mode=QFileDialog.FileMode.Directory,
        ).open()

    def _ask(self, folder: Path, choice: DiskChoice) -> None:
        dialog = DiskDialog(self._theme, folder, choice, self._window)
        dialog.accepted.connect(lambda: self._add(dialog.chosen, dialog.how))
        dialog.open()

    def _add(self, chosen: Sequence[DiskModel], how: str) -> None:
        added: list[DiskModel] = []
        disks = self._app.models.disks

        def on_event(event: ModelAdded | ModelRefused) -> None:
            if isinstance(event, ModelAdded):
                added.append(event.found)
            else:
                self._notify.error(event.error)

        self._run(lambda token: disks.add_models(chosen, how, token), on_event, lambda: self._tell_added(added))

    def _tell_added(self, added: Sequence[DiskModel]) -> None:
        if not added:
            return
        unchecked = [found.model.name for found in added if not found.is_checked]
        words = [tr_count(ONE_ADDED, MANY_ADDED, len(added))]
        words += [tr(ADDED_UNCHECKED, names=join_list(unchecked))] * bool(unchecked)
        self._notify.mention(" ".join(words))

    def _export_to(self, model: InstalledModel, name: str, folder: Path) -> None:
        disks = self._app.models.disks

        def work(token: CancelToken) -> Iterator[CopyProgress | Path]:
            place = yield from disks.export_model(model, folder, token)
            if place is not None:
                yield place

        def on_event(place: Path) -> None:
            words = tr(EXPORTED, name=name, path=place)
            self._notify.offer(words, tr(SHOW), lambda: open_folder(place))

        self._run(work, on_event)

    def _run(
        self,
        work: Callable[[CancelToken], Iterator[CopyProgress | ModelAdded | ModelRefused | Path]],
        on_event: Callable[..., object],
        on_end: Callable[[], object] = lambda: None,
    ) -> None:
        """Run copies on a thread with a notice of their progress; other events go to `on_event`."""
        bar = self._notify.bar

        def show(event: CopyProgress | ModelAdded | ModelRefused | Path) -> None:
            if not isinstance(event, CopyProgress):
                on_event(event)
            # The person may have dismissed it: the copies go on without.
            elif notice in bar.notices and event.total_bytes:
                doing = tr(COPYING_MODEL, name=event.name)
                sizes = {"done": size_text(event.done_bytes), "total": size_text(event.total_bytes)}
                words = tr("{doing}: {done} of {total}", doing=doing, **sizes)
                notice.show_progress(words, event.done_bytes, event.total_bytes)

        def end_notice() -> None:
            if notice in bar.notices:
                notice.dismiss()
            on_end()

        def on_failed(error: BaseException) -> None:
            end_notice()
            self._notify.error(error)

        task = tasks.run(work, self._window, on_event=show, on_end=end_notice, on_failed=on_failed)
        notice = ProgressNotice(self._theme, tr("Copying…"), task.cancel)
        bar.add(notice)
