"""The left column of every view: what the view puts into it, and at the foot what has no tab above."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QPushButton, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.shell.shortcuts import keys_of
from app.ui.shell.tab_spec import TabSpec
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button


class LeftColumn(QWidget):
    """Keeps its width and place, whatever view is shown."""

    chosen = Signal(str)
    """One of what stands at the foot, by its name."""
    settings_wanted = Signal()

    def __init__(self, theme: Theme, specs: Sequence[TabSpec]) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self.views = QStackedWidget()
        self._foot = QVBoxLayout()
        self._buttons: dict[str, QPushButton] = {}
        for spec in specs:
            button = self._buttons[spec.name] = text_button(tr(spec.label), "foot")
            button.setObjectName(spec.name)
            button.setToolTip(keys_of(spec.name))
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, name=spec.name: self.chosen.emit(name))
            self._foot.addWidget(button)
        self._settings = text_button(tr("Settings"), "foot")
        self._settings.setObjectName("settings")
        self._settings.setToolTip(keys_of("settings"))
        self._settings.clicked.connect(self.settings_wanted)
        self._foot.addWidget(self._settings)
        self._icons = [*((self._buttons[spec.name], spec.icon) for spec in specs), (self._settings, "gear-six")]
        inside = QWidget()
        inside.setObjectName("page")
        column = QVBoxLayout(inside)
        column.addWidget(self.views, 1)
        column.addLayout(self._foot)
        area = QScrollArea(widgetResizable=True)  # in a low window nothing is pressed together
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.viewport().setAutoFillBackground(False)
        area.setWidget(inside)
        around = QVBoxLayout(self)
        around.addWidget(area)
        for layout in (column, around):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def add(self, view: QWidget) -> None:
        """A view's own part."""
        self.views.addWidget(view)

    def mark(self, name: str) -> None:
        """Shows which one at the foot is open; none where it has no place there."""
        for known, button in self._buttons.items():
            button.setChecked(known == name)

    def showEvent(self, event: QShowEvent) -> None:
        # WORKAROUND: a scroll area polishes what is in it; fonts set before that would be lost.
        self._on_theme_changed()
        super().showEvent(event)

    def _on_theme_changed(self) -> None:
        theme = self._theme
        self._foot.setContentsMargins(theme.px(12), theme.px(6), theme.px(12), theme.px(10))
        self._foot.setSpacing(theme.px(2))
        for button, name in self._icons:
            button.setFont(theme.font(13.5, 500))
            button.setIcon(icon(name, theme.tokens.muted))
            # A push button keeps its text four pixels from the icon; a wider icon around the same glyph gives it air.
            button.setIconSize(QSize(theme.px(28), theme.px(16)))
