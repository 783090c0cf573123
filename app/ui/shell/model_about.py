"""What a model is and what it runs with, in a small sheet below the picker."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.features.models.messages import ASLEEP, facts, why_words
from app.ui.i18n import size_text, tr
from app.ui.shell.model_loader import ModelLoader, in_words
from app.ui.theme import Theme
from app.ui.widgets.labels import ElidedLabel

WIDTH_PX = 400


class ModelAbout(QFrame):
    """A popup: a click beside it, or Escape, closes it."""

    def __init__(self, theme: Theme, loader: ModelLoader, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._theme, self._rows = theme, 0
        px = theme.px
        self.setObjectName("model_about")
        self.setProperty("kind", "sheet")
        self.setAccessibleName(tr("About this model"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        room = self.screen().availableGeometry().size()
        self.setFixedWidth(min(px(WIDTH_PX), room.width()))
        name = ElidedLabel(loader.name)
        name.setFont(theme.font(15, 600))
        why = QLabel(self._sentence(loader), textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        why.setObjectName("why")
        why.setFont(theme.font(13.5))
        why.setVisible(bool(why.text()))
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(px(16))
        self._grid.setVerticalSpacing(px(6))
        self._grid.setColumnStretch(1, 1)
        self._add_facts(loader)
        inside = QWidget()
        inside.setObjectName("page")
        area = QScrollArea(widgetResizable=True)  # a low screen has no room for all of it
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.viewport().setAutoFillBackground(False)
        area.setWidget(inside)
        around = QVBoxLayout(self)
        around.setContentsMargins(1, 1, 1, 1)
        around.addWidget(area)
        column = QVBoxLayout(inside)
        column.setContentsMargins(px(15), px(13), px(15), px(15))
        column.setSpacing(px(10))
        column.addWidget(name)
        column.addWidget(why)
        column.addLayout(self._grid)
        self.setAccessibleDescription(" ".join([why.text(), *self._said]).strip())
        self.ensurePolished()
        wanted = column.totalHeightForWidth(self.width() - 2) + 2  # a wrapped sentence has no height of its own
        self.setFixedHeight(min(wanted, room.height()))
        self._area = area

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.close()
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            bar = self._area.verticalScrollBar()
            bar.setValue(bar.value() + self._theme.px(40) * (1 if event.key() == Qt.Key.Key_Down else -1))
        else:
            super().keyPressEvent(event)

    def _sentence(self, loader: ModelLoader) -> str:
        if loader.model is None:
            return in_words(ASLEEP) if loader.wakes_up else ""
        words = why_words(loader.model)
        return "" if words is None else in_words(words)

    def _add_facts(self, loader: ModelLoader) -> None:
        self._said: list[str] = []
        path = loader.path
        if path is not None:
            file = ElidedLabel(str(path), Qt.TextElideMode.ElideMiddle)
            file.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # a path reads so in every language
            self._add(tr("File"), file)
            self._add(
                tr("Size"), QLabel(size_text(path.stat().st_size) if path.is_file() else tr("not there any more"))
            )
        for name, value in facts(loader.model) if loader.model is not None else ():
            self._add(in_words(name), QLabel(in_words(value)))

    def _add(self, name: str, value: QLabel) -> None:
        value.setTextFormat(Qt.TextFormat.PlainText)
        value.setAccessibleName(f"{name}: {value.text()}")
        value.setWordWrap(not isinstance(value, ElidedLabel))
        title = QLabel(name, textFormat=Qt.TextFormat.PlainText)
        title.setProperty("kind", "muted")
        for label in (title, value):
            label.setFont(self._theme.font(13))
        self._grid.addWidget(title, self._rows, 0)
        self._grid.addWidget(value, self._rows, 1)
        self._rows += 1
        self._said.append(f"{name}: {value.text()}.")
