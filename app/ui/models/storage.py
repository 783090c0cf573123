"""Disk usage: models, deleted models, unfinished downloads, saved states and jobs, each with Clear."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFileDialog, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app import APP_NAME
from app.core.events import CopyProgress
from app.ui.i18n import label_value, size_text, tr
from app.ui.model_texts import amount_words, join
from app.ui.models.models_page import ModelsPage
from app.ui.shared_labels import CANCEL, KEEP_LABEL
from app.ui.shell import tasks
from app.ui.shell.desktop import open_folder
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import CARD_INSET_PX, Theme, smooth_painter
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import ElidedLabel, ProgressStripe, plain_label
from app.ui.widgets.layouts import fill_layout, name_widgets
from app.ui.widgets.parts_bar import BarPart, PartsBar

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.models.model_storage import StorageReport

STORAGE = "Storage"
DISK_USE = "{used} used, {free} free on this disk."
NOTHING_STORED = "Nothing stored yet, {free} free on this disk."
EMPTY = "Empty"
MOVE_STOPPED = "Stopped. The models weren’t moved."


# Kind, name, description, button, question and confirming button.
_ROWS = (
    ("models", "Models", "Everything in the models folder.", "Show", "", ""),
    (
        "trash", "Deleted models", "You can restore them until you clear this.", "Clear",
        "Cleared models can’t be restored.", "Delete forever",
    ),
    (
        "parts", "Unfinished downloads", "Left over from downloads no longer in the list.", "Clear",
        "Downloading the same file again will start over.", "Delete downloads",
    ),
    (
        "states", "Saved states", "What models have read of chats, so answers start at once.", "Clear",
        "The next answer in each chat will take longer.", "Delete states",
    ),
    (
        "memory", "Translation memory", "Earlier translations, reused for the same text.", "Show", "", "",
    ),
    (
        "jobs", "Jobs", "The list of finished downloads and other jobs.", "Clear",
        "The list is emptied; models and chats stay.", "Clear the list",
    ),
)  # fmt: skip


class StoragePage(ModelsPage):
    """Page of disk usage. Sizes are read on a thread; moving the folder continues while other pages are shown."""

    def __init__(
        self,
        app: Fireside,
        ui: UiContext,
        *,
        show_page: Callable[[str], object],
        on_change: Callable[[], object],
        on_moved: Callable[[Any, Any], object],
    ) -> None:
        super().__init__(ui.theme, tr(STORAGE))
        self.on_moved = on_moved
        """Old and new folder of the models."""
        self.on_change = on_change
        """Something was cleared or moved."""
        self.show_page = show_page
        self._app, self._notify = app, ui.notify
        self._move: tasks.BackgroundTask | None = None
        # A list for each move, so that an earlier one that ends late isn't taken for this one.
        self._stopped: list[bool] = []
        self.bar = PartsBar(self._theme, tr(STORAGE), partial(tone, self._theme))
        self.rows.addWidget(self.bar)
        self.storage: dict[str, StorageRow] = {}
        frame = QFrame()
        frame.setProperty("kind", "model")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(1, 1, 1, 1)
        inside.setSpacing(0)
        for number, (key, name, explanation, button, question, yes) in enumerate(_ROWS):
            if number:
                rule = QFrame()
                rule.setProperty("kind", "rule")
                inside.addWidget(rule)
            row = StorageRow(
                self._theme,
                number,
                tr(name),
                tr(explanation),
                button=tr(button),
                question=tr(question),
                yes=tr(yes),
                press=partial(self._on_wanted, key),
            )
            self.storage[key] = row
            inside.addWidget(row)
        self.rows.addWidget(frame)
        self.folder = FolderRow(self._theme, move_to=self.move_to)
        self.folder.cancel_button.clicked.connect(self._cancel_move)
        self.rows.addWidget(self.folder)
        self.show_text(self.lead, tr("Reading sizes…"))

    def reload(self) -> tasks.BackgroundTask:
        return self.ask_anew(lambda _: self._app.models.storage.make_report(), self.show_report, self._notify.error)

    def show_report(self, report: StorageReport) -> None:
        sizes = {
            "models": report.models_bytes, "trash": report.trash_bytes, "parts": report.parts_bytes,
            "states": report.states_bytes, "memory": report.memory_bytes, "jobs": report.jobs_bytes,
        }  # fmt: skip
        for key, size in sizes.items():
            self.storage[key].show_size(_size_words(size), is_empty=not size and key != "models")
        names = {key: tr(name) for key, name, *_ in _ROWS}
        parts = [BarPart(size, label_value(names[key], _size_words(size))) for key, size in sizes.items()]
        self.bar.show_parts(parts, sum(sizes.values()) + report.free_bytes)
        used, free = sum(sizes.values()), size_text(report.free_bytes)
        lead = tr(DISK_USE, used=_size_words(used), free=free)
        self.show_text(self.lead, lead if used else tr(NOTHING_STORED, free=free))
        self.bar.setAccessibleName(self.lead.text())
        # While models are moved the row shows how far that is.
        if self._move is None:
            self.folder.show_folder(report.folder, report.free_bytes)

    def move_to(self, chosen: Path) -> None:
        """Move the models into their own folder in the chosen one; a second attempt continues with what is left."""
        old, folder = self.folder.folder, own_folder(chosen)
        if self._move is not None or folder == old:
            return
        stopped = self._stopped = []
        self.folder.show_moving(CopyProgress(0, 0))
        self._move = tasks.run(
            lambda token: self._app.models.move_folder(folder, token),
            self,
            on_event=self._on_moving,
            on_end=lambda: self._on_moved(old, folder, stopped=bool(stopped)),
            on_failed=self._on_move_failed,
        )

    def _on_moving(self, event: object) -> None:
        if isinstance(event, CopyProgress):
            self.folder.show_moving(event)

    def _cancel_move(self) -> None:
        if self._move is not None:
            self._stopped.append(True)
            self._move.cancel()

    def _on_moved(self, old: Path, folder: Path, *, stopped: bool) -> None:
        self._move = None
        if stopped:
            self._notify.mention(tr(MOVE_STOPPED))
        else:
            self._notify.mention(tr("Models moved to {folder}.", folder=folder))
            self.on_moved(old, folder)
        self.reload()
        self.on_change()

    def _on_move_failed(self, error: BaseException) -> None:
        self._move = None
        self._notify.error(error)
        self.reload()

    def _on_wanted(self, key: str) -> None:
        if key == "models":
            self.show_page("installed")
            return
        if key == "memory":
            self.show_memory()
            return
        storage = self._app.models.storage
        clears: dict[str, Callable[[], object]] = {
            "trash": storage.clear_trash, "parts": storage.clear_parts, "states": storage.clear_states,
            "jobs": storage.clear_jobs,
        }  # fmt: skip
        self.ask(lambda _: clears[key](), lambda _: self._on_cleared(), self._notify.error)

    def show_memory(self) -> None:
        """Open the translation memory, to delete from it."""
        # Needs the translations, which models do without.
        from app.ui.settings.translation_memory import MemoryDialog

        dialog = MemoryDialog(self._app.translations, self._theme, self._notify, self)
        dialog.changed.connect(self._on_cleared)
        dialog.open()

    def _on_cleared(self) -> None:
        self.reload()
        self.on_change()


def _size_words(size_bytes: int) -> str:
    return size_text(size_bytes) if size_bytes else tr(EMPTY)


def own_folder(chosen: Path) -> Path:
    """Return the models' own folder below the chosen one."""
    name = f"{APP_NAME} models"
    # So that models aren't mixed with other files.
    return chosen if chosen.name == name else chosen / name


NARROW_PX, LEAST_ROW_PX = 500, 180


class StorageRow(QWidget):
    """Row of a use. With a `question`, the button asks it in place; Escape or Keep cancels."""

    def __init__(
        self,
        theme: Theme,
        number: int,
        name: str,
        explanation: str,
        *,
        button: str,
        question: str = "",
        yes: str = "",
        press: Callable[[], object],
    ) -> None:
        super().__init__()
        self.press, self._theme, self._explanation, self._question = press, theme, explanation, question
        self.setAccessibleName(name)
        self._swatch = ToneSwatch(theme, number)
        self._name = theme.dress(plain_label(name), font="section")
        self.explanation = plain_label(explanation, kind="muted", wraps=True)
        self.amount = theme.dress(plain_label(), font="control", least_width=76)
        self.amount.setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
        self.button = theme.dress(text_button(button, on_click=self._on_pressed), least_width=84)
        self.yes, self.keep = text_button(yes), text_button(tr(KEEP_LABEL), "quiet")
        for choice in (self.button, self.yes, self.keep):
            choice.setAccessibleName(label_value(choice.text(), name))
        self.yes.clicked.connect(self._on_yes)
        self.keep.clicked.connect(self._end_question)
        self.yes.hide()
        self.keep.hide()
        head = theme.dress(fill_layout(QHBoxLayout(), self._swatch, (self._name, 1)), spacing=8)
        self._words = theme.dress(fill_layout(QVBoxLayout(), head, self.explanation), spacing=2)
        self._end = theme.dress(QHBoxLayout(), margins=(18, 0, 0, 0), spacing=10)
        for widget in (self.amount, self.yes, self.keep, self.button):
            self._end.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        self._end.addStretch()
        self._row = fill_layout(QBoxLayout(QBoxLayout.Direction.LeftToRight, self), (self._words, 1), self._end)
        theme.dress(self.explanation, font="small", margins=(18, 0, 0, 0))
        theme.dress(self.button, self.yes, self.keep, font="control")
        theme.dress(self._row, margins=(CARD_INSET_PX, 12, CARD_INSET_PX, 12), spacing=6)

    def show_size(self, text: str, *, is_empty: bool) -> None:
        """Show the size; an empty use can't be cleared."""
        self.amount.setText(text)
        self.button.setEnabled(not is_empty)
        self.setAccessibleDescription(tr("{size}. {explanation}", size=text, explanation=self._explanation))

    def _on_pressed(self) -> None:
        if not self._question:
            self.press()
            return
        self.explanation.setText(self._question)
        self._show_asking(asking=True)
        # Enter on what has the focus keeps everything.
        self.keep.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_yes(self) -> None:
        self._end_question()
        self.press()

    def _end_question(self) -> None:
        self.explanation.setText(self._explanation)
        self._show_asking(asking=False)
        self.button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_asking(self, *, asking: bool) -> None:
        self.explanation.setProperty("kind", "plain" if asking else "muted")
        # Qt reapplies a style only when told that a property has changed.
        self.explanation.style().polish(self.explanation)
        self.button.setVisible(not asking)
        self.yes.setVisible(asking)
        self.keep.setVisible(asking)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(LEAST_ROW_PX), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._row.setDirection(along if self.width() >= self._theme.px(NARROW_PX) else down)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.keep.isHidden():
            self._end_question()
        else:
            super().keyPressEvent(event)


TONES = (0.9, 0.7, 0.54, 0.4, 0.29, 0.2, 0.13)
"""Share of the text colour of each part; free space has the line's colour."""


def tone(theme: Theme, number: int) -> QColor:
    """Return a part's colour: the text's mixed with the background as in `TONES`."""
    share = TONES[number]
    over, under = QColor(theme.tokens.text), QColor(theme.tokens.surface)
    return QColor(
        round(over.red() * share + under.red() * (1 - share)),
        round(over.green() * share + under.green() * (1 - share)),
        round(over.blue() * share + under.blue() * (1 - share)),
    )


class ToneSwatch(QWidget):
    def __init__(self, theme: Theme, number: int) -> None:
        super().__init__()
        self._theme, self._number = theme, number
        theme.dress(self, size=(10, 10))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = smooth_painter(self, fill=tone(self._theme, self._number))
        painter.drawRoundedRect(QRectF(self.rect()), 2.5, 2.5)


NARROW_FOLDER_PX, BUTTONS_PX, LEAST_FOLDER_PX = 560, 360, 180


class FolderRow(QFrame):
    """Row of the models folder; it asks for another one, the page moves it and reports progress."""

    def __init__(self, theme: Theme, *, move_to: Callable[[Path], object]) -> None:
        super().__init__()
        self._move_to = move_to
        self._theme, self.folder = theme, Path()
        self.setProperty("kind", "model")
        self._name = theme.dress(plain_label(tr("Models folder")), font="section")
        self.path = ElidedLabel("", Qt.TextElideMode.ElideMiddle)
        self.state = plain_label(wraps=True)
        for label in (self.path, self.state):
            label.setProperty("kind", "muted")
        self.progress = ProgressStripe(theme)
        self.progress.setAccessibleName(tr("Moving the models"))
        self.progress.hide()
        self.show_button = text_button(tr("Show folder"), "quiet", on_click=lambda: open_folder(self.folder))
        self.move_button = text_button(tr("Move to another disk…"), on_click=self.ask_where)
        self.cancel_button = text_button(tr(CANCEL), "quiet")
        self.cancel_button.setAccessibleName(tr("Cancel moving"))
        self.cancel_button.hide()
        self._words = theme.dress(QVBoxLayout(), spacing=3)
        for widget in (self._name, self.path, self.state, self.progress):
            self._words.addWidget(widget)
        self._end = theme.dress(QBoxLayout(QBoxLayout.Direction.LeftToRight), spacing=4)
        for button in (self.move_button, self.show_button, self.cancel_button):
            self._end.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        self._end.addStretch()
        self._row = fill_layout(QBoxLayout(QBoxLayout.Direction.LeftToRight, self), (self._words, 1), self._end)
        theme.dress(self.path, self.state, font="small")
        theme.dress(self.show_button, self.move_button, self.cancel_button, font="control")
        theme.dress(self._row, margins=(CARD_INSET_PX, 14, CARD_INSET_PX, 14), spacing=8)
        name_widgets(
            folder_path=self.path,
            move_state=self.state,
            show_folder=self.show_button,
            move_folder=self.move_button,
            stop_moving=self.cancel_button,
        )

    def show_folder(self, folder: Path, free_bytes: int) -> None:
        self.folder = folder
        self.path.setText(str(folder))
        self.state.setText(tr("{size} free on this disk", size=size_text(free_bytes)))
        self._show_moving(moving=False)

    def show_moving(self, progress: CopyProgress) -> None:
        self._show_moving(moving=True)
        amount = amount_words(progress.done_bytes, progress.total_bytes)
        self.state.setText(join(tr("Moving"), amount, progress.name))
        self.progress.show_share(progress.done_bytes, progress.total_bytes)

    def ask_where(self) -> None:
        dialog = QFileDialog(self, tr("Move the models to"), str(self.folder.parent))
        dialog.setObjectName("move_models_dialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda folder: self._move_to(Path(folder)))
        dialog.open()

    def _show_moving(self, *, moving: bool) -> None:
        # Asked before the buttons are exchanged, which passes the focus on.
        had_focus = self.move_button.hasFocus() or self.cancel_button.hasFocus()
        self.progress.setVisible(moving)
        self.cancel_button.setVisible(moving)
        self.move_button.setVisible(not moving)
        self.show_button.setVisible(not moving)
        if had_focus:
            (self.cancel_button if moving else self.move_button).setFocus(Qt.FocusReason.OtherFocusReason)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(LEAST_FOLDER_PX), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._row.setDirection(along if self.width() >= self._theme.px(NARROW_FOLDER_PX) else down)
        # The words of another language may need more than is usual.
        needed_px = sum(button.sizeHint().width() for button in (self.move_button, self.show_button))
        is_wide = self.width() >= max(self._theme.px(BUTTONS_PX), needed_px + self._theme.px(2 * CARD_INSET_PX + 8))
        self._end.setDirection(along if is_wide else down)
