"""Popup below the picker about the model and how it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from app.core.events import ModelLoaded
from app.core.paths import runs_elsewhere
from app.core.visible import visible_name
from app.features.models.model_messages import ASLEEP, model_facts, why_words
from app.ui.i18n import size_text, tr
from app.ui.shared_labels import ABOUT_THIS_MODEL, FAILED_LABEL, FIND_MORE_MODELS, SIZE
from app.ui.shell.model_loader import ModelLoader, in_words
from app.ui.shell.tool_score_view import ToolScoreView
from app.ui.shell.tool_scoring import ToolScoring
from app.ui.theme import Theme
from app.ui.widgets.labels import ElidedLabel, plain_caption, plain_label, plain_tip
from app.ui.widgets.layouts import fill_layout, scrolled
from app.ui.widgets.menus import Menu
from app.ui.widgets.popovers import FloatingPanel, room_for_popups

LOADING_PERCENT = "loading {percent} %"
FILE = "File"
NOT_THERE = "missing"


def reason_for_state(loader: ModelLoader) -> str:
    """Return why a loader's model was loaded the way it is, or why it sleeps; "" if there is nothing to say."""
    if loader.model is None:
        return in_words(ASLEEP) if loader.wakes_up else ""
    words = why_words(loader.model)
    return "" if words is None else in_words(words)


def state_word(loader: ModelLoader) -> str:
    """Return the short text of a loader's state, shown next to the status dot."""
    if loader.state == "loading":
        return tr(LOADING_PERCENT, percent=int(loader.fraction * 100))
    if loader.is_away:
        return tr("unreachable")
    words = {"asleep": tr("asleep"), "ready": tr("ready"), "failed": tr(FAILED_LABEL)}
    return words[loader.state] if loader.path else tr("none open")


WIDTH_PX = 400


class ModelAbout(FloatingPanel):
    """Popup about the model; Escape or a click outside closes it."""

    def __init__(self, theme: Theme, loader: ModelLoader, scoring: ToolScoring, parent: QWidget) -> None:
        super().__init__(theme, "model_about", parent)
        self._rows = 0
        self._picker = parent
        px = theme.px
        self.setAccessibleName(tr(ABOUT_THIS_MODEL))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        room = room_for_popups(parent)
        self.setFixedWidth(min(px(WIDTH_PX), room.width()))
        name = ElidedLabel(loader.name)
        name.setFont(theme.font("section"))
        why = plain_label(reason_for_state(loader), wraps=True)
        why.setObjectName("why")
        why.setFont(theme.font("small"))
        why.setVisible(bool(why.text()))
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(px(16))
        self._grid.setVerticalSpacing(px(6))
        self._grid.setColumnStretch(1, 1)
        self._add_facts(loader)
        inside = QWidget()
        inside.setObjectName("page")
        # On a low screen it scrolls.
        area = scrolled(inside)
        around = fill_layout(QVBoxLayout(self), area)
        around.setContentsMargins(1, 1, 1, 1)
        column = self._column = fill_layout(QVBoxLayout(inside), name, why, self._grid)
        column.setContentsMargins(px(15), px(13), px(15), px(15))
        column.setSpacing(px(10))
        if loader.path is not None and loader.path.is_file() and not runs_elsewhere(loader.path):
            column.addWidget(ToolScoreView(theme, scoring, loader.path, on_resized=self._fit_height))
        self.setAccessibleDescription(" ".join([why.text(), *self._said]).strip())
        self._area = area
        self._fit_height()

    def _fit_height(self) -> None:
        # Before it is polished, text has other fonts and so another height.
        self.ensurePolished()
        wanted = self._column.totalHeightForWidth(self.width() - 2) + 2  # that of wrapped text depends on the width
        self.setFixedHeight(min(wanted, room_for_popups(self._picker).height()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.close()
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            bar = self._area.verticalScrollBar()
            bar.setValue(bar.value() + self._theme.px(40) * (1 if event.key() == Qt.Key.Key_Down else -1))
        else:
            super().keyPressEvent(event)

    def _add_facts(self, loader: ModelLoader) -> None:
        self._said: list[str] = []
        if (path := loader.path) is not None and not runs_elsewhere(path):
            file = ElidedLabel(str(path), Qt.TextElideMode.ElideMiddle)
            file.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # a path reads so in every language
            self._add(tr(FILE), file)
            self._add(tr(SIZE), QLabel(size_text(path.stat().st_size) if path.is_file() else tr(NOT_THERE)))
        for name, value in model_facts(loader.model) if loader.model is not None else ():
            self._add(in_words(name), QLabel(in_words(value)))

    def _add(self, name: str, value: QLabel) -> None:
        value.setTextFormat(Qt.TextFormat.PlainText)
        value.setAccessibleName(f"{name}: {value.text()}")
        value.setWordWrap(not isinstance(value, ElidedLabel))
        title = plain_label(name, kind="muted")
        for label in (title, value):
            label.setFont(self._theme.font("small"))
        self._grid.addWidget(title, self._rows, 0)
        self._grid.addWidget(value, self._rows, 1)
        self._rows += 1
        self._said.append(f"{name}: {value.text()}.")


class OtherModels(QObject):
    """Choice of a second model. `known` lists models with names and is set by the window; `loaded` is the
    current one.
    """

    more_wanted = Signal()
    """More models were requested: open the models tab."""

    def __init__(self, loaded: Callable[[], ModelLoaded | None], parent: QObject) -> None:
        super().__init__(parent)
        self._loaded = loaded
        self.known: Callable[[], Sequence[tuple[Path, str]]] = list

    @property
    def path(self) -> Path | None:
        loaded = self._loaded()
        return Path(loaded.path) if loaded is not None else None

    def menu(self, title: str, then: Callable[[Path], object], parent: QWidget) -> Menu:
        """Return a menu of all models except the loaded one; `then` receives the choice."""
        menu = Menu(parent)
        menu.setObjectName("other_models")
        menu.setAccessibleName(title)
        menu.aboutToHide.connect(menu.deleteLater)
        here = self.path
        for path, name in self.known():
            shown = tr("{name} (current)", name=name) if path == here else visible_name(name)
            action = QAction(plain_caption(shown), menu)
            action.setToolTip(plain_tip(str(path)))
            action.triggered.connect(partial(_call_with_path, then, path))
            menu.addAction(action)
        if len(self.known()) < 2:
            menu.addAction(tr("You have only one model. Add another first.")).setEnabled(False)
        menu.addSeparator()
        menu.addAction(tr(FIND_MORE_MODELS), self.more_wanted.emit)
        return menu


def _call_with_path(then: Callable[[Path], object], path: Path, _checked: bool = False) -> None:
    then(path)
