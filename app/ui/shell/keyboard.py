"""Keyboard handling of the window: the table of shortcuts, the sheet that lists them, and the Tab order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from PySide6.QtCore import QMargins, QSize, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QApplication, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.i18n import Translatable, tr
from app.ui.shared_labels import HELP, KEYBOARD_SHORTCUTS, READ_ALOUD, SIZE
from app.ui.shell.tab_spec import TabSpec
from app.ui.shown_texts import remember_text
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import Dialog, ScrollBox
from app.ui.widgets.layouts import drop_margins, fill_layout, within_screen


class Shortcut(NamedTuple):
    """Command of the window with its shortcuts. The first is displayed; without any, only the palette has the command.
    The window maps `name` to a callback; `also` are search synonyms.
    """

    name: str
    keys: tuple[str, ...]
    words: Translatable
    also: Translatable = ""


WINDOW_SHORTCUTS: tuple[Shortcut, ...] = (
    Shortcut("new", ("Ctrl+N",), "New", "new chat create start begin"),
    Shortcut("temporary_chat", ("Ctrl+Shift+N",), "Temporary chat", "private incognito secret ghost new chat"),
    Shortcut("new_project", (), "New project", "folder workspace group create"),
    Shortcut("palette", ("Ctrl+K",), "Search everything"),
    Shortcut("quick_ask", ("Ctrl+Shift+K",), "Quick ask", "popup small window launcher hotkey"),
    Shortcut("find", ("Ctrl+F",), "Find in this chat", "search text"),
    Shortcut("search", ("Ctrl+Shift+F",), "Search the list", "find chats history filter"),
    Shortcut("sidebar", ("Ctrl+B",), "Show or hide the list", "sidebar side bar panel column history"),
    Shortcut("inside", ("Ctrl+I",), "Look inside the model", "tokens probabilities attention logprobs interpret"),
    Shortcut("context", (), "What the model sees", "prompt context window tokens used"),
    Shortcut("choose_model", ("Ctrl+Shift+M",), "Choose the model", "switch change model select picker"),
    Shortcut("attach", ("Ctrl+Shift+O",), "Attach or add files", "upload document pdf picture image photo open"),
    Shortcut("prompts", ("Ctrl+Shift+P",), "Prompts", "templates snippets library saved prompt"),
    Shortcut("dictate", ("F9",), "Dictate", "voice speech microphone speak talk type by voice"),
    Shortcut("read_aloud", ("Shift+F9",), READ_ALOUD, "speech listen speak hear tts pause continue"),
    Shortcut("stop_reading", ("Ctrl+F9",), "Stop reading", "silence quiet read aloud"),
    Shortcut("next_sentence", (), "Next sentence", "read aloud skip forward"),
    Shortcut("previous_sentence", (), "Previous sentence", "read aloud repeat back again"),
    Shortcut("export", ("Ctrl+E",), "Export this chat", "save download pdf word markdown html"),
    Shortcut("print", ("Ctrl+P",), "Print this chat", "printer paper pdf"),
    Shortcut("export_chats", (), "Export chats…", "save download all"),
    Shortcut("import_chats", (), "Import chats…", "chatgpt claude migrate move"),
    Shortcut("assistants", ("Ctrl+Shift+A",), "Assistants", "gpts personas characters roles bots agents"),
    Shortcut("chat_settings", ("Ctrl+Shift+E",), "Chat settings", "system prompt instructions temperature options"),
    Shortcut("open_model", ("Ctrl+O",), "Open a model file", "load gguf"),
    Shortcut("models", ("Ctrl+M",), "Models", "download find model hub hugging face"),
    Shortcut("settings", ("Ctrl+,",), "Settings", "preferences options configuration"),
    Shortcut("zoom_in", ("Ctrl++", "Ctrl+="), "Larger", "zoom in bigger text"),
    Shortcut("zoom_out", ("Ctrl+-",), "Smaller", "zoom out text"),
    Shortcut("zoom_reset", ("Ctrl+0",), "Normal size", "zoom reset 100"),
    Shortcut("help", ("F1",), HELP, "help manual guide explain documentation how to"),
    Shortcut("shortcuts", ("Ctrl+/",), "Keyboard shortcuts", "help keys hotkeys shortcut cheat sheet"),
    Shortcut("quit", ("Ctrl+Q",), "Quit", "exit close leave end"),
)
SIZES = ("zoom_in", "zoom_out", "zoom_reset")
VOICE = ("dictate", "read_aloud", "stop_reading")
"""Names of commands that are a group of their own in the sheet."""
LIST_SHORTCUTS: tuple[tuple[str, str], ...] = (("F2", "Rename"), ("Del", "Delete"))
Group = tuple[str, Sequence[tuple[str, Translatable]]]
"""A heading, and the rows below it."""


def keys_of(name: str) -> str:
    """Return a command's first shortcut in the system's notation; "" if it has none."""
    return next((written(line.keys[0]) for line in WINDOW_SHORTCUTS if line.name == name and line.keys), "")


def written(keys: str) -> str:
    """Return keys in the system's notation. Return is always called Enter, as on most keyboards."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "Enter")


def with_keys(words: str, name: str) -> str:
    """Return a tooltip: what a button does, and the shortcut of the command `name`."""
    return remember_text(f"{words} ({keys_of(name)})", with_keys, words=words, name=name)


def lines_of(specs: Iterable[TabSpec]) -> list[Shortcut]:
    """Return a shortcut named "tab_" and the tab for each tab that has keys."""
    return [Shortcut(f"tab_{spec.name}", spec.keys, spec.label, spec.also) for spec in specs if spec.keys]


def add_shortcuts(
    window: QWidget, lines: Sequence[Shortcut], jobs: Mapping[str, Callable[[], object]]
) -> dict[str, QAction]:
    """Add an action to the window for each shortcut. Return them by name."""
    actions: dict[str, QAction] = {}
    for name, keys, words, also in lines:
        action = QAction(tr(words), window)
        action.setData(also)
        action.setObjectName(f"action_{name}")
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.triggered.connect(lambda _=False, job=jobs[name]: job())
        window.addAction(action)
        actions[name] = action
    return actions


class ShortcutSheet(Dialog):
    """Dialog that lists all shortcuts in as many columns as the screen has room for."""

    def __init__(self, theme: Theme, specs: Sequence[TabSpec], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.set_up_window("shortcut_sheet", tr(KEYBOARD_SHORTCUTS))
        px = theme.px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(20), px(24), px(20))
        column.setSpacing(px(16))
        around = column.contentsMargins() + QMargins(0, 0, 0, px(16 + 40))  # the gap above the button, and the button
        shown = [line for line in WINDOW_SHORTCUTS if line.keys]
        window = (tr("Window"), [(line.keys[0], line.words) for line in shown if line.name not in (*SIZES, *VOICE)])
        sizes, voice = (
            (tr(label), [(line.keys[0], line.words) for line in shown if line.name in names])
            for label, names in ((SIZE, SIZES), ("Voice", VOICE))
        )
        opening = (tr("Tabs"), [(line.keys[0], line.words) for line in lines_of(specs)])
        inside: list[Group] = [(tr(spec.label), spec.shortcuts) for spec in specs if spec.shortcuts]
        tabs, more = [*inside[:2], (tr("Lists"), LIST_SHORTCUTS), sizes], [*inside[2:], voice, opening]
        # From three columns to one: the first that the screen has room for.
        for sides in (((window,), tabs, more), ((window,), (*tabs, *more)), ((window, *tabs, *more),)):
            lines = _side_by_side(theme, sides)
            # With the scroll bar of a low screen.
            wanted = lines.sizeHint().grownBy(around) + QSize(px(12), 0)
            if within_screen(self, wanted).width() == wanted.width():
                break
        column.addWidget(ScrollBox(lines, around))
        close = text_button(tr("Close"), on_click=self.close)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignTrailing)
        # Left to itself, Qt takes no more than two thirds of the screen.
        self.resize(self.sizeHint())


def _side_by_side(theme: Theme, sides: Sequence[Sequence[Group]]) -> QWidget:
    """Return a widget with the given columns of groups."""
    holder = QWidget()
    row = drop_margins(QHBoxLayout(holder))
    row.setSpacing(theme.px(24))
    for headings in sides:
        row.addLayout(_grid(theme, headings))
    return holder


def _grid(theme: Theme, headings: Sequence[tuple[str, Sequence[tuple[str, Translatable]]]]) -> QVBoxLayout:
    """Return a layout of rows below their headings, aligned at the top."""
    px = theme.px
    grid = QGridLayout()
    grid.setHorizontalSpacing(px(16))
    grid.setVerticalSpacing(px(2))
    for heading, lines in headings:
        title = QLabel(heading)
        title.setFont(theme.font("group"))
        title.setContentsMargins(0, px(8), 0, 0)
        grid.addWidget(title, grid.rowCount(), 0, 1, 2)
        for key, words in lines:
            row = grid.rowCount()
            said = QLabel(tr(words))
            said.setFont(theme.font("row"))
            grid.addWidget(said, row, 0)
            keys = QLabel(written(key))
            keys.setProperty("kind", "muted")
            keys.setFont(theme.fonts.code(13))
            grid.addWidget(keys, row, 1, Qt.AlignmentFlag.AlignTrailing)
    return fill_layout(QVBoxLayout(), grid, 1)


AFTER_SIBLINGS = "tab_after_siblings"
"""Property of a widget that Tab comes to behind what stands below it, as to what was said behind the message field."""


@runtime_checkable
class TabGroup(Protocol):
    """Widget that manages the Tab order of its children; the window only asks for its entry.

    Qt keeps a chain in the order widgets are made and moved; views that are built when they are wanted, and parts
    that come and go, leave gaps in it. Here the order is what is seen: rows from the top, in each from the leading
    side.
    """

    def tab_entry(self, is_next: bool) -> QWidget | None:
        """Return the widget to focus when Tab enters forward (`is_next`) or backward; None if nothing can take it."""


def move_focus(window: QWidget, is_next: bool) -> bool:
    """Move the focus to the next or previous tab stop. Return False if there is none."""
    stops, focus = list(_tab_stops(window)), QApplication.focusWidget()
    at = next((i for i, stop in enumerate(stops) if focus is not None and _has_focus_inside(stop, focus)), None)
    if at is None:
        at = -1 if is_next else 0
    reason = Qt.FocusReason.TabFocusReason if is_next else Qt.FocusReason.BacktabFocusReason
    for step in range(1, len(stops) + 1):
        stop = stops[(at + (step if is_next else -step)) % len(stops)]
        target = stop.tab_entry(is_next) if isinstance(stop, TabGroup) else stop
        if target is not None and target is not focus:
            target.setFocus(reason)
            return True
    return False


def is_tab_stop(widget: QWidget) -> bool:
    """Return whether Tab stops at a widget. On some systems the user's settings exclude buttons."""
    every = QGuiApplication.styleHints().tabFocusBehavior() == Qt.TabFocusBehavior.TabFocusAllControls
    wanted = Qt.FocusPolicy.TabFocus if every else Qt.FocusPolicy.StrongFocus
    # A widget with a proxy hands its focus on to another one, which is a stop itself.
    return (
        widget.focusPolicy() & wanted == wanted
        and widget.isEnabled()
        and widget.isVisible()
        and widget.focusProxy() is None
    )


def in_reading_order(widgets: list[QWidget]) -> list[QWidget]:
    """Sort siblings by rows, then by reading direction. A widget whose centre is above a row's bottom belongs to that
    row.
    """
    rows: list[list[QWidget]] = []
    for widget in sorted(widgets, key=lambda sibling: sibling.y()):
        if rows and widget.geometry().center().y() <= rows[-1][0].geometry().bottom():
            rows[-1].append(widget)
        else:
            rows.append([widget])
    return [widget for row in rows for widget in sorted(row, key=_from_leading)]


def _from_leading(widget: QWidget) -> int:
    parent = widget.parentWidget()
    return -widget.geometry().right() if parent is not None and parent.isRightToLeft() else widget.x()


def _tab_stops(parent: QWidget) -> Iterator[QWidget]:
    children = [child for child in parent.children() if isinstance(child, QWidget) and child.isVisible()]
    focus = QApplication.focusWidget()
    # Dialogs are children of the window, too, but have an order of their own.
    siblings = in_reading_order([widget for widget in children if not widget.isWindow()])
    for child in sorted(siblings, key=lambda sibling: bool(sibling.property(AFTER_SIBLINGS))):
        if isinstance(child, TabGroup):
            yield child
            continue
        # What has the focus counts even where Tab wouldn't stop, so that Tab goes on from there.
        if child is focus or is_tab_stop(child):
            yield child
        yield from _tab_stops(child)


def _has_focus_inside(stop: QWidget, focus: QWidget) -> bool:
    return stop is focus or (isinstance(stop, TabGroup) and stop.isAncestorOf(focus))
