"""Texts that can be read aloud: which one is meant, and the menus that offer it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu, QPlainTextEdit, QTextEdit, QWidget
from shiboken6 import isValid

from app.ui.i18n import tr
from app.ui.widgets.elevation import elevate
from app.ui.widgets.input_fields import PlainEdit
from app.ui.widgets.menus import popup_inside
from app.ui.widgets.spoken_views import SpokenText, SpokenWidget, TextEdit, as_spoken_view, text_from_here

READ_FROM_HERE = "Read aloud from here"

MakeText = Callable[[QWidget | None], SpokenText | None]


class ReadableTexts(QObject):
    """Knows which text of a window a person wants to hear. Menus of texts call `read_view` with theirs."""

    def __init__(self, window: QWidget, read_view: Callable[[QWidget], object]) -> None:
        super().__init__(window)
        self._window, self._read_view = window, read_view
        self._makers: list[tuple[QWidget, MakeText]] = []
        self._last_view: SpokenWidget | None = None
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._on_focus_changed)

    def add(self, owner: QWidget, make_text: MakeText) -> None:
        """Ask `make_text` for what is read while `owner` is visible: with the widget that has the focus in it, or None.

        One that returns None leaves it to the others, and to the text that has or had the keyboard.
        """
        self._makers.append((owner, make_text))

    @property
    def last_view(self) -> SpokenWidget | None:
        """The text that had the keyboard last, if it can still be seen."""
        view = self._last_view
        return view if view is not None and isValid(view) and view.isVisible() else None

    def text_of(self, focus: QWidget | None) -> SpokenText | None:
        """Return the text of what has the keyboard, from its caret on, or of what the window shows; None if none."""
        self._makers = [(owner, make) for owner, make in self._makers if isValid(owner)]
        owners = [(owner, make) for owner, make in self._makers if owner.isVisible()]
        for owner, make in owners:
            if focus is not None and owner.isAncestorOf(focus) and (text := make(focus)) is not None:
                return text
        for view in (as_spoken_view(focus), self.last_view):
            if view is not None and (text := text_from_here(view)) is not None:
                return text
        made = next((text for _, make in owners if (text := make(None)) is not None), None)
        if made is None and (view := self._largest_view()) is not None:
            made = text_from_here(view)
        return made

    def add_to_menu(self, menu: QMenu, view: SpokenWidget) -> None:
        """Offer to read a text from here, unless it is empty."""
        if text_from_here(view) is not None:
            menu.addSeparator()
            action = menu.addAction(tr(READ_FROM_HERE))
            action.setObjectName("read_aloud")
            action.triggered.connect(lambda _=False: self._read_view(view))

    def _largest_view(self) -> TextEdit | None:
        """Return what a person probably looks at: the largest text of the window, one to be read before a field."""
        found: list[TextEdit] = [*self._window.findChildren(QTextEdit), *self._window.findChildren(QPlainTextEdit)]
        shown = [view for view in found if view.isVisible() and view.toPlainText().strip()]
        return max(shown, key=lambda view: (view.isReadOnly(), view.width() * view.height()), default=None)

    def _on_focus_changed(self, _old: QWidget | None, now: QWidget | None) -> None:
        if (view := as_spoken_view(now)) is None:
            return
        self._last_view = view
        if view.property("is_read_aloud"):
            return
        view.setProperty("is_read_aloud", True)
        if isinstance(view, PlainEdit):
            view.menu_wanted.connect(lambda menu, _at: self.add_to_menu(menu, view))
        elif isinstance(view, QTextEdit):
            view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show the menu of a text that has none of its own, with reading aloud in it."""
        view = watched.parent() if isinstance(event, QContextMenuEvent) else None
        if not isinstance(event, QContextMenuEvent) or not isinstance(view, QTextEdit):
            return False
        # In a chat the menu is that of the turn or the selection.
        if getattr(view, "is_shared", False) or view.contextMenuPolicy() != Qt.ContextMenuPolicy.DefaultContextMenu:
            return False
        menu = view.createStandardContextMenu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.add_to_menu(menu, view)
        elevate(menu)
        popup_inside(menu, event.globalPos())
        return True
