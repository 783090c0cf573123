"""The left column of the Models view: add a file, search the Hub, and the pages under two headings."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.shell.shortcuts import keys_of
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.fields import SearchField

SEARCH_DELAY_MS = 300

_GROUPS = (
    ("On this computer", (
        ("suggested", "Suggested"), ("installed", "Installed"), ("others", "From other programs"),
        ("storage", "Storage"),
    )),
    ("The Hub", (("downloads", "Downloads"),)),
)  # fmt: skip


class ModelsColumn(QWidget):
    """Says what is wanted; what is shown is the view's business."""

    add_wanted = Signal()
    page_chosen = Signal(str)
    search_changed = Signal(str)
    """What to look for, when the typing pauses or Return is pressed; "" when the field was emptied."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("models_column")
        self._theme = theme
        self._add = text_button(tr("Add a file"), "new")
        self._add.setObjectName("add_file")
        self._add.clicked.connect(self.add_wanted)
        self.search = SearchField(theme, tr("Search the Hub"))
        self.search.setToolTip(keys_of("models"))
        self._told = ""
        self._later = QTimer(self, singleShot=True, interval=SEARCH_DELAY_MS)
        self._later.timeout.connect(self._tell_search)
        self.search.textChanged.connect(lambda _: self._later.start())
        self.search.installEventFilter(self)
        self.search.returnPressed.connect(self._on_return)
        self._column = QVBoxLayout(self)
        self._begin = QVBoxLayout()
        self._begin.addWidget(self._add)
        self._begin.addWidget(self.search)
        self._column.addLayout(self._begin)
        self.pages: dict[str, QPushButton] = {}
        self._names: dict[str, str] = {}
        self._headings: list[QLabel] = []
        self._group = QButtonGroup(self)
        listed = QWidget()
        listed.setObjectName("page")
        self._rows = QVBoxLayout(listed)
        self._rows.setContentsMargins(0, 0, 0, 0)
        for heading, pages in _GROUPS:
            self._add_group(tr(heading), pages)
        self._rows.addStretch(1)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._column.addWidget(self._scroll, 1)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        # WORKAROUND: this polishes what is inside, and under a style sheet Qt puts back later the fonts of that moment.
        self._scroll.setWidget(listed)

    def show_page(self, name: str) -> None:
        """Marks a page; "search" has no row of its own, so nothing is marked then."""
        button = self.pages.get(name)
        self._group.setExclusive(False)
        for one in self.pages.values():
            one.setChecked(one is button)
        self._group.setExclusive(True)

    def show_count(self, name: str, count: int) -> None:
        """How many there are behind a page; none is not said."""
        text = f"{self._names[name]} · {count}" if count else self._names[name]
        self.pages[name].setAccessibleName(text)
        self._show_names()

    def _add_group(self, heading: str, pages: tuple[tuple[str, str], ...]) -> None:
        label = QLabel(heading.upper(), textFormat=Qt.TextFormat.PlainText)
        label.setAccessibleName(heading)
        label.setProperty("kind", "muted")
        self._headings.append(label)
        self._rows.addWidget(label)
        for name, text in pages:
            button = text_button(tr(text), "nav")
            button.setObjectName(f"page_{name}")
            button.setCheckable(True)
            button.setProperty("elides", True)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, name=name: self._choose(name))
            self.pages[name], self._names[name] = button, tr(text)
            button.installEventFilter(self)
            self._group.addButton(button)
            self._rows.addWidget(button)

    def _show_names(self) -> None:
        """In a narrow column long names are shortened."""
        room = self.contentsRect().width() - self._theme.px(2 * (12 + 15) + 2)
        for button in self.pages.values():
            text = button.accessibleName()
            button.setText(button.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room))
            button.setToolTip(text if button.text() != text else "")

    def _choose(self, name: str) -> None:
        self._later.stop()
        self.page_chosen.emit(name)

    def _on_return(self) -> None:
        self._told = ""  # the same words again are a wish to see the results again
        self._tell_search()

    def _tell_search(self) -> None:
        self._later.stop()
        text = self.search.text().strip()
        if text != self._told:
            self._told = text
            self.search_changed.emit(text)

    def _on_theme_changed(self) -> None:
        theme, tokens = self._theme, self._theme.tokens
        self._column.setContentsMargins(theme.px(12), theme.px(14), theme.px(12), 0)
        for column in (self._column, self._rows):
            column.setSpacing(theme.px(3))
        self._begin.setSpacing(theme.px(9))
        self._add.setFont(theme.font(14.5, 600))
        self._add.setIcon(icon("plus", tokens.accent))
        self._add.setIconSize(QSize(theme.px(32), theme.px(16)))
        for heading in self._headings:
            heading.setFont(theme.font(12, 600))
            heading.setContentsMargins(theme.px(15), theme.px(14), theme.px(6), theme.px(4))
        for button in self.pages.values():
            button.setFont(theme.font(14, 500))
        self._show_names()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_names()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # A button of a group would move the focus along by itself, and choose nothing.
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and isinstance(watched, QWidget):
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None:
                self._move(watched, step)
                return True
        return super().eventFilter(watched, event)

    def _move(self, start: QWidget, step: int) -> None:
        ways = [self.search, *self.pages.values()]
        place = ways.index(start) + step
        if 0 <= place < len(ways):
            ways[place].setFocus(Qt.FocusReason.TabFocusReason)
            self._scroll.ensureWidgetVisible(ways[max(1, place)])
        if 1 <= place < len(ways):
            list(self.pages.values())[place - 1].click()
