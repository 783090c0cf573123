"""Settings: every change is saved and in force at once; fields cannot hold a wrong value."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app import APP_NAME, __version__
from app.core.errors import AppError
from app.core.paths import resource_root
from app.ui.desktop import open_folder
from app.ui.i18n import tr
from app.ui.notify import Notify
from app.ui.shortcuts import ShortcutSheet
from app.ui.theme import ZOOM_STEPS, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.fields import Segments, Stepper, Switch

if TYPE_CHECKING:
    from app.bootstrap import Fireside

PROMPT_DELAY_MS = 400
MOST_CONTEXT_TOKENS = 1_048_576


class SettingsDialog(QDialog):
    """Pages at the leading side, their fields beside them."""

    reload_wanted = Signal()
    """How models run was changed; the window loads the model again."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._app, self._theme, self._notify = app, theme, notify
        self.setObjectName("settings_dialog")
        self.setWindowTitle(tr("Settings"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        px = theme.px
        self.resize(px(720), px(500))
        self._nav = QWidget()
        self._nav.setObjectName("settings_nav")
        self._nav.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._nav_column = QVBoxLayout(self._nav)
        self._nav_column.setContentsMargins(px(12), px(16), px(12), px(16))
        self._nav_column.setSpacing(px(2))
        self._nav.setMinimumWidth(px(168))
        self._fonts: list[tuple[QWidget, float, int]] = []
        theme.changed.connect(self._set_fonts)
        self._group = QButtonGroup(self)
        self.pages = QStackedWidget()
        self._prompt_later = QTimer(self, singleShot=True, interval=PROMPT_DELAY_MS)
        for name, build in (
            (tr("Appearance"), self._build_appearance),
            (tr("Chat"), self._build_chat),
            (tr("Engine"), self._build_engine),
            (tr("About"), self._build_about),
        ):
            self._add_page(name, build)
        self._nav_column.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._nav)
        row.addWidget(self.pages, 1)
        self._set_fonts()

    def show_page(self, number: int) -> None:
        """Opens a page by its place in the list."""
        button = self._group.buttons()[number]
        button.setChecked(True)
        button.setFocus()
        self.pages.setCurrentIndex(number)

    def done(self, result: int) -> None:
        """Keeps what is still being typed, then closes."""
        if self._prompt_later.isActive():
            self._prompt_later.stop()
            self._save_prompt()
        super().done(result)

    def _set_fonts(self) -> None:
        for widget, size_px, weight in self._fonts:
            widget.setFont(self._theme.font(size_px, weight))

    def _add_page(self, name: str, build: Callable[[QVBoxLayout], None]) -> None:
        button = text_button(name, "nav")
        button.setCheckable(True)
        self._fonts.append((button, 14, 500))
        number = self.pages.count()
        button.setChecked(number == 0)
        button.clicked.connect(lambda: self.pages.setCurrentIndex(number))
        self._group.addButton(button)
        self._nav_column.addWidget(button)
        page = QWidget()
        page.setObjectName("page")
        column = QVBoxLayout(page)
        px = self._theme.px
        column.setContentsMargins(px(28), px(20), px(28), px(20))
        column.setSpacing(px(14))
        title = QLabel(name)
        self._fonts.append((title, 18, 600))
        column.addWidget(title)
        build(column)
        column.addStretch(1)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(page)
        self.pages.addWidget(scroll)

    def _add_row(self, column: QVBoxLayout, name: str, explanation: str | QLabel, field: QWidget) -> None:
        words = QVBoxLayout()
        words.setSpacing(self._theme.px(2))
        words.addWidget(QLabel(name))
        if explanation:
            words.addWidget(explanation if isinstance(explanation, QLabel) else self._muted(explanation))
        row = QHBoxLayout()
        row.setSpacing(self._theme.px(16))
        row.addLayout(words, 1)
        row.addWidget(field, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(row)

    def _muted(self, text: str) -> QLabel:
        label = QLabel(text, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        label.setProperty("kind", "muted")
        self._fonts.append((label, 13, 400))
        return label

    def _build_appearance(self, column: QVBoxLayout) -> None:
        theme, appearance = self._theme, self._app.settings.appearance
        choices = [("system", tr("System")), ("light", tr("Light")), ("dark", tr("Dark"))]
        self._add_row(column, tr("Colours"), "", Segments(tr("Colours"), choices, appearance.scheme, self._on_scheme))
        font = Switch(theme, tr("Use the system’s font"), on=appearance.system_font)
        font.toggled.connect(self._on_system_font)
        self._add_row(column, tr("Use the system’s font"), tr("In place of Inter, for everything but code."), font)
        zoom = Stepper(
            theme, tr("Zoom"), theme.zoom * 100,
            lowest=ZOOM_STEPS[0] * 100, highest=ZOOM_STEPS[-1] * 100, step=10, suffix=" %",
        )  # fmt: skip
        zoom.changed.connect(self._on_zoom)
        self._add_row(column, tr("Zoom"), tr("Also with Ctrl + and Ctrl −."), zoom)

    def _on_scheme(self, scheme: str) -> None:
        self._theme.scheme = scheme
        self._save("appearance", scheme=scheme)

    def _on_system_font(self, wanted: bool) -> None:
        self._theme.system_font = wanted
        self._save("appearance", system_font=wanted)

    def _on_zoom(self, percent: float) -> None:
        self._theme.zoom = percent / 100
        self._save("appearance", zoom=self._theme.zoom)

    def _build_chat(self, column: QVBoxLayout) -> None:
        theme, chat = self._theme, self._app.settings.chat
        column.addWidget(self._muted(tr("For new chats. Each chat can have its own, too.")))
        column.addWidget(QLabel(tr("System prompt")))
        self._prompt = QPlainTextEdit(chat.system_prompt, placeholderText=tr("What every answer should keep to"))
        self._prompt.setAccessibleName(tr("System prompt"))
        self._prompt.setTabChangesFocus(True)
        self._prompt.setFixedHeight(theme.px(96))
        self._prompt.textChanged.connect(self._prompt_later.start)
        self._prompt_later.timeout.connect(self._save_prompt)
        column.addWidget(self._prompt)
        temperature = Stepper(
            theme, tr("Temperature"), chat.temperature if chat.temperature >= 0 else -0.1,
            lowest=-0.1, highest=5, step=0.1, decimals=1, word_for_lowest=tr("Model’s own"),
        )  # fmt: skip
        temperature.changed.connect(
            lambda value: self._save("chat", temperature=-1.0 if value < 0 else round(value, 1))
        )
        self._add_row(column, tr("Temperature"), tr("Low is steady, high is varied."), temperature)
        longest = Stepper(theme, tr("Longest answer"), chat.max_tokens, lowest=16, highest=131_072, step=256)
        longest.changed.connect(lambda value: self._save("chat", max_tokens=int(value)))
        self._add_row(
            column, tr("Longest answer"), tr("In tokens; a token is about three quarters of a word."), longest
        )

    def _save_prompt(self) -> None:
        self._save("chat", system_prompt=self._prompt.toPlainText())

    def _build_engine(self, column: QVBoxLayout) -> None:
        theme, engine = self._theme, self._app.settings.engine
        automatic = tr("Automatic")
        most = max(64, os.cpu_count() or 1)
        threads = Stepper(
            theme, tr("Threads"), engine.threads, lowest=0, highest=most, word_for_lowest=automatic
        )  # fmt: skip
        threads.changed.connect(lambda value: self._change_engine(threads=int(value)))
        self._add_row(column, tr("Threads"), tr("How many of the processor’s cores a model may use."), threads)
        context = Stepper(
            theme, tr("Context"), engine.context_tokens,
            lowest=0, highest=MOST_CONTEXT_TOKENS, step=1024, word_for_lowest=automatic,
        )  # fmt: skip
        context.changed.connect(lambda value: self._change_engine(context_tokens=int(value)))
        self._add_row(
            column, tr("Context"), tr("How many tokens a model keeps in mind. More needs more memory."), context
        )
        self._reload = text_button(tr("Load the model again"), "primary")
        self._reload.clicked.connect(self._on_reload)
        self._reload_note = self._muted(tr("Both apply when a model is loaded."))
        column.addWidget(self._reload_note)
        column.addWidget(self._reload, 0, Qt.AlignmentFlag.AlignLeading)
        self._reload.hide()

    def _change_engine(self, **values: int) -> None:
        self._save("engine", **values)
        self._reload_note.setText(tr("Saved. It applies when the model is loaded again."))
        self._reload.show()

    def _on_reload(self) -> None:
        self._reload.hide()
        self._reload_note.setText(tr("The model is loading with the new values."))
        self.reload_wanted.emit()

    def _build_about(self, column: QVBoxLayout) -> None:
        column.addWidget(QLabel(f"{APP_NAME} {__version__}"))
        column.addWidget(
            self._muted(tr("Talks to language models that run on this computer. What you write stays here."))
        )
        paths = self._app.paths
        for name, folder in (
            (tr("Your chats and models"), paths.data),
            (tr("Settings"), paths.config),
            (tr("Log"), paths.logs),
        ):
            button = text_button(tr("Open folder"))
            button.setAccessibleName(tr("Open folder: {name}", name=name))
            button.clicked.connect(lambda _=False, folder=folder: open_folder(folder))
            where = ElidedLabel(str(folder), Qt.TextElideMode.ElideMiddle)
            where.setProperty("kind", "muted")
            self._fonts.append((where, 13, 400))
            self._add_row(column, name, where, button)
        buttons = QHBoxLayout()
        keys = text_button(tr("Keyboard shortcuts"))
        keys.clicked.connect(lambda: ShortcutSheet(self._theme, self).show())
        buttons.addWidget(keys)
        notices = licence_notices()
        if notices is not None:
            button = text_button(tr("Licences"))
            button.clicked.connect(lambda: LicenceSheet(self._theme, notices, self).show())
            buttons.addWidget(button)
        buttons.addStretch(1)
        column.addLayout(buttons)

    def _save(self, section: str, **values: Any) -> None:
        try:
            self._app.change(section, **values)
        except AppError as error:
            self._notify.error(error)


class LicenceSheet(QDialog):
    """The notices of everything Fireside is made with."""

    def __init__(self, theme: Theme, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Licences"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(theme.px(640), theme.px(480))
        text = QPlainTextEdit(path.read_text("utf-8"), readOnly=True)
        text.setObjectName("licences")
        text.setAccessibleName(tr("Licences"))
        text.setFont(theme.code_font(12.5))
        close = text_button(tr("Close"))
        close.clicked.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.px(16),) * 4)
        column.addWidget(text)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignTrailing)


def licence_notices() -> Path | None:
    """The third-party notices, beside resources/ in a checkout and in a frozen program."""
    path = resource_root().parent / "THIRD_PARTY.md"
    return path if path.is_file() else None
