"""Model picker: name, size and state of the open tab's model, with menus of the known models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QActionGroup, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton

from app.core.paths import runs_elsewhere, starter_model
from app.features.models.model_messages import trying_words
from app.ui.i18n import Translatable, join_lines, size_text, tr
from app.ui.icons import icon
from app.ui.locale_formats import join_list
from app.ui.screen_reader import read_as, tell_busy
from app.ui.shared_labels import ABOUT_THIS_MODEL, CHAT_LABEL, FIND_MORE_MODELS, MODEL, PUT_TO_SLEEP, WRITE_LABEL
from app.ui.shell.keyboard import keys_of, with_keys
from app.ui.shell.model_about import ModelAbout, reason_for_state, state_word
from app.ui.shell.model_loader import ModelLoader, in_words
from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import CHAT, WRITE, OwnEngine, OwnModelOf
from app.ui.shell.tool_scoring import ToolScoring
from app.ui.theme import Theme
from app.ui.widgets.labels import ElidedLabel, StatusDot, announce, plain_tip
from app.ui.widgets.menus import Menu, TwoLineAction

if TYPE_CHECKING:
    from app.bootstrap import Fireside


STARTER_DESCRIPTION = "a very small English model, often wrong"
CALLS_RIGHT = "calls the right tool in {right} of {requests}"
FOR_THIS_CHAT_ONLY = "For this chat only"
WAKE_UP = "Wake up"
LOAD_IT_AGAIN = "Reload"
STOP_LOADING = "Stop loading"
MODEL_IS_LOADING = "{model} is loading"
MODEL_IS_READY = "{model} is ready"
USE_IN_CHATS_TOO = "Use in chats too"
OPEN_MODEL_FILE = "Open a model file…"
LOADED_WHEN_NEEDED = "It’s loaded when needed."
MODEL_REPLACED_FOR_WORK = "Temporarily replaces {name} for work in another tab."
USED_ONLY_IN_TAB = "{name} is used only in {tab}."


NAME_PX = 220
_TASK_NAMES: dict[str, Translatable] = {
    CHAT: CHAT_LABEL,
    "summarize": "Summarize",
    "translate": "Translate",
    WRITE: WRITE_LABEL,
}
_DOTS = {
    "asleep": ("muted", False),
    "loading": ("warning", True),
    "ready": ("success", True),
    "failed": ("danger", True),
}


class ModelPicker(QPushButton):
    """Button for the model of the open tab, with the loader's state if it is the chat model.

    A choice for the chat is loaded at once. Another tab's model is loaded by its next job, so that the chat's stays
    loaded.
    """

    def __init__(
        self,
        app: Fireside,
        theme: Theme,
        loader: ModelLoader,
        notify: Notify,
        *,
        scoring: ToolScoring,
        on_task_model: Callable[[], object],
        ask_for_file: Callable[[], object],
        show_models: Callable[[], object],
    ) -> None:
        super().__init__()
        self.show_models, self.ask_for_file, self.scoring = show_models, ask_for_file, scoring
        self.on_task_model = on_task_model
        """The model of a tab other than the chat changed; the loader announces the chat's."""
        self._app, self._theme, self._loader, self._notify = app, theme, loader, notify
        self.task = CHAT
        self.of_chat: OwnModelOf | None = None
        """Model override of the visible chat."""
        self._own: Path | None = None
        self._announced = loader.state
        self.is_elsewhere = False
        self.setObjectName("model_picker")
        self.is_at_work: Callable[[str], bool] = lambda _task: False
        """Returns whether a task's own model is generating."""
        self.engine_of: Callable[[str], OwnEngine | None] = lambda _task: None
        """Returns the control of a task's own model, or None."""
        self.setAccessibleName(tr(MODEL))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._dot = StatusDot(theme)
        self._name = theme.dress(ElidedLabel(), font="control", most_width=NAME_PX)
        self._away, self._size, self._word, self._caret = QLabel(), QLabel(), QLabel(), QLabel()
        # The icon stays where there is no room for the words.
        self._away.hide()
        self._size.setProperty("kind", "muted")
        self._word.setProperty("kind", "muted")
        self._row = theme.dress(QHBoxLayout(self), margins=(13, 0, 11, 0), spacing=9)
        for widget in (self._dot, self._away, self._name, self._size, self._word, self._caret):
            if isinstance(widget, QLabel):
                widget.setTextFormat(Qt.TextFormat.PlainText)
            # A click on a label is one on the button.
            widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            if widget is self._caret:
                self._row.addStretch(1)
            self._row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        read_as(self, has_menu=True)
        self.clicked.connect(self.show_menu)
        loader.changed.connect(self.refresh)
        loader.changed.connect(self._announce_state)
        theme.dress(self, height=32)
        theme.dress(self._size, self._word, font="small")
        theme.dress(self._caret, picture=("caret-down-bold", "text", 12))
        theme.dress(self._away, picture=("cloud", "text", 16))
        theme.changed.connect(self._fit_width)
        self._fit_width()
        self.refresh()

    def sizeHint(self) -> QSize:
        name_px = min(self._name.sizeHint().width(), self._name.maximumWidth())
        return QSize(self._width_of(name_px, self._said), self._theme.px(32))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._width_of(self._name.minimumSizeHint().width(), []), self._theme.px(32))

    @property
    def least_px(self) -> int:
        """Width that the picker keeps without the model's name."""
        return self._width_of(0, []) - self._row.spacing()

    def show_task(self, task: str) -> None:
        """Show the model of another task because its tab was opened."""
        self.task = task
        self.refresh()

    @property
    def path(self) -> Path | None:
        """Model of the tab: its own, or else the one that answers in the chat."""
        return self._own or self._loader.stand_in or self._loader.path

    def use(self, path: Path) -> None:
        """Choose a model for the open tab: load it if that is the chat, else store it for the tab's task."""
        if self.task == CHAT:
            is_for_one = self.of_chat is not None and self.of_chat.is_own
            if self.of_chat is not None and is_for_one:
                self.of_chat.choose(path)
            self._loader.load(path, is_for_one=is_for_one)
            return
        with self._notify.guard():
            self._app.models.choose_model(self.task, path)
        self.refresh()
        self.on_task_model()
        if not self.uses_loader:
            words = tr(USED_ONLY_IN_TAB, name=self._name_of(path), tab=self._tab_name)
            self._notify.offer(words, tr(USE_IN_CHATS_TOO), partial(self._loader.load, path))

    def show_menu(self) -> None:
        """Open the menu below the picker, aligned with its trailing edge."""
        menu = self.menu_now()
        # With the keyboard it begins at the model in use; with the pointer a row is marked when it is pointed at.
        if not self.underMouse():
            menu.setActiveAction(next((action for action in menu.actions() if action.isChecked()), menu.actions()[-1]))
        menu.popup_at(self)

    def show_about(self) -> None:
        """Open a popup about the model and how it runs, below the picker."""
        about = ModelAbout(self._theme, self._loader, self.scoring, self)
        about.place_at(self)
        about.show()
        about.setFocus(Qt.FocusReason.PopupFocusReason)

    def menu_now(self) -> ModelMenu:
        """Return the menu of the known models whose file exists, and of the actions on the current one."""
        return ModelMenu(self, self._app, self._theme, self._loader)

    @property
    def own_path(self) -> Path | None:
        """The model that the tab has for itself; None for the chat's."""
        return self._own

    @property
    def uses_loader(self) -> bool:
        """True if the tab uses the chat model, whose state the loader knows."""
        return self.path in (self._loader.path, self._loader.stand_in)

    def _name_of(self, path: Path) -> str:
        return tr(self._app.names.name_of(path))

    def size_of(self, path: Path) -> str:
        """Return a model's size, or the server it runs on; "" if the file is missing."""
        if runs_elsewhere(path):
            host = self._app.names.host_of(path)
            return tr("on {host}", host=host) if host else ""
        size_bytes = _size_or_none(path)
        return "" if size_bytes is None else size_text(size_bytes)

    def refresh(self) -> None:
        """Update the picker from the tab's model, the loader's state and network access."""
        if self.task != CHAT:
            self._own = self._app.models.for_task(self.task)
        else:
            self._own = self.of_chat.path if self.of_chat is not None else None
        loader, path = self._loader, self.path
        is_loaders = self.uses_loader
        name = loader.name if path == loader.path or path is None else self._name_of(path)
        if is_loaders:
            word, state = state_word(loader), "failed" if loader.is_away else loader.state
        else:
            word, state = self._own_state(path)
        told = _state_sentence(loader) if is_loaders else self._own_state_sentence(state)
        self._name.setText(name)
        size = self.size_of(path) if path else ""
        self._size.setText(size)
        self.is_elsewhere = path is not None and runs_elsewhere(path)
        # The server may be reachable, but nothing is sent to it while the network is off.
        app, is_ready = self._app, state == "ready"
        if path and self.is_elsewhere and is_ready and not app.names.may_ask(path, app.settings.network):
            word, state = tr("network off"), "asleep"
        self._away.setVisible(self.is_elsewhere)
        self._word.setText(word)
        token, filled = _DOTS[state]
        self._dot.show_state(token, filled=filled)
        tell_busy(self, state == "loading")
        self.setAccessibleDescription(join_list((name, size, word, told)))
        choose = with_keys(tr("Choose the model"), "choose_model")
        self.setToolTip(plain_tip(join_lines((told, str(path or ""), choose))))
        self._fit_width()

    def _announce_state(self) -> None:
        """Tell screen readers once that the chat's model loads, and that it is ready; a failure is a notice."""
        state, self._announced = self._announced, self._loader.state
        words = {"loading": MODEL_IS_LOADING, "ready": MODEL_IS_READY}.get(self._announced)
        if words is not None and state != self._announced:
            announce(self, tr(words, model=self._loader.name))

    @property
    def _tab_name(self) -> str:
        return tr(_TASK_NAMES[self.task])

    def _own_state(self, path: Path | None) -> tuple[str, str]:
        """Return the state text and dot of a model other than the chat's."""
        if self.is_at_work(self.task):
            return tr("busy"), "ready"
        if path is not None and runs_elsewhere(path):
            return "", "ready"
        engine = self.engine_of(self.task)
        state = engine.state if engine is not None else "asleep"
        return {"asleep": tr("asleep"), "loading": tr("loading"), "ready": tr("ready")}[state], state

    def _own_state_sentence(self, state: str) -> str:
        loads = "" if state == "ready" else tr(LOADED_WHEN_NEEDED)
        only = tr("Only in {tab}.", tab=self._tab_name) if self.task != CHAT else ""
        return " ".join(filter(None, (only, loads)))

    @property
    def _said(self) -> list[QLabel]:
        """Labels shown next to the name when there is room."""
        return [label for label in (self._size, self._word) if label.text()]

    def _width_of(self, name_px: int, labels: Sequence[QLabel]) -> int:
        margins = self._row.contentsMargins()
        signs = [self._caret] if self._away.isHidden() else [self._away, self._caret]
        widths = [self._dot.minimumWidth(), *(label.sizeHint().width() for label in (*labels, *signs))]
        return sum(widths) + name_px + margins.left() + margins.right() + self._row.spacing() * len(widths)

    def _fit_width(self) -> None:
        """Request the available width, then show the labels that fit."""
        # The labels depend on the width, which a layout would otherwise give only later.
        self.updateGeometry()
        parent = self.parentWidget()
        layout = parent.layout() if parent is not None else None
        if layout is not None:
            layout.activate()
        self._arrange()

    def _arrange(self) -> None:
        """Hide labels that do not fit: the size first, then the state, then the name; tooltip and screen readers keep
        all. The server of a remote model stays longest.
        """
        least = self._name.minimumSizeHint().width()
        self._name.setVisible(self.width() >= self._width_of(least, []))
        longest = [self._size if self.is_elsewhere else self._word]
        has_room_for = [labels for labels in (self._said, longest, []) if self._width_of(least, labels) <= self.width()]
        shown = has_room_for[0] if has_room_for else []
        for label in (self._size, self._word):
            label.setVisible(label in shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()


class ModelMenu(Menu):
    """A menu for the picker's tab; it shows what there is now, and goes when it closes."""

    def __init__(self, picker: ModelPicker, app: Fireside, theme: Theme, loader: ModelLoader) -> None:
        super().__init__(picker)
        self._picker, self._app, self._theme, self._loader = picker, app, theme, loader
        self.setObjectName("model_menu")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        # Menus show the tooltips of their entries only if asked to.
        self.setToolTipsVisible(True)
        self._add_entries()

    def _add_entries(self) -> None:
        tokens = self._theme.tokens
        group = QActionGroup(self)
        # Nobody opens a menu before the window is seen.
        from app.features.models.installed import senses_of
        from app.ui.model_texts import senses_words

        for path, name in self._known_models():
            if not (size := self._picker.size_of(path)):
                continue
            words = [size]
            known = (self._app.names.sees_elsewhere(path), False) if runs_elsewhere(path) else senses_of(path)
            if senses := senses_words(*known):
                words.append(senses)
            if (score := self._picker.scoring.find_score(path)) is not None:
                words.append(tr(CALLS_RIGHT, right=score.right_tool, requests=score.requests))
            if path == starter_model():
                words.append(tr(STARTER_DESCRIPTION))
            action = TwoLineAction(
                self._theme, tr(name), "  ·  ".join(words), self, is_current=path == self._picker.path
            )
            action.triggered.connect(lambda _checked=False, path=path: self._picker.use(path))
            action.setToolTip(plain_tip("\n".join((str(path), *words[1:]))))
            group.addAction(action)
        self.addSeparator()
        if self._picker.task == CHAT and self._picker.of_chat is not None:
            self._add_for_one(self._picker.of_chat)
        if self._picker.uses_loader:
            self._add_loader_actions()
        elif self._picker.path is not None:
            self._add_own_actions(self._picker.path)
        find, other = tr(FIND_MORE_MODELS), tr(OPEN_MODEL_FILE)
        self.addAction(icon("cube", tokens.muted), f"{find}\t{keys_of('models')}", self._picker.show_models)
        # In a page these keys open a text.
        keys = "" if self._picker.task == WRITE else f"\t{keys_of('open_model')}"
        self.addAction(icon("folder-open", tokens.muted), f"{other}{keys}", self._picker.ask_for_file)
        self._fit_screen()

    def _fit_screen(self) -> None:
        """Shorten it if it is wider than the screen: first without shortcuts, then with elided entries."""
        # The menu has its font only once it is polished; before, its size is that of another font.
        self.ensurePolished()
        room = self.screen().availableGeometry().width()
        over = self.sizeHint().width() - room
        if over <= 0:
            return
        for action in self.actions():
            action.setText(action.text().partition("\t")[0])
        widest = max(self.fontMetrics().horizontalAdvance(action.text()) for action in self.actions())
        most = widest - max(0, self.sizeHint().width() - room)
        for action in self.actions():
            action.setText(self.fontMetrics().elidedText(action.text(), Qt.TextElideMode.ElideRight, most))

    def _known_models(self) -> list[tuple[Path, Translatable]]:
        known = self._app.names.list_choices()
        if (own := self._picker.own_path) is not None and own not in dict(known):
            known.append((own, tr(self._app.names.name_of(own))))
        return known

    def _add_for_one(self, chat: OwnModelOf) -> None:
        """Add the switch that makes the model this chat's own."""
        is_own, path = chat.is_own, self._picker.path
        action = self.addAction(tr(FOR_THIS_CHAT_ONLY), lambda: chat.choose(None if is_own else path))
        tokens = self._theme.tokens
        action.setIcon(icon("push-pin-slash" if is_own else "push-pin", tokens.accent if is_own else tokens.muted))
        action.setToolTip(tr("This chat keeps its model when you choose a different model elsewhere."))
        action.setCheckable(True)
        action.setChecked(is_own)
        action.setEnabled(path is not None)

    def _add_own_actions(self, path: Path) -> None:
        """Add the actions for a model that only this tab uses."""
        muted, engine = self._theme.tokens.muted, self._picker.engine_of(self._picker.task)
        if engine is not None and not self._picker.is_elsewhere and engine.state == "ready":
            self.addAction(icon("moon", muted), tr(PUT_TO_SLEEP), engine.sleep)
        elif engine is not None and not self._picker.is_elsewhere and engine.state == "asleep":
            self.addAction(icon("sun", muted), tr(WAKE_UP), partial(engine.wake, path))
        if self._picker.task != CHAT:
            self.addAction(icon("chat-circle-text", muted), tr(USE_IN_CHATS_TOO), partial(self._loader.load, path))

    def _add_loader_actions(self) -> None:
        loader, tokens = self._loader, self._theme.tokens
        if loader.state == "loading" and loader.can_cancel:
            self.addAction(icon("stop", tokens.muted), tr(STOP_LOADING), loader.cancel)
        elif loader.state == "ready" and not self._picker.is_elsewhere:
            self.addAction(icon("moon", tokens.muted), tr(PUT_TO_SLEEP), loader.sleep)
        elif loader.path is not None and loader.state == "asleep":
            self.addAction(icon("sun", tokens.muted), tr(WAKE_UP), loader.wake)
        elif loader.path is not None and loader.state == "failed":
            self.addAction(icon("arrow-clockwise", tokens.muted), tr(LOAD_IT_AGAIN), loader.start)
        if loader.path is not None:
            self.addAction(icon("info", tokens.muted), tr(ABOUT_THIS_MODEL), self._picker.show_about)


def _state_sentence(loader: ModelLoader) -> str:
    """Return the sentence that explains a loader's state."""
    if loader.state == "loading" and loader.step:
        return in_words(trying_words(loader.step))
    if loader.model is not None and loader.stand_in is not None:
        return tr(MODEL_REPLACED_FOR_WORK, name=loader.name)
    return reason_for_state(loader)


def _size_or_none(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None  # moved or deleted meanwhile: it is not offered
