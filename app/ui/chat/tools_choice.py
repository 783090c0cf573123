"""The composer's switch for tools: what is on, what it costs, and how well the model calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from shiboken6 import isValid

from app.core.visible import visible_name
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_number, join_list
from app.ui.theme import Theme
from app.ui.widgets.buttons import OptionChip
from app.ui.widgets.menus import Menu

if TYPE_CHECKING:
    from app.features.tools.tool_offer import ToolFacts

TOOLS_LABEL = "Tools"
TOOLS_OFF = "Turn tools off"
TOOLS_ABOUT = "The model can search your documents and chats, calculate, and check dates."
TOOLS_COUNT = "{count} tools"
ONE_TOOL_COST = "{count} tool uses {tokens} tokens of each question."
TOOLS_COST = "{count} tools use {tokens} tokens of each question."
SERVERS_ADDED = "Tools from {servers} are added when you ask."
WEAK_MODEL = "Tools ({right} of {requests} right with this model)"
"""The entry of the menu where a model calls the right tool in fewer than half of the tries."""
ON = "on"


class ToolsChoice(OptionChip):
    """Chip of tools that are on; hidden while they are off."""

    chosen = Signal(bool)
    wanted = Signal()
    """The switch is in sight: `show_facts` should tell what it costs."""

    def __init__(self, theme: Theme) -> None:
        self.facts: ToolFacts | None = None
        self._entry: QAction | None = None
        super().__init__(
            theme,
            "tools_choice",
            "wrench",
            about=lambda _name: self._explain(),
            off=tr(TOOLS_OFF),
            words=lambda name: self._count_words() if name else "",
            most_px=180,
        )
        self.is_on = False
        self.add_test: Callable[[Menu], object] = lambda _menu: None
        """Adds the entry that tests the model's calls, where that can be done."""
        for signal in (self.pressed, self.removed):
            signal.connect(lambda: self.chosen.emit(False))

    def show_choice(self, *, is_on: bool) -> None:
        self.is_on = is_on
        self.show_name(ON if is_on else "")
        if is_on:
            self.wanted.emit()

    def show_facts(self, facts: ToolFacts | None) -> None:
        """Show what tools cost with the model that is loaded, and how well it calls them; None if unknown."""
        self.facts = facts
        self.show_name(ON if self.is_on else "")
        if self._entry is not None and isValid(self._entry):
            self._name_entry(self._entry)

    def add_to_menu(self, menu: Menu) -> None:
        """Add the switch, which says so where the model is weak at it."""
        self._entry = self.add_switch(menu, "", is_on=self.is_on, on_choice=lambda: self.chosen.emit(not self.is_on))
        self._name_entry(self._entry)
        self.add_test(menu)
        self.wanted.emit()

    def _name_entry(self, entry: QAction) -> None:
        score = self.facts.score if self.facts is not None else None
        words = tr(TOOLS_LABEL)
        if score is not None and score.is_under_half:
            words = tr(WEAK_MODEL, right=score.right_tool, requests=score.requests)
        entry.setText(words)
        entry.setToolTip(self._explain())

    def _count_words(self) -> str:
        count = self.facts.count if self.facts is not None else 0
        return tr_count("{count} tool", TOOLS_COUNT, count) if count else tr(TOOLS_LABEL)

    def _explain(self) -> str:
        parts = [tr(TOOLS_ABOUT)]
        if self.facts is not None and self.facts.tokens:
            tokens = format_number(self.facts.tokens)
            parts.append(tr_count(ONE_TOOL_COST, TOOLS_COST, self.facts.count, tokens=tokens))
        if self.facts is not None and self.facts.unknown:
            parts.append(tr(SERVERS_ADDED, servers=join_list(map(visible_name, self.facts.unknown))))
        if self.facts is not None and self.facts.score is not None:
            parts.append(str(self.facts.score.message))
        return " ".join(parts)
