"""Where the models lie: the folder, its free room, and the way to another disk with its progress."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFileDialog, QFrame, QLabel, QVBoxLayout

from app.core.events import CopyProgress
from app.ui.models.download_texts import amount_words, join
from app.ui.shell.desktop import open_folder
from app.ui.shell.i18n import size_text, tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.indicators import ProgressLine
from app.ui.widgets.labels import ElidedLabel
from app.ui.widgets.layouts import name_widgets

NARROW_PX, BUTTONS_PX, LEAST_PX = 560, 360, 180


class FolderRow(QFrame):
    """Asks for the other folder; moving is the page's business, which tells how far it is."""

    move_wanted = Signal(object)
    """The folder to move to."""
    cancel_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self.folder = theme, Path()
        self.setProperty("kind", "model")
        self._name = QLabel(tr("Folder of the models"), textFormat=Qt.TextFormat.PlainText)
        self.path = ElidedLabel("", Qt.TextElideMode.ElideMiddle)
        self.state = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        for label in (self.path, self.state):
            label.setProperty("kind", "muted")
        self.progress = ProgressLine(theme)
        self.progress.setAccessibleName(tr("Moving the models"))
        self.progress.hide()
        self.show_button = text_button(tr("Show folder"), "quiet")
        self.show_button.clicked.connect(lambda: open_folder(self.folder))
        self.move_button = text_button(tr("Move to another disk…"))
        self.move_button.clicked.connect(self.ask_where)
        self.cancel_button = text_button(tr("Cancel"), "quiet")
        self.cancel_button.setAccessibleName(tr("Cancel moving"))
        self.cancel_button.clicked.connect(self.cancel_wanted)
        self.cancel_button.hide()
        self._words = QVBoxLayout()
        for widget in (self._name, self.path, self.state, self.progress):
            self._words.addWidget(widget)
        self._end = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        for button in (self.move_button, self.show_button, self.cancel_button):
            self._end.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        self._end.addStretch()
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.addLayout(self._words, 1)
        self._row.addLayout(self._end)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        name_widgets(
            folder_path=self.path,
            move_state=self.state,
            show_folder=self.show_button,
            move_folder=self.move_button,
            stop_moving=self.cancel_button,
        )

    def show_folder(self, folder: Path, free_bytes: int) -> None:
        """Where it is now."""
        self.folder = folder
        self.path.setText(str(folder))
        self.state.setText(tr("{size} free on this disk", size=size_text(free_bytes)))
        self._show_moving(moving=False)

    def show_moving(self, progress: CopyProgress) -> None:
        """How far the move is."""
        self._show_moving(moving=True)
        amount = amount_words(progress.done_bytes, progress.total_bytes)
        self.state.setText(join(tr("Moving"), amount, progress.name))
        self.progress.show_share(progress.done_bytes, progress.total_bytes)

    def ask_where(self) -> None:
        """Asks for the folder on the other disk."""
        dialog = QFileDialog(self, tr("Move the models to"), str(self.folder.parent))
        dialog.setObjectName("move_models_dialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda folder: self.move_wanted.emit(Path(folder)))
        dialog.open()

    def _show_moving(self, *, moving: bool) -> None:
        had_focus = self.move_button.hasFocus() or self.cancel_button.hasFocus()
        self.progress.setVisible(moving)
        self.cancel_button.setVisible(moving)
        self.move_button.setVisible(not moving)
        self.show_button.setVisible(not moving)
        if had_focus:
            (self.cancel_button if moving else self.move_button).setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_theme_changed(self) -> None:
        theme, px = self._theme, self._theme.px
        self._name.setFont(theme.font(14.5, 600))
        self.path.setFont(theme.font(13))
        self.state.setFont(theme.font(13))
        for button in (self.show_button, self.move_button, self.cancel_button):
            button.setFont(theme.font(13, 500))
        self._words.setSpacing(px(3))
        self._row.setContentsMargins(px(18), px(14), px(16), px(14))
        self._row.setSpacing(px(8))
        self._end.setSpacing(px(4))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(LEAST_PX), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._row.setDirection(along if self.width() >= self._theme.px(NARROW_PX) else down)
        self._end.setDirection(along if self.width() >= self._theme.px(BUTTONS_PX) else down)
