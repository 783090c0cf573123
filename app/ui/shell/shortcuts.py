"""Every shortcut of the window in one table, and the sheet that shows it with those of the tabs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from PySide6.QtCore import QMargins, QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.i18n import tr, window_title
from app.ui.shell.tab_spec import TabSpec
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import ScrollBox
from app.ui.widgets.layouts import within_screen

Line = tuple[str, tuple[str, ...], str]
"""Name, keys (the first is the one shown), words. The window gives each name something to do."""
WINDOW_SHORTCUTS: tuple[Line, ...] = (
    ("new", ("Ctrl+N",), "New in this tab"),
    ("temporary_chat", ("Ctrl+Shift+N",), "Temporary chat"),
    ("search", ("Ctrl+F",), "Search the list"),
    ("sidebar", ("Ctrl+B",), "Show or hide the list"),
    ("choose_model", ("Ctrl+Shift+M",), "Choose the model"),
    ("attach", ("Ctrl+Shift+O",), "Attach or add files"),
    ("open_model", ("Ctrl+O",), "Open a model file"),
    ("models", ("Ctrl+M",), "Models"),
    ("settings", ("Ctrl+,",), "Settings"),
    ("zoom_in", ("Ctrl++", "Ctrl+="), "Larger"),
    ("zoom_out", ("Ctrl+-",), "Smaller"),
    ("zoom_reset", ("Ctrl+0",), "Normal size"),
    ("shortcuts", ("Ctrl+/",), "This sheet"),
    ("quit", ("Ctrl+Q",), "Quit"),
)
LIST_SHORTCUTS: tuple[tuple[str, str], ...] = (("F2", "Rename"), ("Del", "Delete"))
Group = tuple[str, Sequence[tuple[str, str]]]
"""A heading, and the lines below it."""


def keys_of(name: str) -> str:
    """The keys of one line of the table, as this system writes them; "" for what has no line."""
    return next((written(keys[0]) for line, keys, _ in WINDOW_SHORTCUTS if line == name), "")


def written(keys: str) -> str:
    """Keys as this system writes them; the large key that sends is called Enter throughout."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "Enter")


def with_keys(words: str, name: str) -> str:
    """A tool tip: what a button does, and the keys of that line of the table."""
    return f"{words} ({keys_of(name)})"


def lines_of(specs: Iterable[TabSpec]) -> list[Line]:
    """What opens each tab."""
    return [(f"tab_{spec.name}", spec.keys, spec.label) for spec in specs if spec.keys]


def add_shortcuts(
    window: QWidget, lines: Sequence[Line], jobs: Mapping[str, Callable[[], object]]
) -> dict[str, QAction]:
    """Makes an action on the window for every line."""
    actions: dict[str, QAction] = {}
    for name, keys, words in lines:
        action = QAction(tr(words), window)
        action.setObjectName(f"action_{name}")
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.triggered.connect(lambda _=False, job=jobs[name]: job())
        window.addAction(action)
        actions[name] = action
    return actions


class ShortcutSheet(QDialog):
    """All shortcuts, on one page."""

    def __init__(self, theme: Theme, specs: Sequence[TabSpec], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("shortcut_sheet")
        self.setWindowTitle(window_title(tr("Keyboard shortcuts")))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        px = theme.px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(20), px(24), px(20))
        column.setSpacing(px(16))
        beside = column.contentsMargins() + QMargins(0, 0, 0, px(16 + 40))
        window = (tr("Window"), [(keys[0], words) for _, keys, words in (*lines_of(specs), *WINDOW_SHORTCUTS)])
        inside: list[Group] = [(tr(spec.label), spec.shortcuts) for spec in specs if spec.shortcuts]
        tabs, more = [*inside[:2], (tr("Lists"), LIST_SHORTCUTS)], inside[2:]
        for sides in (((window,), tabs, more), ((window,), (*tabs, *more)), ((window, *tabs, *more),)):
            lines = _side_by_side(theme, sides)
            wanted = lines.sizeHint().grownBy(beside) + QSize(px(12), 0)  # and a scroll bar
            if within_screen(self, wanted).width() == wanted.width():
                break
        column.addWidget(ScrollBox(lines, beside))
        close = text_button(tr("Close"))
        close.clicked.connect(self.close)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignTrailing)
        self.resize(self.sizeHint())  # without it Qt takes no more than two thirds of the screen


def _side_by_side(theme: Theme, sides: Sequence[Sequence[Group]]) -> QWidget:
    """As many columns of groups as are given."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.px(24))
    for headings in sides:
        row.addLayout(_grid(theme, headings))
    return holder


def _grid(theme: Theme, headings: Sequence[Group]) -> QVBoxLayout:
    """Lines under their headings, from the top on."""
    px = theme.px
    grid = QGridLayout()
    grid.setHorizontalSpacing(px(16))
    grid.setVerticalSpacing(px(6))
    for heading, lines in headings:
        title = QLabel(heading)
        title.setFont(theme.font(13, 600))
        title.setContentsMargins(0, px(8), 0, 0)
        grid.addWidget(title, grid.rowCount(), 0, 1, 2)
        for key, words in lines:
            row = grid.rowCount()
            said = QLabel(tr(words))
            said.setFont(theme.font(14))
            grid.addWidget(said, row, 0)
            keys = QLabel(written(key))
            keys.setProperty("kind", "muted")
            keys.setFont(theme.code_font(13))
            grid.addWidget(keys, row, 1, Qt.AlignmentFlag.AlignTrailing)
    column = QVBoxLayout()
    column.addLayout(grid)
    column.addStretch(1)
    return column
