"""The model picker: name, size, a dot with a word; its menu holds the known models."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton

from app.core.paths import starter_model
from app.features.model_sentences import ASLEEP, trying_words, why_words
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.model_loader import ModelLoader, in_words, size_text
from app.ui.theme import Theme
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.status_dot import StatusDot

if TYPE_CHECKING:
    from app.bootstrap import Fireside

NAME_PX = 220
_DOTS = {
    "asleep": ("muted", False),
    "loading": ("warning", True),
    "ready": ("success", True),
    "failed": ("danger", True),
}


class ModelPicker(QPushButton):
    """Shows the loader's state; chooses another model."""

    open_wanted = Signal()
    models_wanted = Signal()

    def __init__(self, app: Fireside, theme: Theme, loader: ModelLoader) -> None:
        super().__init__()
        self._app, self._theme, self._loader = app, theme, loader
        self.setObjectName("model_picker")
        self.setAccessibleName(tr("Model"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._dot = StatusDot(theme)
        self._name = ElidedLabel()
        self._size, self._word, self._caret = QLabel(), QLabel(), QLabel()
        self._size.setProperty("kind", "muted")
        self._word.setProperty("kind", "muted")
        self._row = QHBoxLayout(self)
        for widget in (self._dot, self._name, self._size, self._word, self._caret):
            if isinstance(widget, QLabel):
                widget.setTextFormat(Qt.TextFormat.PlainText)
            widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            self._row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        self.clicked.connect(self.show_menu)
        loader.changed.connect(self._on_state_changed)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._on_state_changed()

    def sizeHint(self) -> QSize:
        return QSize(self._row.sizeHint().width(), self._theme.px(32))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._row.minimumSize().width(), self._theme.px(32))

    def show_menu(self) -> None:
        """Opens the menu below the picker, its end at the picker's end."""
        menu = self.menu_now()
        menu.popup(self._place_below(menu.sizeHint().width()))

    def show_about(self) -> None:
        """What the model is and runs with, below the picker."""
        from app.ui.model_about import ModelAbout  # not needed at start

        about = ModelAbout(self._theme, self._loader, self)
        about.move(self._place_below(about.width()))
        about.show()
        about.setFocus(Qt.FocusReason.PopupFocusReason)

    def _place_below(self, width: int) -> QPoint:
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        x = 0 if mirrored else self.width() - width
        return self.mapToGlobal(QPoint(x, self.height() + self._theme.px(4)))

    def menu_now(self) -> QMenu:
        """The known models that are still there, and opening another."""
        loader, tokens = self._loader, self._theme.tokens
        menu = QMenu(self)
        menu.setObjectName("model_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        group = QActionGroup(menu)
        for path, name in self._app.known_models():
            size_bytes = _size_or_none(path)
            if size_bytes is None:
                continue
            words = [tr(name), size_text(size_bytes)]
            if path == starter_model():
                words.append(tr("a very small English model, often wrong"))
            action = menu.addAction(_shown("  ·  ".join(words)), partial(loader.load, path))
            action.setToolTip(str(path))
            is_this = path == loader.path
            action.setIcon(icon("check", tokens.accent if is_this else "#00000000"))
            action.setCheckable(True)
            action.setChecked(is_this)
            group.addAction(action)
        menu.addSeparator()
        if loader.state == "loading" and loader.can_cancel:
            menu.addAction(icon("stop", tokens.muted), tr("Stop loading"), loader.cancel)
        elif loader.state == "ready":
            menu.addAction(icon("moon", tokens.muted), tr("Put to sleep"), loader.sleep)
        elif loader.path is not None and loader.state == "asleep":
            menu.addAction(icon("sun", tokens.muted), tr("Wake up"), loader.wake)
        elif loader.path is not None and loader.state == "failed":
            menu.addAction(icon("arrow-clockwise", tokens.muted), tr("Load it again"), loader.start)
        if loader.path is not None:
            menu.addAction(icon("info", tokens.muted), tr("About this model"), self.show_about)
        menu.addAction(icon("cube", tokens.muted), tr("Find more models…") + "\tCtrl+M", self.models_wanted.emit)
        menu.addAction(icon("folder-open", tokens.muted), tr("Open a model file…") + "\tCtrl+O", self.open_wanted.emit)
        return menu

    def _on_state_changed(self) -> None:
        loader = self._loader
        name = loader.name
        self._name.setText(name)
        size_bytes = _size_or_none(loader.path) if loader.path else None
        size = "" if size_bytes is None else size_text(size_bytes)
        self._size.setText(size)
        self._size.setVisible(bool(size))
        self._word.setText(loader.word)
        token, filled = _DOTS[loader.state]
        self._dot.show_state(token, filled=filled)
        told = self._told()
        self.setAccessibleDescription(", ".join(part for part in (name, size, loader.word, told) if part))
        self.setToolTip("\n".join(part for part in (told, str(loader.path or "")) if part))
        self.updateGeometry()

    def _told(self) -> str:
        """The sentence that belongs to the state."""
        loader = self._loader
        words = None
        if loader.state == "loading" and loader.step:
            words = trying_words(loader.step)
        elif loader.model is not None:
            words = why_words(loader.model)
        elif loader.wakes_up:
            words = ASLEEP
        return "" if words is None else in_words(words)

    def _on_theme_changed(self) -> None:
        theme = self._theme
        self._row.setContentsMargins(theme.px(13), 0, theme.px(11), 0)
        self._row.setSpacing(theme.px(9))
        self._name.setFont(theme.font(13.5, 500))
        self._name.setMaximumWidth(theme.px(NAME_PX))
        self._size.setFont(theme.font(13.5))
        self._word.setFont(theme.font(13.5))
        edge = theme.px(12)
        self._caret.setPixmap(
            icon("caret-down-bold", theme.tokens.text).pixmap(QSize(edge, edge), self.devicePixelRatio())
        )
        self.setFixedHeight(theme.px(32))
        self.updateGeometry()


def _size_or_none(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None  # moved or deleted meanwhile: it is not offered


def _shown(text: str) -> str:
    """A menu reads & as the mark of a shortcut."""
    return text.replace("&", "&&")
