"""Actions on selected text: a button that quotes it in the message, and a context menu."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QPoint, QPointF, QRect
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu, QPushButton

from app.features.chat import session_messages as m
from app.features.chat.session import ChatSession
from app.ui.chat.actions import KEYS, TurnCommand
from app.ui.chat.selection import ChatSelection, TextPosition
from app.ui.chat.selection_keys import SelectionEvents
from app.ui.chat.transcript import ChatTranscript
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.shared_labels import (
    COPY,
    COPY_AS_MARKDOWN,
    COPY_THE_ADDRESS,
    READ_ALOUD,
    REMEMBER_SELECTION,
    TRANSLATE_THIS,
)
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.menus import new_menu

FIND_IN_CHAT = "Find in this chat"

GAP_PX = 6


class QuoteButton(QObject):
    """Quote button, shown when the selection is complete, at a place where it covers none of it."""

    def __init__(self, session: ChatSession, transcript: ChatTranscript, theme: Theme) -> None:
        super().__init__(transcript)
        self._session, self._transcript, self._theme = session, transcript, theme
        self.selection = ChatSelection(transcript)
        self._selecting = SelectionEvents(self.selection, transcript, on_settled=self._place_button)
        self.button: QPushButton = text_button(tr("Quote"), "plain", transcript, on_click=self.quote)
        self.button.setObjectName("quote_selection")
        self.button.setAccessibleDescription(tr("Quote the selection in your message"))
        self.button.hide()
        theme.dress(self.button, font="control", glyph=("quotes", "text", 15))
        self.selection.changed.connect(self.button.hide)
        transcript.placed.connect(self._follow_selection)
        transcript.verticalScrollBar().valueChanged.connect(self._follow_selection)
        transcript.maker.menu_wanted.connect(self._on_menu_wanted)

    @property
    def selected(self) -> str:
        """Selected text in the chat, wherever the focus is; "" if none."""
        # As in `is_answer`.
        from app.ui.text.text_view import TextView

        views = (view for turn in self._transcript.turns for view in turn.findChildren(TextView))
        found = next((view for view in views if view.textCursor().hasSelection()), None)
        return found.createMimeDataFromSelection().text() if found is not None else ""

    def quote(self) -> None:
        """Put the selected text into the message as a quote, and clear the selection."""
        text = self.selection.text()
        self.selection.clear()
        if text.strip():
            self._session.send_request(m.QuoteText(quoted(text)))

    def _follow_selection(self) -> None:
        if self.button.isVisible():
            self._place_button()

    def _place_button(self) -> None:
        """Place the button above the beginning of the selected answer text, or below its end if that is out of view."""
        if (ends := self.selection.ends) is None or not self.selection.has_answer:
            self.button.hide()
            return
        size, gap, room = self.button.sizeHint(), self._theme.px(GAP_PX), self._transcript.viewport().geometry()
        places = (self._on_transcript(ends[0]), self._on_transcript(ends[1]))
        above, below = (
            place.topLeft() + QPoint(0, drop) if place is not None else None
            for place, drop in (
                (places[0], -size.height() - gap),
                (places[1], places[1].height() + gap if places[1] else 0),
            )
        )
        inside = range(room.top(), room.bottom() - size.height() + 1)
        place = next((point for point in (above, below) if point is not None and point.y() in inside), None)
        if place is not None:
            x = max(room.left(), min(place.x(), room.right() - size.width()))
            self.button.setGeometry(QRect(QPoint(x, place.y()), size))
            self.button.raise_()
        self.button.setVisible(place is not None)

    def _on_transcript(self, spot: TextPosition) -> QRect | None:
        # None where the turn of an end was deleted, far from the viewport.
        rect, column = self.selection.rect_of(spot), self._transcript.column
        return None if rect is None else QRect(column.mapTo(self._transcript, rect.topLeft()), rect.size())

    def _on_menu_wanted(self, event: QContextMenuEvent) -> None:
        """Open the context menu of the selection if the pointer is on it, or that of a link."""
        place = QPointF(self._transcript.column.mapFromGlobal(event.globalPos()))
        spot = self.selection.spot_at(place)
        by_keyboard = event.reason() is QContextMenuEvent.Reason.Keyboard
        is_here = self.selection.ends is not None and spot is not None and (by_keyboard or self.selection.holds(spot))
        # The menu key opens the menu of what has the keyboard, wherever the pointer is.
        address = "" if is_here or by_keyboard else self._address_at(event.globalPos())
        if not is_here and not address:
            return
        event.accept()
        menu = self._menu() if is_here else self._link_menu(address)
        # Opened by the keyboard, a menu has an active entry.
        if by_keyboard:
            menu.setActiveAction(menu.actions()[0])
        menu.popup(event.globalPos())

    def _menu(self) -> QMenu:
        selection, request = self.selection, self._session.send_request
        menu = new_menu(self._transcript, "selection_menu", tr("Selection actions"))
        offers: list[tuple[str, str, str, Callable[[], object]]] = [
            ("copy", tr(COPY), KEYS[TurnCommand.COPY], self._selecting.copy),
            ("hash", tr(COPY_AS_MARKDOWN), "", self._selecting.copy_markdown),
            ("quotes", tr("Quote in your message"), "", self.quote),
            ("magnifying-glass", tr(FIND_IN_CHAT), "", self._find),
            ("bookmark-simple", tr(REMEMBER_SELECTION), "", lambda: request(m.RememberText(selection.text()))),
        ]
        if (read_selection := self._transcript.maker.read_selection) is not None:
            offers.append(("speaker-high", tr(READ_ALOUD), "", read_selection))
        if self._transcript.maker.can_translate:
            offers.append(
                ("translate", tr(TRANSLATE_THIS), "", lambda: request(m.OpenTranslation(selection.markdown())))
            )
        for glyph, words, keys, do in offers:
            added = menu.addAction(icon(glyph, self._theme.tokens.muted, self._theme.px(16)), words, do)
            added.setShortcut(QKeySequence(keys))
            # Shown only: `SelectionEvents` and the fields handle the keys.
            added.setShortcutVisibleInContextMenu(True)
        return menu

    def _address_at(self, place: QPoint) -> str:
        """Return the external address of the link at a screen position; "" if none."""
        from app.ui.text.pieces import safe_href  # as in `is_answer`

        spot = self.selection.spot_at(QPointF(self._transcript.column.mapFromGlobal(place)), is_inside=True)
        return safe_href(spot.view.anchorAt(spot.view.viewport().mapFromGlobal(place))) if spot and spot.view else ""

    def _link_menu(self, address: str) -> QMenu:
        menu = new_menu(self._transcript, "link_menu", address)
        glyph = partial(icon, color=self._theme.tokens.muted, size_px=self._theme.px(16))
        follow = partial(self._transcript.maker.link_clicked.emit, address)
        menu.addAction(glyph("arrow-square-out"), tr("Open in the browser…"), follow)
        menu.addAction(glyph("copy"), tr(COPY_THE_ADDRESS), lambda: QGuiApplication.clipboard().setText(address))
        return menu

    def _find(self) -> None:
        words = self.selection.text()
        self.selection.clear()
        # The search field has one line.
        self._session.send_request(m.FindText(" ".join(words.split())))


def quoted(text: str) -> str:
    """Format a text as a Markdown quote."""
    return "\n".join(f"> {line}".rstrip() for line in text.strip("\n").split("\n"))
