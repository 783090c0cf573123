"""Actions of a turn: the row of icons, its shadow and the menu, and when they are visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint

from app.ui.chat.actions import IN_ROW, MORE, ActionMenu, ActionRow
from app.ui.widgets.elevation import Shadow

if TYPE_CHECKING:
    from app.ui.chat.turn import TurnView


class TurnToolbar:
    """Row of actions of a turn, made only where somebody may use it: a chat has hundreds of turns."""

    def __init__(self, turn: TurnView) -> None:
        self._turn = turn
        self.row: ActionRow | None = None
        """The row of actions, created when first needed."""
        self.is_hovered = False
        self.is_focused = False
        self.has_menu = False
        self._shadow: Shadow | None = None

    @property
    def has_marks(self) -> bool:
        """True if a version number or a pin is visible even without hover."""
        return bool(self.version) or self._is_pinned

    @property
    def version(self) -> str:
        """The version as "2/3"; "" for a single version. It is visible even without hover."""
        turn, message = self._turn, self._turn.message
        versions = message.versions if message is not None and turn.shows_versions and not turn.is_changing else ()
        if message is None or len(versions) < 2 or message.id not in versions:
            return ""
        return f"{versions.index(message.id) + 1}/{len(versions)}"

    @property
    def _is_pinned(self) -> bool:
        message = self._turn.message
        return message is not None and message.pinned and not self._turn.is_changing

    def update(self) -> None:
        """Create, update or hide the row of actions."""
        turn = self._turn
        has_row = turn.is_last and turn.has_actions_at_end
        actions = turn.offers if self.is_hovered or self.is_focused or self.has_menu or has_row else []
        if not actions and not self.has_marks:
            if self.row is not None:
                self.row.hide()
                self._show_shadow()
            return
        if self.row is None:
            self.row = ActionRow(turn.theme, turn)
            self.row.setProperty("align_end", turn.property("align_end"))
            self.row.pressed.connect(self._on_pressed)
        self.row.setGeometry(turn.row_rect())
        note = turn.note() if actions else ""
        self.row.show_actions(actions, self.version, note, is_pinned=self._is_pinned, is_raised=not has_row)
        self.row.show()
        self._show_shadow()

    def show_menu(self, place: QPoint | None = None, *, by_keyboard: bool = False, without_row: bool = False) -> None:
        """Show the menu of actions at a screen position, or at the icons.

        `without_row` omits actions that the visible row of icons offers already.
        """
        turn = self._turn
        actions = [offer for offer in turn.offers if not (without_row and (offer.is_quick or offer.name in IN_ROW))]
        if not actions:
            return

        def closed() -> None:
            self.has_menu = False
            turn.update_actions()

        # The menu takes the focus, which would hide the row of icons.
        self.has_menu = True
        turn.update_actions()
        menu = ActionMenu(turn.theme, actions, turn)
        menu.chosen.connect(self._on_chosen)
        menu.aboutToHide.connect(closed)
        if by_keyboard:
            menu.setActiveAction(menu.actions()[0])
        # The menu opens where its button is.
        if place is None and self.row is not None:
            menu.popup_at(self.row.more)
        else:
            menu.popup(place or turn.mapToGlobal(turn.rect().bottomLeft()))

    def place(self) -> None:
        """Follow the turn to another size."""
        if self.row is not None:
            self.row.setGeometry(self._turn.row_rect())
            self._show_shadow()

    def place_shadow(self) -> None:
        """Follow the turn to another place."""
        if self._shadow is not None and self._shadow.isVisible():
            self._show_shadow()

    def hide_shadow(self) -> None:
        if self._shadow is not None:
            self._shadow.hide()

    def _show_shadow(self) -> None:
        """Place the shadow of raised actions, in the column: it reaches beyond the turn."""
        turn, row = self._turn, self.row
        around = turn.parentWidget()
        if row is None or around is None or row.isHidden() or row.pill.isEmpty():
            self.hide_shadow()
            return
        if self._shadow is None:
            self._shadow = Shadow(around)
            turn.destroyed.connect(self._shadow.deleteLater)
        # Above the next turn, over whose empty top the actions reach.
        turn.raise_()
        self._shadow.put_below(row.pill.translated(row.pos() + turn.pos()))
        self._shadow.stackUnder(turn)
        self._shadow.show()

    def _on_pressed(self, name: str) -> None:
        if name == MORE:
            self.show_menu(by_keyboard=self.row is not None and self.row.more.hasFocus(), without_row=True)
        else:
            self._on_chosen(name)

    def _on_chosen(self, name: str) -> None:
        self._turn.host.action_requested.emit(name, self._turn)
