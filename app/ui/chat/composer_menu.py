"""Menu of the composer's one button: all that goes with a message or the chat, in words and with its keys."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from PySide6.QtGui import QAction

from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.screen_reader import read_as
from app.ui.shell.keyboard import keys_of
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.menus import Menu, new_menu

COMPOSER_MENU = "Files, prompts and more"


class ComposerEntry(IntEnum):
    """Entries of the composer's menu, in their order."""

    ATTACH = 0
    PROMPT = 1
    SERVER_TEXTS = 2
    ASSISTANT = 3
    SECOND_MODEL = 4
    THINKING = 5
    TOOLS = 6
    SETTINGS = 7


class ComposerMenuButton(IconButton):
    """Button whose menu is filled anew each time by the parts of the chat that add an entry."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "plus", tr(COMPOSER_MENU), name="composer_menu_button")
        self._entries: dict[ComposerEntry, Callable[[Menu], object]] = {}
        read_as(self, has_menu=True)
        self.clicked.connect(lambda _=False: self.make_menu().popup_at(self))

    def add_entry(self, place: ComposerEntry, fill: Callable[[Menu], object]) -> None:
        """Let `fill` add an entry, or several, each time the menu opens."""
        self._entries[place] = fill

    def remove_entry(self, place: ComposerEntry) -> None:
        self._entries.pop(place, None)

    def make_menu(self) -> Menu:
        """Return the menu with all entries as they are now."""
        menu = new_menu(self, "composer_menu", tr(COMPOSER_MENU))
        for _, fill in sorted(self._entries.items()):
            fill(menu)
        return menu

    def add_action(self, menu: Menu, glyph: str, words: str, do: Callable[[], object], *, command: str) -> QAction:
        """Add an action to a menu with the keys of the window's `command`. Return it."""
        return menu.addAction(icon(glyph, self._theme.tokens.muted), f"{words}\t{keys_of(command)}", do)
