"""Left column of the Models view: add a file, search the Hub, and the pages in two groups."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAccessible, QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.ui.i18n import Translatable, tr
from app.ui.locale_formats import format_number, join_facts
from app.ui.models.models_page import WAYS_TO_COMPARE
from app.ui.screen_reader import read_as
from app.ui.shared_labels import MODELS
from app.ui.shell.keyboard import keys_of
from app.ui.shown_texts import rewrite_text
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.input_fields import SearchField
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout
from app.ui.widgets.timers import new_timer

SEARCH_DELAY_MS = 300
ADD_FROM_DISK = "Add models from a folder"
_GROUPS = (
    ("On this computer", (
        ("suggested", "Suggested"), ("installed", "Installed"), ("others", "From other programs"),
        ("storage", "Storage"),
    )),
    ("The Hub", (("downloads", "Downloads"),)),
    ("Look inside", (("compare", "Compare models"), ("how", "How it works"))),
)  # fmt: skip


class ModelsColumn(QWidget):
    """Left column of the tab; it emits what was chosen, and the view reacts."""

    page_chosen = Signal(str)
    search_changed = Signal(str)
    """Search text after a pause in typing or Return; "" when the field was cleared."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("models_column")
        self._theme = theme
        self.add = text_button(tr("Add a file"), "new", name="add_file")
        self.add_folder = IconButton(theme, "download-simple", tr(ADD_FROM_DISK), name="add_folder")
        self.search = SearchField(theme, tr("Search the Hub"))
        self.search.setToolTip(keys_of("models"))
        self._last_search = ""
        self._delay = new_timer(self, SEARCH_DELAY_MS, self._tell_search)
        self.search.textChanged.connect(lambda _: self._delay.start())
        self.search.installEventFilter(self)
        self.search.returnPressed.connect(self._on_return)
        self._column = theme.dress(QVBoxLayout(self), margins=(12, 14, 12, 0), spacing=3)
        adding = theme.dress(fill_layout(QHBoxLayout(), (self.add, 1), self.add_folder), spacing=6)
        self._begin = theme.dress(fill_layout(QVBoxLayout(), adding, self.search), spacing=9)
        self._column.addLayout(self._begin)
        self.pages: dict[str, QPushButton] = {}
        self._names: dict[str, str] = {}
        self._group = QButtonGroup(self)
        listed = read_as(QWidget(), QAccessible.Role.PageTabList)
        listed.setObjectName("page")
        listed.setAccessibleName(tr(MODELS))
        self._rows = theme.dress(drop_margins(QVBoxLayout(listed)), spacing=3)
        for heading, pages in _GROUPS:
            self._add_group(tr(heading), pages)
        self._rows.addStretch(1)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._column.addWidget(self._scroll, 1)
        theme.dress(self.add, font="control", glyph=("plus", "accent", 20), glyph_size=(32, 16))
        # WORKAROUND: this polishes the content, and under a style sheet Qt later restores the fonts of that moment.
        self._scroll.setWidget(listed)

    def show_page(self, name: str) -> None:
        """Highlight a page's row. "search" has none, so then nothing is highlighted."""
        button = self.pages.get("compare" if name in WAYS_TO_COMPARE else name)
        # An exclusive group never lets the last button be unchecked.
        self._group.setExclusive(False)
        for page in self.pages.values():
            page.setChecked(page is button)
        self._group.setExclusive(True)

    def show_count(self, name: str, count: int) -> None:
        """Show the number of entries behind a page's name; 0 shows none."""
        text = join_facts([rewrite_text(self._names[name]), format_number(count) if count else ""])
        self.pages[name].setText(text)
        self.pages[name].setAccessibleName(text)

    def _add_group(self, heading: str, pages: tuple[tuple[str, Translatable], ...]) -> None:
        label = plain_label(heading)
        label.setObjectName("pages_heading")
        label.setAccessibleName(heading)
        label.setProperty("kind", "muted")
        self._theme.dress(label, font="caption", margins=(15, 14, 6, 4))
        self._rows.addWidget(label)
        for name, text in pages:
            button = text_button(tr(text), "nav", on_click=lambda _=False, name=name: self._choose(name), elides=True)
            self._theme.dress(button, font="control")
            button.setObjectName(f"page_{name}")
            button.setCheckable(True)
            read_as(button, QAccessible.Role.PageTab)
            # Or the longest name would keep the column from becoming narrower.
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            self.pages[name], self._names[name] = button, tr(text)
            button.installEventFilter(self)
            self._group.addButton(button)
            self._rows.addWidget(button)

    def _choose(self, name: str) -> None:
        self._delay.stop()
        # The field's frame would look like a second choice; the page takes the keyboard.
        if self.search.hasFocus():
            self.search.clearFocus()
        self.page_chosen.emit(name)

    def _on_return(self) -> None:
        # So that the same text shows its results again.
        self._last_search = ""
        self._tell_search()

    def _tell_search(self) -> None:
        self._delay.stop()
        if (text := self.search.text().strip()) != self._last_search:
            self._last_search = text
            self.search_changed.emit(text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # A button group would move the focus without choosing.
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
            # The search field is above the part that scrolls.
            self._scroll.ensureWidgetVisible(ways[max(1, place)])
        # Arrows choose at once, as in a list.
        if 1 <= place < len(ways):
            list(self.pages.values())[place - 1].click()
