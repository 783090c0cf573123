"""What can be done with what is selected: a button beside it quotes it in the message, a menu offers the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Signal
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QWidget

from app.ui.chat.transcript import Transcript, is_answer
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

if TYPE_CHECKING:
    from app.ui.text.prose import TextView

GAP_PX = 6


class Quoting(QObject):
    """Follows the keyboard, which goes to where somebody selects. The button covers nothing of what is selected."""

    wanted = Signal(str)
    """The quote, ready to be put into a message."""
    find_wanted = Signal(str)
    """Words to be found in the conversation."""
    remember_wanted = Signal(str)
    """Something to be kept for other chats."""
    translate_wanted = Signal(str)

    def __init__(self, transcript: Transcript, theme: Theme) -> None:
        super().__init__(transcript)
        self._transcript, self._theme = transcript, theme
        self._view: TextView | None = None
        self.button: QPushButton = text_button(tr("Quote"), "plain", transcript)
        self.button.setObjectName("quote_selection")
        self.button.setAccessibleDescription(tr("Puts what is selected into your message"))
        self.button.clicked.connect(lambda _=False: self.quote())
        self.button.hide()
        theme.dress(self.button, font=(13, 500), glyph=("quotes", "text", 15))
        transcript.verticalScrollBar().valueChanged.connect(self._place)
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]

    @property
    def selected(self) -> str:
        """What is selected in the chat, wherever the keyboard is now; "" without anything."""
        from app.ui.text.prose import TextView  # as in `is_answer`

        views = (view for turn in self._transcript.turns for view in turn.findChildren(TextView))
        found = next((view for view in views if view.textCursor().hasSelection()), None)
        return found.createMimeDataFromSelection().text() if found is not None else ""

    def quote(self) -> None:
        """Hands on what is selected."""
        text = self._view.createMimeDataFromSelection().text() if self._view is not None else ""
        self.button.hide()
        if text.strip():
            self.wanted.emit(quoted(text))

    def _on_focus_changed(self, _old: QWidget | None, now: QWidget | None) -> None:
        if now is self.button or now is None:
            return
        if self._view is not None:
            self._view.selectionChanged.disconnect(self._place)
            self._view.viewport().removeEventFilter(self)
            self._view.destroyed.disconnect(self._on_gone)
        self._view = self._text_in_answer(now)
        if self._view is not None:
            self._view.selectionChanged.connect(self._place)
            self._view.viewport().installEventFilter(self)
            self._view.destroyed.connect(self._on_gone)
        self._place()

    def _text_in_answer(self, widget: QWidget) -> TextView | None:
        if not any(is_answer(turn) and turn.isAncestorOf(widget) for turn in self._transcript.turns):
            return None
        from app.ui.text.prose import TextView  # as in `is_answer`

        return widget if isinstance(widget, TextView) else None

    def _on_gone(self) -> None:
        self._view = None
        self.button.hide()

    def _place(self) -> None:
        """Above the beginning of the selection, or below its end where that is out of sight."""
        view = self._view
        if view is None or not view.textCursor().hasSelection() or not view.isVisible():
            self.button.hide()
            return
        cursor, gap = view.textCursor(), self._theme.px(GAP_PX)
        cursor.setPosition(view.textCursor().selectionStart())
        first = self._on_transcript(view.cursorRect(cursor))
        cursor.setPosition(view.textCursor().selectionEnd())
        last = self._on_transcript(view.cursorRect(cursor))
        size, room = self.button.sizeHint(), self._transcript.viewport().geometry()
        y = first.top() - size.height() - gap
        if y < room.top():
            y = last.bottom() + gap
        is_seen = room.top() <= y <= room.bottom() - size.height()
        x = max(room.left(), min(first.left(), room.right() - size.width()))
        self.button.setGeometry(QRect(QPoint(x, y), size))
        self.button.setVisible(is_seen)
        self.button.raise_()

    def _on_transcript(self, place: QRect) -> QRect:
        assert self._view is not None
        return QRect(self._view.viewport().mapTo(self._transcript, place.topLeft()), place.size())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A text with something selected has a menu of its own."""
        view = self._view
        if isinstance(event, QContextMenuEvent) and view is not None and view.textCursor().hasSelection():
            self._menu(view).popup(event.globalPos())
            return True
        return super().eventFilter(watched, event)

    def _menu(self, view: TextView) -> QMenu:
        text = view.createMimeDataFromSelection().text()
        menu = QMenu(self._transcript)
        menu.setObjectName("selection_menu")
        menu.aboutToHide.connect(menu.deleteLater)
        offers: list[tuple[str, str, Callable[[], object]]] = [
            ("copy", tr("Copy"), view.copy),
            ("quotes", tr("Quote in your message"), self.quote),
            ("magnifying-glass", tr("Find in this chat"), lambda: self.find_wanted.emit(" ".join(text.split()))),
            ("brain", tr("Remember this"), lambda: self.remember_wanted.emit(text)),
        ]
        if self._transcript.maker.can_translate:
            offers.append(("translate", tr("Translate this"), lambda: self.translate_wanted.emit(text)))
        for glyph, words, do in offers:
            menu.addAction(icon(glyph, self._theme.tokens.muted, self._theme.px(16)), words, do)
        return menu


def quoted(text: str) -> str:
    """As a Markdown quote."""
    return "\n".join(f"> {line}".rstrip() for line in text.strip("\n").split("\n"))
